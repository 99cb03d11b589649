#include "watch/metrics.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/limits.h"

namespace vigil::watch {

namespace {

constexpr std::chrono::seconds kClientTimeout(5);
constexpr int kHttpBacklog = 16;

struct Help {
  std::string_view name;
  std::string_view text;
};
constexpr Help kHelp[] = {
    {"vigil_changes_total", "Findings that came or went with a new database, per workload."},
    {"vigil_events_lost_total", "Events that were lost, by reason."},
    {"vigil_events_total", "Events of the sensor, by kind."},
    {"vigil_inventories_total", "Inventories made, by result."},
    {"vigil_lines_dropped_total", "Lines of standard output that nobody took."},
    {"vigil_sightings_total", "Files first seen in use, by tier."},
    {"vigil_store_errors_total", "Failed writes of the evidence store."},
    {"vigil_workloads", "Workloads that run, by runtime."},
};

std::string_view help_of(std::string_view name) {
  const auto at = std::ranges::find(kHelp, name, &Help::name);
  return at == std::end(kHelp) ? "" : at->text;
}

struct Address {
  sockaddr_storage bytes = {};
  socklen_t size = 0;
};

std::unexpected<Error> not_an_address(const std::string& text) {
  return fail(ErrorCode::kMalformed,
              text + " is no address to listen on: type 127.0.0.1:9464 or [::1]:9464");
}

Result<Address> parse_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return not_an_address(text);
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (error != std::errc() || rest != end) return not_an_address(text);
  std::string host = text.substr(0, colon);
  if (host.empty()) host = "127.0.0.1";
  Address address;
  if (host.starts_with('[') && host.ends_with(']')) {
    auto* six = reinterpret_cast<sockaddr_in6*>(&address.bytes);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    address.size = sizeof(*six);
    host = host.substr(1, host.size() - 2);
    if (::inet_pton(AF_INET6, host.c_str(), &six->sin6_addr) != 1) return not_an_address(text);
    return address;
  }
  auto* four = reinterpret_cast<sockaddr_in*>(&address.bytes);
  four->sin_family = AF_INET;
  four->sin_port = htons(port);
  address.size = sizeof(*four);
  if (::inet_pton(AF_INET, host.c_str(), &four->sin_addr) != 1) return not_an_address(text);
  return address;
}

std::string shown(const sockaddr_storage& bytes) {
  char host[INET6_ADDRSTRLEN] = {};
  if (bytes.ss_family == AF_INET6) {
    const auto* six = reinterpret_cast<const sockaddr_in6*>(&bytes);
    ::inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
    return fmt::format("[{}]:{}", host, ntohs(six->sin6_port));
  }
  const auto* four = reinterpret_cast<const sockaddr_in*>(&bytes);
  ::inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
  return fmt::format("{}:{}", host, ntohs(four->sin_port));
}

std::string http(std::string_view status, std::string_view type, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
      status, type, body.size(), body);
}

}  // namespace

double& Metrics::at(std::string_view name, std::string_view labels, Kind kind) {
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(std::string(name), Family{kind, {}}).first;
  }
  auto value = family->second.values.find(labels);
  if (value == family->second.values.end()) {
    value = family->second.values.emplace(std::string(labels), 0).first;
  }
  return value->second;
}

void Metrics::add(std::string_view name, std::string_view labels, double value) {
  at(name, labels, Kind::kCounter) += value;
}

void Metrics::set(std::string_view name, std::string_view labels, double value) {
  at(name, labels, Kind::kGauge) = value;
}

std::string Metrics::text() const {
  std::string out;
  for (const auto& [name, family] : families_) {
    const std::string_view help = help_of(name);
    if (!help.empty()) out += fmt::format("# HELP {} {}\n", name, help);
    out += fmt::format("# TYPE {} {}\n", name, family.kind == Kind::kGauge ? "gauge" : "counter");
    for (const auto& [labels, value] : family.values) {
      out += labels.empty() ? fmt::format("{} {}\n", name, value)
                            : fmt::format("{}{{{}}} {}\n", name, labels, value);
    }
  }
  return out;
}

std::string label(std::string_view name, std::string_view value) {
  std::string out = std::string(name) + "=\"";
  for (const char one : value) {
    if (one == '"' || one == '\\') out += '\\';
    if (one == '\n') {
      out += "\\n";
    } else {
      out += one;
    }
  }
  return out + '"';
}

std::string answer_http(std::string_view request, const Metrics& metrics) {
  constexpr std::string_view kText = "text/plain; charset=utf-8";
  const std::string_view line = request.substr(0, request.find("\r\n"));
  const size_t first = line.find(' ');
  const size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
  if (second == std::string_view::npos || !line.substr(second + 1).starts_with("HTTP/1.")) {
    return http("400 Bad Request", kText, "not a request\n");
  }
  if (line.substr(0, first) != "GET") return http("405 Method Not Allowed", kText, "GET only\n");
  std::string_view path = line.substr(first + 1, second - first - 1);
  path = path.substr(0, path.find('?'));
  if (path != "/metrics") return http("404 Not Found", kText, "there is only /metrics\n");
  return http("200 OK", "text/plain; version=0.0.4; charset=utf-8", metrics.text());
}

Result<MetricsServer> MetricsServer::listen(const std::string& text) {
  const Address address = TRY(parse_address(text));
  MetricsServer server;
  server.listener_ =
      Fd(::socket(address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = server.listener_.get();
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (fd < 0 || ::bind(fd, reinterpret_cast<const sockaddr*>(&address.bytes), address.size) != 0 ||
      ::listen(fd, kHttpBacklog) != 0) {
    return fail_errno("cannot listen on " + text, errno);
  }
  sockaddr_storage bound = {};
  socklen_t size = sizeof(bound);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  server.address_ = shown(bound);
  return server;
}

std::vector<pollfd> MetricsServer::poll_fds() const {
  std::vector<pollfd> fds;
  // While there is no room, who wants to come in is nothing to wake up for.
  if (connections_.size() < limits::kHttpConnectionsMax) {
    fds.push_back({listener_.get(), POLLIN, 0});
  }
  for (const Connection& connection : connections_) {
    const bool is_answering = !connection.answer.empty();
    fds.push_back({connection.fd.get(), static_cast<short>(is_answering ? POLLOUT : POLLIN), 0});
  }
  return fds;
}

// Whether the connection is worth keeping.
bool MetricsServer::advance(Connection& connection, const Metrics& metrics) const {
  if (std::chrono::steady_clock::now() - connection.since > kClientTimeout) return false;
  while (connection.answer.empty()) {
    char buffer[2048];
    const ssize_t got = ::recv(connection.fd.get(), buffer, sizeof(buffer), 0);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    connection.request.append(buffer, static_cast<size_t>(got));
    if (connection.request.find("\r\n\r\n") != std::string::npos) {
      connection.answer = answer_http(connection.request, metrics);
    } else if (connection.request.size() > limits::kHttpRequestBytesMax) {
      return false;
    }
  }
  while (connection.sent < connection.answer.size()) {
    const ssize_t sent =
        ::send(connection.fd.get(), connection.answer.data() + connection.sent,
               connection.answer.size() - connection.sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    connection.sent += static_cast<size_t>(sent);
  }
  ::shutdown(connection.fd.get(), SHUT_WR);
  return false;
}

void MetricsServer::serve(const Metrics& metrics) {
  while (connections_.size() < limits::kHttpConnectionsMax) {
    Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.is_open()) break;
    connections_.push_back({std::move(fd), "", "", 0, std::chrono::steady_clock::now()});
  }
  std::erase_if(connections_,
                [&](Connection& connection) { return !advance(connection, metrics); });
}

}  // namespace vigil::watch
