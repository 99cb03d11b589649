// An HTTP server for tests: a child process on a loopback port that the kernel chooses. A function
// of the test turns each request into the bytes of the answer; the connection closes behind it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"

namespace vigil::net {

struct FakeRequest {
  std::string path;  // "/shards/a".
  std::string head;  // Request line and headers, as they came.

  // The value of a header; "" where it is not there. Headers are as curl writes them.
  std::string header(std::string_view name) const {
    const std::string start = "\r\n" + std::string(name) + ": ";
    const size_t at = head.find(start);
    if (at == std::string::npos) return "";
    return head.substr(at + start.size(), head.find("\r\n", at + 2) - at - start.size());
  }
};

// "HTTP/1.1 200 OK", headers each ended by CR LF, and the body with its length.
inline std::string answer(std::string_view status, std::string_view headers,
                          std::string_view body) {
  return "HTTP/1.1 " + std::string(status) +
         "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(headers) + "\r\n" + std::string(body);
}

class FakeServer {
 public:
  using Answer = std::function<std::string(const FakeRequest&)>;

  // An answer of "" leaves the client without one, and the connection open.
  explicit FakeServer(const Answer& answer) {
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    sockaddr* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(listener.get(), generic, size), 0);
    EXPECT_EQ(::listen(listener.get(), 16), 0);
    EXPECT_EQ(::getsockname(listener.get(), generic, &size), 0);
    port_ = ntohs(address.sin_port);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::signal(SIGPIPE, SIG_IGN);
    for (;;) serve(Fd(::accept(listener.get(), nullptr, nullptr)), answer);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(std::string_view path) const { return "http://" + host() + std::string(path); }

 private:
  static void serve(Fd connection, const Answer& answer) {
    FakeRequest request;
    char buffer[4096];
    while (request.head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::read(connection.get(), buffer, sizeof(buffer));
      if (got <= 0) return;
      request.head.append(buffer, static_cast<size_t>(got));
    }
    const size_t begin = request.head.find(' ') + 1;
    request.path = request.head.substr(begin, request.head.find(' ', begin) - begin);
    const std::string bytes = answer(request);
    if (bytes.empty()) connection.release();
    const Status written = write_all(connection, bytes);  // A client may have gone away.
    static_cast<void>(written);
  }

  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace vigil::net
