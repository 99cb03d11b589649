#include "watch/watch.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "exposure/evidence_store.h"
#include "watch/agent.h"
#include "watch/privileges.h"

namespace vigil::watch {

namespace {

constexpr int kWaitMilliseconds = 200;

// The sensor that was asked for, or the best that this host allows, with the reasons for those it
// does not.
Result<std::unique_ptr<sensor::EventSource>> open_source(const WatchOptions& options) {
  sensor::SourceOptions source = options.source;
  source.ignored_pids.push_back(static_cast<uint32_t>(::getpid()));
  if (!options.sensor.empty()) {
    const sensor::EventSourceKind* kind = sensor::find_event_source(options.sensor);
    if (kind == nullptr) {
      return fail(ErrorCode::kNotFound, "there is no sensor " + options.sensor);
    }
    return with_context(kind->open(source), kind->name);
  }
  Error last = {ErrorCode::kUnsupported, "this program has no sensor", {}};
  for (const sensor::EventSourceKind* kind : sensor::all_event_sources()) {
    if (kind->name == "replay") continue;
    Result<std::unique_ptr<sensor::EventSource>> opened = kind->open(source);
    if (opened) return opened;
    last = std::move(opened.error());
    options.tell("the sensor " + std::string(kind->name) + " cannot be used: " + last.text());
  }
  return std::unexpected(std::move(last));
}

// Signals as something to wait for. Blocked from here on, so that none comes elsewhere.
Result<Fd> take_signals() {
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&wanted, one);
  ::sigprocmask(SIG_BLOCK, &wanted, nullptr);
  Fd fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.is_open()) return fail_errno("cannot wait for signals", errno);
  return fd;
}

// Reads what came; true where the agent is to end.
bool is_told_to_end(const Fd& signals, Agent& agent) {
  signalfd_siginfo info = {};
  bool ends = false;
  while (::read(signals.get(), &info, sizeof(info)) == sizeof(info)) {
    if (info.ssi_signo == SIGHUP) {
      agent.reload();
    } else {
      ends = true;
    }
  }
  return ends;
}

// Until something comes, and no longer than anything may be late.
void wait_for_work(const Fd& signals, const sensor::EventSource& source, const Agent& agent,
                   const std::optional<MetricsServer>& server) {
  std::vector<pollfd> fds = {{signals.get(), POLLIN, 0}};
  if (source.poll_fd() >= 0) fds.push_back({source.poll_fd(), POLLIN, 0});
  for (const int fd : agent.poll_fds()) fds.push_back({fd, POLLIN, 0});
  if (server) {
    for (const pollfd& fd : server->poll_fds()) fds.push_back(fd);
  }
  ::poll(fds.data(), fds.size(), kWaitMilliseconds);
}

}  // namespace

Status run_watch(const WatchOptions& options) {
  // One agent at a time writes: found out before anything is attached.
  const std::unique_ptr<exposure::EvidenceStore> store =
      TRY(exposure::EvidenceStore::open_for_writing(options.state_folder));
  TRY(make_folders(options.state_folder + "/inventory"));
  std::optional<MetricsServer> server;
  if (!options.metrics_address.empty()) {
    server = TRY(MetricsServer::listen(options.metrics_address));
    options.tell("metrics at http://" + server->address() + "/metrics");
  }
  const Fd signals = TRY(take_signals());
  const std::unique_ptr<sensor::EventSource> source = TRY(open_source(options));
  options.tell("watching with " + source->description());
  for (const std::string& spot : source->blind_spots()) options.tell("blind spot: " + spot);
  TRY(drop_privileges());
  // From here on nothing new can be attached.

  Agent agent(options, *source, *store);
  TRY(agent.take_snapshot());
  // From here on everything that runs is known, and what comes is seen coming.
  options.tell("ready: " + agent.summary());
  const auto began = std::chrono::steady_clock::now();
  const auto is_over = [&] {
    return options.duration > 0 && !agent.is_working() &&
           std::chrono::steady_clock::now() - began > std::chrono::nanoseconds(options.duration);
  };
  while (!is_told_to_end(signals, agent) && !is_over()) {
    wait_for_work(signals, *source, agent, server);
    TRY(agent.take_events());
    agent.do_what_is_due();
    if (server) server->serve(agent.metrics());
  }
  agent.stop();
  options.tell("ended: " + agent.summary());
  return {};
}

}  // namespace vigil::watch
