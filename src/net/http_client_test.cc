#include "net/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "net/fake_server.h"

namespace vigil::net {
namespace {

// A file without a name that a download goes to.
class Download {
 public:
  explicit Download(std::string_view holds = "") : file_(std::tmpfile()), fd_(fileno(file_)) {
    EXPECT_TRUE(write_all(fd_, holds));
  }
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;
  ~Download() {
    fd_.release();
    std::fclose(file_);
  }
  const Fd& fd() const { return fd_; }
  std::string text() const {
    std::string out(file_bytes(fd_).value_or(0), '\0');
    EXPECT_EQ(::pread(fd_.get(), out.data(), out.size(), 0), static_cast<ssize_t>(out.size()));
    return out;
  }

 private:
  std::FILE* file_;
  Fd fd_;
};

class HttpClientTest : public testing::Test {
 protected:
  void SetUp() override {
    // The environment of the machine may name a proxy for the rest of the world.
    for (const char* name :
         {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
      ::unsetenv(name);
    }
  }

  Result<HttpResponse> get(const HttpRequest& request, const Download& to) {
    Result<HttpClient> client =
        HttpClient::create({.connect_seconds_max = 5, .stall_seconds_max = 1});
    if (!client) return std::unexpected(client.error());
    return client->get(request, to.fd());
  }

  std::string error_of(const FakeServer& server, std::string_view path, uint64_t bytes_max = 1000) {
    const Download to;
    const auto got = get({.url = server.url(path), .bytes_max = bytes_max}, to);
    if (got) return "no error, but: " + to.text();
    return std::string(to_string(got.error().code)) + ": " + got.error().message;
  }
};

TEST_F(HttpClientTest, TheBodyGoesToTheFileAndWhatTheServerSaidIsKept) {
  const FakeServer server([](const FakeRequest& request) {
    return answer("200 OK", "ETag: \"v1\"\r\nlast-modified: Thu, 29 Jan 2026 12:00:00 GMT\r\n",
                  request.path + " " + request.header("User-Agent"));
  });
  const Download to("longer than what comes, and cut");
  const auto got = get({.url = server.url("/a"), .bytes_max = 1000}, to);
  ASSERT_TRUE(got.has_value()) << got.error().text();
  EXPECT_EQ(to.text(), "/a vigil/" VIGIL_VERSION);
  EXPECT_EQ(got->validators,
            (HttpValidators{.etag = "\"v1\"", .last_modified = "Thu, 29 Jan 2026 12:00:00 GMT"}));
  EXPECT_EQ(got->bytes, to.text().size());
  EXPECT_FALSE(got->is_unchanged);
}

TEST_F(HttpClientTest, AKnownVersionIsNotSentAgain) {
  const FakeServer server([](const FakeRequest& request) {
    const bool is_known = request.header("If-None-Match") == "\"v1\"" &&
                          request.header("If-Modified-Since") == "yesterday";
    return is_known ? answer("304 Not Modified", "", "") : answer("200 OK", "", "all of it");
  });
  const Download to("old");
  const auto same =
      get({.url = server.url("/"), .bytes_max = 99, .known = {"\"v1\"", "yesterday"}}, to);
  ASSERT_TRUE(same.has_value()) << same.error().text();
  EXPECT_TRUE(same->is_unchanged);
  EXPECT_EQ(to.text(), "old");
  // What a file may hold does not become another header.
  const auto other =
      get({.url = server.url("/"), .bytes_max = 99, .known = {"\"v1\"\r\nX: y", ""}}, to);
  ASSERT_TRUE(other.has_value()) << other.error().text();
  EXPECT_EQ(to.text(), "all of it");
}

TEST_F(HttpClientTest, AnInterruptedDownloadIsResumed) {
  const FakeServer server([](const FakeRequest& request) {
    const std::string content = "0123456789";
    if (request.path == "/ignores-ranges" || request.header("Range").empty()) {
      return answer("200 OK", "ETag: \"v2\"\r\n", content);
    }
    if (request.path == "/lies")
      return answer("206 P", "Content-Range: bytes 3-9/10\r\n", "3456789");
    if (request.path == "/shorter") return answer("416 Range Not Satisfiable", "", "");
    if (request.header("If-Range") != "\"v2\"")
      return answer("200 OK", "ETag: \"v2\"\r\n", content);
    return answer("206 Partial Content", "ETag: \"v2\"\r\nContent-Range: bytes 4-9/10\r\n",
                  content.substr(4));
  });
  const auto resumed = [&](std::string_view path, const char* etag) {
    const Download to("abcd");
    const auto got = get({.url = server.url(path),
                          .bytes_max = 10,
                          .resume_at = 4,
                          .resumed = {.etag = etag, .last_modified = ""}},
                         to);
    return (got ? std::to_string(got->bytes_received) : got.error().message) + ": " + to.text();
  };
  EXPECT_EQ(resumed("/", "\"v2\""), "6: abcd456789");
  EXPECT_EQ(resumed("/", "\"v1\""), "10: 0123456789");
  EXPECT_EQ(resumed("/", "W/\"v2\""), "10: 0123456789");
  EXPECT_EQ(resumed("/ignores-ranges", "\"v2\""), "10: 0123456789");
  EXPECT_EQ(resumed("/shorter", "\"v2\""), "10: 0123456789");
  EXPECT_EQ(resumed("/lies", "\"v2\""), "the server sent another part than was asked for: abcd");
}

TEST_F(HttpClientTest, WhatCameBeforeAFailureStaysToBeResumed) {
  const FakeServer server([](const FakeRequest&) {
    return std::string("HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 10\r\n\r\n0123");
  });
  const Download to;
  Result<HttpClient> client = HttpClient::create({});
  ASSERT_TRUE(client.has_value()) << client.error().text();
  const auto got = client->get({.url = server.url("/"), .bytes_max = 10}, to.fd());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(to.text(), "0123");
  EXPECT_EQ(client->received().etag, "\"v1\"");
}

TEST_F(HttpClientTest, RefusalsAreTypedAndTheirTextIsNotTaken) {
  const FakeServer server([](const FakeRequest& request) {
    return answer(request.path.substr(1) + " No", "", "<html>a page</html>");
  });
  EXPECT_EQ(error_of(server, "/404"), "not found: the server answered 404");
  EXPECT_EQ(error_of(server, "/410"), "not found: the server answered 410");
  EXPECT_EQ(error_of(server, "/403"), "denied: the server answered 403");
  EXPECT_EQ(error_of(server, "/503"), "unavailable: the server answered 503");
  EXPECT_EQ(error_of(server, "/204"), "unavailable: the server answered 204");
  EXPECT_EQ(error_of(server, "/304"), "unavailable: the server answered 304");
}

TEST_F(HttpClientTest, BoundsHold) {
  const FakeServer server([](const FakeRequest& request) {
    if (request.path == "/endless") {
      return "HTTP/1.0 200 OK\r\n\r\n" + std::string(5000, 'x');
    }
    if (request.path == "/silent") return std::string();
    if (request.path == "/not-http") return std::string("220 smtp.example.org ESMTP\r\n");
    return answer("302 Found", "Location: " + request.path + "x\r\n", "");
  });
  EXPECT_EQ(error_of(server, "/endless", 4999),
            "too large: more than the 4999 bytes that are taken");
  EXPECT_EQ(error_of(server, "/endless", 5000), "no error, but: " + std::string(5000, 'x'));
  EXPECT_EQ(error_of(server, "/round"), "unavailable: Maximum (5) redirects followed");
  EXPECT_THAT(error_of(server, "/silent"), testing::StartsWith("unavailable: Operation too slow"));
  EXPECT_THAT(error_of(server, "/not-http"), testing::StartsWith("malformed: "));
}

TEST_F(HttpClientTest, RedirectsLeadOnlyToHttp) {
  const FakeServer server([](const FakeRequest& request) {
    if (request.path == "/arrived") return answer("200 OK", "", "there");
    const std::string to = request.path == "/file" ? "file:///etc/hostname" : "/arrived";
    return answer("302 Found", "Location: " + to + "\r\n", "elsewhere");
  });
  EXPECT_EQ(error_of(server, "/go"), "no error, but: there");
  EXPECT_THAT(error_of(server, "/file"), testing::StartsWith("malformed: Protocol \"file\""));
  const Download to;
  for (const char* url : {"file:///etc/hostname", "ftp://127.0.0.1/", "http://", "/etc/hostname",
                          "http://127.0.0.1/a\r\nb"}) {
    const auto got = get({.url = url, .bytes_max = 1000}, to);
    ASSERT_FALSE(got) << url;
    EXPECT_EQ(got.error().code, ErrorCode::kMalformed) << url;
  }
}

TEST_F(HttpClientTest, CredentialsGoToTheirOwnHostAndIntoNoMessage) {
  const auto echo = [](const FakeRequest& request) {
    return answer("200 OK", "", "[" + request.header("Authorization") + "]");
  };
  const FakeServer other(echo);
  const FakeServer server([&](const FakeRequest& request) {
    if (request.path.starts_with("/none")) return answer("404 Not Found", "", "");
    if (request.path != "/away") return echo(request);
    return answer("302 Found", "Location: " + other.url("/") + "\r\n", "");
  });
  const std::string host = "http://me:secret@" + server.host();
  const Download to;
  ASSERT_TRUE(get({.url = host + "/", .bytes_max = 1000}, to));
  EXPECT_EQ(to.text(), "[Basic bWU6c2VjcmV0]");
  ASSERT_TRUE(get({.url = host + "/away", .bytes_max = 1000}, to));
  EXPECT_EQ(to.text(), "[]");
  const auto none = get({.url = host + "/none?token=secret", .bytes_max = 1000}, to);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().text(), server.url("/none") + ": the server answered 404");
}

TEST(ShownUrlTest, SecretsAndControlsAreLeftOut) {
  EXPECT_EQ(shown_url("https://me:p@ss@host:8443/a@b?key=x#y"), "https://host:8443/a@b");
  EXPECT_EQ(shown_url("https://host/a\x1b[2J"), "https://host/a?[2J");
  EXPECT_EQ(shown_url("folder"), "folder");
}

TEST(HttpUrlTest, OnlyHttpIsOne) {
  EXPECT_TRUE(is_http_url("https://a") && is_http_url("HTTP://a"));
  EXPECT_FALSE(is_http_url("https://") || is_http_url("file:///a") || is_http_url("dir/http://a"));
}

}  // namespace
}  // namespace vigil::net
