#include "advisory/feed_fetch.h"

#include <fnmatch.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/digest.h"
#include "base/file.h"
#include "net/fake_server.h"

namespace vigil::advisory {
namespace {

namespace fs = std::filesystem;

class FeedFetchTest : public testing::Test {
 protected:
  FeedFetchTest() : out_(testing::TempDir() + "/vigil-fetch-" + std::to_string(getpid())) {
    fs::remove_all(out_);
  }
  ~FeedFetchTest() override { fs::remove_all(out_); }

  // "PATH: new", "PATH: unchanged" or "PATH: ERROR" for each file.
  std::vector<std::string> fetch(const std::string& mirror, std::vector<std::string> feeds) {
    std::vector<std::string> lines;
    const Result<std::vector<AbsentFiles>> absent =
        fetch_feeds({.out_folder = out_, .mirror = mirror, .feeds = std::move(feeds)},
                    {.starts = [](const std::string&) {},
                     .done =
                         [&](const FetchedFile& file) {
                           const std::string what = file.is_unchanged ? "unchanged" : "new";
                           lines.push_back(file.path + ": " +
                                           (file.status ? what : file.status.error().text()));
                         }});
    if (!absent) lines.push_back(absent.error().text());
    absent_ = absent.value_or(std::vector<AbsentFiles>());
    return lines;
  }
  std::string content(const std::string& path) {
    return read_file(out_ + "/" + path, 1 << 20).value_or("absent");
  }

  std::string out_;
  std::vector<AbsentFiles> absent_;  // Of the last fetch.
};

// A mirror of files, each with its digest as ETag.
net::FakeServer::Answer mirror_of(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const net::FakeRequest& request) {
    const auto found = files.find(request.path.substr(1));
    if (found == files.end()) return net::answer("404 Not Found", "", "");
    const std::string etag = "\"" + sha256(as_bytes(found->second)).hex() + "\"";
    if (request.header("If-None-Match") == etag) return net::answer("304 Not Modified", "", "");
    return net::answer("200 OK", "ETag: " + etag + "\r\n", found->second);
  };
}

constexpr const char* kKev = "kev/known_exploited_vulnerabilities.json";

TEST_F(FeedFetchTest, OnlyWhatChangedIsFetchedAgain) {
  const std::vector<std::string> feeds = {"eol", "kev"};
  {
    const net::FakeServer server(mirror_of({{"eol/debian.csv", "debian"},
                                            {"eol/ubuntu.csv", "ubuntu"},
                                            {kKev, "{}"},
                                            {"coverage.json", "{\"a\":1}"}}));
    EXPECT_THAT(fetch(server.url("/"), feeds),
                testing::ElementsAre("coverage.json: new", "eol/debian.csv: new",
                                     "eol/ubuntu.csv: new", std::string(kKev) + ": new"));
    EXPECT_EQ(content(kKev), "{}");
    EXPECT_EQ(content("coverage.json"), "{\"a\":1}");
    EXPECT_TRUE(write_atomically(out_ + "/eol/debian.csv", "of another length"));
    EXPECT_THAT(
        fetch(server.url("/"), feeds),
        testing::ElementsAre("coverage.json: unchanged", "eol/debian.csv: new",
                             "eol/ubuntu.csv: unchanged", std::string(kKev) + ": unchanged"));
    EXPECT_EQ(content("eol/debian.csv"), "debian");
  }
  // Another address may give the same ETag to other bytes.
  const net::FakeServer other(mirror_of({{"eol/debian.csv", "debian"}, {kKev, "{\"b\":2}"}}));
  EXPECT_THAT(fetch(other.url(""), feeds),
              testing::ElementsAre("eol/debian.csv: new", std::string(kKev) + ": new"));
  EXPECT_EQ(content(kKev), "{\"b\":2}");
  EXPECT_EQ(content("eol/ubuntu.csv"), "ubuntu");
}

TEST_F(FeedFetchTest, ACutDownloadGoesOn) {
  int requests_count = 0;
  const net::FakeServer server([&](const net::FakeRequest& request) {
    const bool is_absent = request.path == "/coverage.json" || request.path == "/SHA256SUMS";
    if (is_absent) return net::answer("404 Not Found", "", "");
    if (++requests_count == 1) {
      return std::string("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 10\r\n\r\n01234");
    }
    if (request.header("Range") != "bytes=5-" || request.header("If-Range") != "\"1\"") {
      return net::answer("500 Unexpected", "", "");
    }
    return net::answer("206 Partial Content", "ETag: \"1\"\r\nContent-Range: bytes 5-9/10\r\n",
                       "56789");
  });
  EXPECT_THAT(fetch(server.url(""), {"kev"}), testing::ElementsAre(std::string(kKev) + ": new"));
  EXPECT_EQ(content(kKev), "0123456789");
  EXPECT_FALSE(path_exists(out_ + "/.fetch/" + kKev + ".partial"));
}

TEST_F(FeedFetchTest, NothingIsNoFeed) {
  const net::FakeServer server(mirror_of({{kKev, ""}}));
  EXPECT_THAT(fetch(server.url(""), {"kev"}),
              testing::ElementsAre(std::string(kKev) + ": " + server.url("/") + kKev +
                                   ": the server sent nothing"));
  EXPECT_EQ(content(kKev), "absent");
}

TEST_F(FeedFetchTest, AnAddressThatIsToldReplacesItsPredecessor) {
  const std::string old = "redhat/csaf_vex_2026-01-01.tar.zst";
  const std::string now = "redhat/csaf_vex_2026-02-01.tar.zst";
  int told_count = 0;
  const net::FakeServer server([&](const net::FakeRequest& request) {
    const bool is_absent = request.path == "/coverage.json" || request.path == "/SHA256SUMS";
    if (is_absent) return net::answer("404 Not Found", "", "");
    if (request.path != "/redhat/archive_latest.txt") return net::answer("200 OK", "", "archive");
    const char* told[] = {"csaf_vex_2026-01-01.tar.zst\n", "csaf_vex_2026-02-01.tar.zst\n",
                          "../../etc/passwd"};
    return net::answer("200 OK", "", told[told_count++]);
  });
  EXPECT_TRUE(make_folders(out_ + "/redhat"));
  EXPECT_TRUE(write_atomically(out_ + "/redhat/own.tar.zst", "not fetched, so it stays"));
  EXPECT_THAT(fetch(server.url(""), {"redhat"}), testing::ElementsAre(old + ": new"));
  EXPECT_EQ(content(old), "archive");
  EXPECT_THAT(fetch(server.url(""), {"redhat"}), testing::ElementsAre(now + ": new"));
  EXPECT_EQ(content(old), "absent");
  EXPECT_EQ(content(now), "archive");
  EXPECT_EQ(content("redhat/own.tar.zst"), "not fetched, so it stays");
  EXPECT_THAT(
      fetch(server.url(""), {"redhat"}),
      testing::ElementsAre("redhat/archive_latest.txt: " +
                           server.url("/redhat/archive_latest.txt") + ": it names no file"));
}

TEST_F(FeedFetchTest, WhatAMirrorDoesNotHaveIsNoFailure) {
  const net::FakeServer server(mirror_of({{kKev, "{}"}, {"eol/debian.csv", "x"}}));
  EXPECT_THAT(fetch(server.url("/"), {"kev", "eol", "epss"}),
              testing::ElementsAre("eol/debian.csv: new", std::string(kKev) + ": new"));
  EXPECT_THAT(absent_,
              testing::ElementsAre(AbsentFiles{"eol", {"eol/alpine.json", "eol/ubuntu.csv"}, false},
                                   AbsentFiles{"epss", {"epss/epss_scores-current.csv.gz"}, true}));
  EXPECT_THAT(
      fetch(server.url("/"), {"epss"}),
      testing::ElementsAre(server.url("/") + ": the mirror has none of the feeds asked for"));
}

TEST_F(FeedFetchTest, AMirrorsListTellsTheNames) {
  const std::string digest(64, '0');
  const auto mirror = [&](const std::string& date) {
    const std::string scores = "epss/epss_scores-" + date + ".csv.gz";
    return mirror_of(
        {{scores, date},
         {"osv/PyPI/all.zip", "zip"},
         {"SHA256SUMS", digest + "  ./" + scores + "\n" + digest + "  osv/PyPI/all.zip\n" + digest +
                            "  osv/../all.zip\n" + digest + "  README.md\nnonsense\n"}});
  };
  {
    const net::FakeServer server(mirror("2026-01-30"));
    EXPECT_THAT(
        fetch(server.url(""), {"epss", "osv", "kev"}),
        testing::ElementsAre("epss/epss_scores-2026-01-30.csv.gz: new", "osv/PyPI/all.zip: new"));
    ASSERT_EQ(absent_.size(), 2u);
    EXPECT_EQ(absent_[0], (AbsentFiles{"kev", {kKev}, true}));
    EXPECT_EQ(absent_[1].feed, "osv");
    EXPECT_FALSE(absent_[1].is_whole_feed);
    EXPECT_THAT(absent_[1].paths, testing::Contains("osv/npm/all.zip"));
    EXPECT_THAT(absent_[1].paths, testing::Not(testing::Contains("osv/PyPI/all.zip")));
  }
  EXPECT_EQ(content("epss/epss_scores-2026-01-30.csv.gz"), "2026-01-30");
}

TEST_F(FeedFetchTest, WhatAMirrorReplacedGoes) {
  const std::string digest(64, '0');
  int lists_count = 0;
  const net::FakeServer server([&](const net::FakeRequest& request) {
    if (request.path == "/coverage.json") return net::answer("404 Not Found", "", "");
    if (request.path != "/SHA256SUMS") return net::answer("200 OK", "", "scores");
    const std::string now = lists_count++ == 0 ? "2026-01-30" : "2026-01-31";
    return net::answer("200 OK", "", digest + "  epss/epss_scores-" + now + ".csv.gz\n");
  });
  EXPECT_TRUE(make_folders(out_ + "/epss"));
  EXPECT_TRUE(write_atomically(out_ + "/epss/epss_scores-2020-01-01.csv.gz", "own"));
  fetch(server.url(""), {"epss"});
  EXPECT_EQ(content("epss/epss_scores-2026-01-30.csv.gz"), "scores");
  fetch(server.url(""), {"epss"});
  EXPECT_EQ(content("epss/epss_scores-2026-01-30.csv.gz"), "absent");
  EXPECT_EQ(content("epss/epss_scores-2026-01-31.csv.gz"), "scores");
  EXPECT_EQ(content("epss/epss_scores-2020-01-01.csv.gz"), "own");
}

TEST_F(FeedFetchTest, BadOptionsAreRefused) {
  EXPECT_THAT(fetch("/folder", {}), testing::ElementsAre("a mirror is an http or https address"));
  EXPECT_THAT(fetch("", {"kevin"}),
              testing::ElementsAre(testing::StartsWith("there is no feed 'kevin', but: alpine, ")));
}

TEST(FeedAddressTest, EveryAddressIsHttpsAndLeadsWhereItsFeedReads) {
  for (const Feed* feed : all_feeds()) {
    EXPECT_FALSE(feed->addresses.empty()) << feed->name;
    for (const FeedAddress& address : feed->addresses) {
      if (address.values.starts_with('@')) continue;
      const std::string_view value = address.values.substr(0, address.values.find(','));
      const FilledAddress filled = fill_address(address, value);
      EXPECT_THAT(filled.url, testing::StartsWith("https://"));
      EXPECT_EQ(filled.url.find_first_of("{} "), std::string::npos) << filled.url;
      EXPECT_TRUE(std::ranges::any_of(feed->patterns, [&](std::string_view pattern) {
        return fnmatch(std::string(pattern).c_str(), filled.path.c_str(), FNM_PATHNAME) == 0;
      })) << filled.path;
    }
  }
}

}  // namespace
}  // namespace vigil::advisory
