// What the agent counts, and the page where Prometheus reads it: text exposition format 0.0.4 over
// HTTP/1.1, GET /metrics, one answer a connection. One thread; nothing waits for a client.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace vigil::watch {

class Metrics {
 public:
  enum class Kind { kCounter, kGauge };
  // `labels`: `reason="ring buffer full"`, or "". The help is that of the first call.
  void add(std::string_view name, std::string_view labels, double value);
  void set(std::string_view name, std::string_view labels, double value);
  std::string text() const;

 private:
  struct Family {
    Kind kind = Kind::kCounter;
    std::map<std::string, double, std::less<>> values;
  };
  double& at(std::string_view name, std::string_view labels, Kind kind);
  std::map<std::string, Family, std::less<>> families_;
};
// A label's value with what Prometheus wants escaped.
std::string label(std::string_view name, std::string_view value);

class MetricsServer {
 public:
  // "127.0.0.1:9464", "[::1]:9464", ":9464" (loopback), "0.0.0.0:9464". Port 0 is any free one.
  static Result<MetricsServer> listen(const std::string& address);
  const std::string& address() const { return address_; }  // With the port it got.

  // Descriptors to wait for, to be handed back to serve().
  std::vector<pollfd> poll_fds() const;
  void serve(const Metrics& metrics);

 private:
  struct Connection {
    Fd fd;
    std::string request;
    std::string answer;
    size_t sent = 0;
    std::chrono::steady_clock::time_point since;
  };
  bool advance(Connection& connection, const Metrics& metrics) const;

  Fd listener_;
  std::string address_;
  std::vector<Connection> connections_;
};

// The answer to a whole request; hostile.
std::string answer_http(std::string_view request, const Metrics& metrics);

}  // namespace vigil::watch
