#include "watch/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/limits.h"

namespace vigil::watch {
namespace {

TEST(Metrics, OnlyAddressesAreListenedOn) {
  for (const char* text :
       {"", "x", "127.0.0.1", "localhost:1", "127.0.0.1:x", "[::1:1", ":70000"}) {
    EXPECT_FALSE(MetricsServer::listen(text)) << text;
  }
}

TEST(Metrics, OnlyAGetOfThePageIsAnswered) {
  const Metrics metrics;
  const auto status = [&](std::string_view request) {
    return answer_http(request, metrics).substr(0, 12);
  };
  EXPECT_EQ(status(""), "HTTP/1.1 400");
  EXPECT_EQ(status("GET /metrics\r\n\r\n"), "HTTP/1.1 400");
  EXPECT_EQ(status("POST /metrics HTTP/1.1\r\n\r\n"), "HTTP/1.1 405");
  EXPECT_EQ(status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 404");
  EXPECT_EQ(status("GET /metrics?x=1 HTTP/1.0\r\n\r\n"), "HTTP/1.1 200");
}

TEST(Metrics, TextIsSortedAndEscaped) {
  Metrics metrics;
  metrics.add("vigil_events_total", label("kind", "open"), 2);
  metrics.add("vigil_events_total", label("kind", "exec"), 1);
  metrics.add("vigil_events_total", label("kind", "open"), 3);
  metrics.set("vigil_x", label("name", "a\"b\\c\nd"), 0.5);
  EXPECT_EQ(metrics.text(),
            "# HELP vigil_events_total Events of the sensor, by kind.\n"
            "# TYPE vigil_events_total counter\n"
            "vigil_events_total{kind=\"exec\"} 1\n"
            "vigil_events_total{kind=\"open\"} 5\n"
            "# TYPE vigil_x gauge\n"
            "vigil_x{name=\"a\\\"b\\\\c\\nd\"} 0.5\n");
}

Fd client_of(const MetricsServer& server) {
  uint16_t port = 0;
  const std::string digits = server.address().substr(server.address().rfind(':') + 1);
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return client;
}

TEST(Metrics, AClientGetsThePageAndTheEnd) {
  Metrics metrics;
  metrics.set("vigil_x", "", 7);
  MetricsServer server = MetricsServer::listen("127.0.0.1:0").value();
  const Fd client = client_of(server);
  server.serve(metrics);  // Half a request: nothing is answered.
  ASSERT_TRUE(write_all(client, "GET /metrics HTTP/1.1\r\n"));
  server.serve(metrics);
  ASSERT_TRUE(write_all(client, "Host: x\r\n\r\n"));
  server.serve(metrics);
  const std::string answer = read_all(client, 1 << 20).value();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n# TYPE vigil_x gauge\nvigil_x 7\n")) << answer;
}

TEST(Metrics, WhoFindsNoRoomWakesNobody) {
  const Metrics metrics;
  MetricsServer server = MetricsServer::listen("127.0.0.1:0").value();
  std::vector<Fd> clients;
  for (size_t i = 0; i < limits::kHttpConnectionsMax + 1; ++i) clients.push_back(client_of(server));
  server.serve(metrics);
  std::vector<pollfd> fds = server.poll_fds();
  EXPECT_EQ(fds.size(), limits::kHttpConnectionsMax);
  EXPECT_EQ(::poll(fds.data(), fds.size(), 0), 0);
  clients.erase(clients.begin());
  server.serve(metrics);  // Sees that one is gone,
  server.serve(metrics);  // and takes the other.
  fds = server.poll_fds();
  EXPECT_EQ(fds.size(), limits::kHttpConnectionsMax);
  EXPECT_EQ(::poll(fds.data(), fds.size(), 0), 0);
}

}  // namespace
}  // namespace vigil::watch
