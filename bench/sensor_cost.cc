// What the sensor costs the programs it watches.
//
// usage: sensor_cost [--within PERCENT] [--pairs-max N] [--back-end NAME | --capture] [WORKLOAD...]
//
// One loaded set of programs is attached and taken off in turn. Each pair runs the same work twice,
// off and on in an order that turns, and compares the processor time of the workload, its children
// included, for as much work; one run takes 50 to 500 ms. Pairs go on until the 95 % interval of
// the ratio, from the logarithms of all pairs, is within 1 % of it (--within), or until --pairs-max
// (1000); where the interval holds 1.00, it says "not distinguishable". The reader's own time is
// shown beside, as a share of the workload's.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bpf/capture.skel.h"
#include "sensor/kernel_programs.h"
#include "sensor/wire_decode.h"

namespace {

using vigil::sensor::KernelPrograms;

// What is put on and taken off.
class Monitor {
 public:
  virtual ~Monitor() = default;
  virtual std::string description() const = 0;
  virtual bool attach() = 0;
  virtual void detach() = 0;
  virtual int poll_fd() const = 0;
  virtual size_t consume() = 0;  // How many events came.
};

class Sensor : public Monitor {
 public:
  explicit Sensor(KernelPrograms programs) : programs_(std::move(programs)) {}
  std::string description() const override { return programs_.description(); }
  bool attach() override { return programs_.attach().has_value(); }
  void detach() override { programs_.detach(); }
  int poll_fd() const override { return programs_.poll_fd(); }
  size_t consume() override {
    size_t events = 0;
    static_cast<void>(programs_.consume([&](vigil::ByteView record) {
      events += vigil::sensor::decode_wire(record, 0).has_value();
    }));
    return events;
  }

 private:
  KernelPrograms programs_;
};

// Every system call, and a reader that throws all away.
class Capture : public Monitor {
 public:
  ~Capture() override {
    detach();
    ring_buffer__free(ring_);
    capture_bpf::destroy(programs_);
  }
  bool load() {
    programs_ = capture_bpf::open();
    if (programs_ == nullptr) return false;
    programs_->rodata->capture_reader = static_cast<uint32_t>(::getpid());
    if (capture_bpf::load(programs_) != 0) return false;
    ring_ = ring_buffer__new(bpf_map__fd(programs_->maps.capture_ring), count, this, nullptr);
    return ring_ != nullptr;
  }
  std::string description() const override {
    return "every system call, " + std::to_string(programs_->bss->capture_lost) + " events lost";
  }
  bool attach() override { return capture_bpf::attach(programs_) == 0; }
  void detach() override { capture_bpf::detach(programs_); }
  int poll_fd() const override { return ring_buffer__epoll_fd(ring_); }
  size_t consume() override {
    events_ = 0;
    ring_buffer__consume(ring_);
    return events_;
  }

 private:
  static int count(void* self, void*, size_t) {
    static_cast<Capture*>(self)->events_++;
    return 0;
  }
  capture_bpf* programs_ = nullptr;
  ring_buffer* ring_ = nullptr;
  size_t events_ = 0;
};

struct Workload {
  const char* name;
  const char* what;
  std::function<double()> run;  // In a child; how much was done, 0 where it failed.
};

// 0 where it cannot be started. Its standard output goes to `output`, or nowhere.
pid_t start_program(const std::vector<const char*>& arguments, int output = -1) {
  pid_t pid = 0;
  std::vector<char*> pointers;
  for (const char* argument : arguments) pointers.push_back(const_cast<char*>(argument));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  if (output < 0) {
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  } else {
    posix_spawn_file_actions_adddup2(&quiet, output, 1);
  }
  posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
  if (::posix_spawnp(&pid, pointers[0], &quiet, nullptr, pointers.data(), environ) != 0) pid = 0;
  posix_spawn_file_actions_destroy(&quiet);
  return pid;
}

bool run_program(const std::vector<const char*>& arguments) {
  int status = -1;
  const pid_t pid = start_program(arguments);
  return pid != 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

bool run_shell(const char* command) {
  return run_program({"/bin/sh", "-c", command});
}

bool open_loop() {
  for (int time = 0; time < 150'000; time++) {
    const int fd = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ::close(fd);
  }
  return true;
}

bool churn() {
  for (int time = 0; time < 150; time++) {
    if (!run_program({"/bin/true"})) return false;
  }
  return true;
}

// nginx with one worker, in a folder of its own; wrk with 16 connections is stopped after 0.3 s and
// says how many requests that were.
constexpr const char* kServer = R"(daemon off; user root; worker_processes 1; pid nginx.pid;
error_log /dev/null; events { worker_connections 64; }
http { access_log off; sendfile on; server { listen 127.0.0.1:8731; root .; } })";

double serve() {
  char folder[] = "/tmp/vigil-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr || ::chdir(folder) != 0) return 0;
  std::ofstream("nginx.conf") << kServer;
  std::ofstream("index.html") << std::string(4096, 'x');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(8731);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto is_up = [&] {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_taken =
        ::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(client);
    return is_taken;
  };
  if (is_up()) {
    std::fprintf(stderr, "http: something listens on port 8731 already\n");
    return 0;
  }
  const pid_t server = start_program({"/usr/sbin/nginx", "-p", folder, "-c", "nginx.conf"});
  bool is_ready = false;
  for (int attempt = 0; attempt < 500 && !is_ready; attempt++) {
    ::usleep(2000);
    is_ready = is_up();
  }
  int results[2] = {-1, -1};
  std::string said(4096, '\0');
  double requests = 0;
  if (is_ready && ::pipe2(results, O_CLOEXEC) == 0) {
    const pid_t load = start_program(
        {"wrk", "-t", "1", "-c", "16", "-d", "60", "http://127.0.0.1:8731/"}, results[1]);
    ::close(results[1]);
    ::usleep(300'000);
    ::kill(load, SIGINT);
    ::waitpid(load, nullptr, 0);
    said.resize(static_cast<size_t>(std::max<ssize_t>(::read(results[0], said.data(), 4096), 0)));
    // "  12345 requests in 300.12ms, 52.1MB read"
    const size_t end = said.find(" requests in");
    const size_t begin = end == std::string::npos ? end : said.rfind('\n', end);
    if (begin != std::string::npos) requests = std::atof(said.c_str() + begin);
  }
  ::kill(server, SIGQUIT);
  ::waitpid(server, nullptr, 0);
  std::error_code error;
  std::filesystem::remove_all(folder, error);
  return requests;
}

const Workload kWorkloads[] = {
    {"open", "150,000 times open and close of one file", open_loop},
    {"find", "find /usr/include -type f, and a byte of each read",
     [] { return run_shell("find /usr/include -type f -print0 | xargs -0 head -qc 1"); }},
    {"compile", "g++ -O1 of a file that includes <algorithm> and <string>",
     [] {
       return run_shell(
           "printf '#include <algorithm>\\n#include <string>\\nint main(){}' |"
           "g++ -O1 -x c++ -c -o /dev/null -");
     }},
    {"python", "python3 -c 'import json, http.client, email, sqlite3', three times",
     [] {
       return run_shell(
           "for i in 1 2 3; do /usr/bin/python3 -c "
           "'import json, http.client, email, sqlite3'; done");
     }},
    {"churn", "fork and exec of /bin/true, 150 times", churn},
    {"http", "nginx under wrk on the loopback, 16 connections, by the request", serve},
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double processor_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

struct Run {
  double workload = 0, reader = 0;
  size_t events = 0;
};

// The reader takes what comes, as the agent does.
Run measure(Monitor& monitor, const Workload& workload) {
  Run run;
  const double children = processor_seconds(RUSAGE_CHILDREN);
  const double self = processor_seconds(RUSAGE_SELF);
  int done[2] = {-1, -1};
  if (::pipe2(done, O_CLOEXEC) != 0) std::exit(1);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const double amount = workload.run();
    ::_exit(::write(done[1], &amount, sizeof amount) == sizeof amount ? 0 : 1);
  }
  const int end = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  pollfd waiting[] = {{end, POLLIN, 0}, {monitor.poll_fd(), POLLIN, 0}};
  do {
    ::poll(waiting, 2, -1);
    run.events += monitor.consume();
  } while (!(waiting[0].revents & POLLIN));
  ::close(end);
  int status = 0;
  ::waitpid(pid, &status, 0);
  double amount = 0;
  if (status != 0 || ::read(done[0], &amount, sizeof amount) != sizeof amount || amount <= 0) {
    std::fprintf(stderr, "%s: the work failed\n", workload.name);
    std::exit(1);
  }
  ::close(done[0]);
  ::close(done[1]);
  run.workload = (processor_seconds(RUSAGE_CHILDREN) - children) / amount;
  run.reader = (processor_seconds(RUSAGE_SELF) - self) / amount;
  return run;
}

void compare(Monitor& monitor, const Workload& workload, double within, int pairs_max) {
  std::vector<double> logs;
  double on_seconds = 0, reader_seconds = 0, mean = 0, half = 0;
  size_t events = 0;
  for (int pair = 0; pair < pairs_max; pair++) {
    Run runs[2];
    for (int turn = 0; turn < 2; turn++) {
      const bool is_on = (pair + turn) % 2 == 1;
      if (is_on && !monitor.attach()) std::exit(1);
      runs[is_on] = measure(monitor, workload);
      monitor.detach();
    }
    // The first pair warms caches.
    if (pair == 0) continue;
    logs.push_back(std::log(runs[1].workload / runs[0].workload));
    on_seconds += runs[1].workload;
    reader_seconds += runs[1].reader;
    events += runs[1].events;
    const auto count = static_cast<double>(logs.size());
    double sum = 0, squares = 0;
    for (const double value : logs) sum += value;
    mean = sum / count;
    for (const double value : logs) squares += (value - mean) * (value - mean);
    half = count < 30 ? 1 : 1.98 * std::sqrt(squares / (count - 1) / count);
    if (half < within) break;
  }
  const double low = std::exp(mean - half), high = std::exp(mean + half);
  std::printf("%-8s %.3f  [%.3f, %.3f] %4zu pairs  reader %.2f %%  %.0f events a run%s\n",
              workload.name, std::exp(mean), low, high, logs.size(),
              100 * reader_seconds / on_seconds,
              static_cast<double>(events) / static_cast<double>(logs.size()),
              low <= 1 && high >= 1 ? "  not distinguishable" : "");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  double within = 0.01;
  int pairs_max = 1000;
  bool is_capture = false;
  vigil::sensor::SourceOptions options;
  std::vector<std::string_view> wanted;
  for (int index = 1; index < argc; index++) {
    if (std::string_view(argv[index]) == "--within" && index + 1 < argc) {
      within = std::stod(argv[++index]) / 100;
    } else if (std::string_view(argv[index]) == "--pairs-max" && index + 1 < argc) {
      pairs_max = std::stoi(argv[++index]);
    } else if (std::string_view(argv[index]) == "--back-end" && index + 1 < argc) {
      options.back_end = argv[++index];
    } else if (std::string_view(argv[index]) == "--capture") {
      is_capture = true;
    } else {
      wanted.emplace_back(argv[index]);
    }
  }
  std::unique_ptr<Monitor> monitor;
  if (is_capture) {
    auto capture = std::make_unique<Capture>();
    if (!capture->load()) return 1;
    monitor = std::move(capture);
  } else {
    auto programs = KernelPrograms::load(options);
    if (!programs) {
      std::fprintf(stderr, "%s\n", programs.error().text().c_str());
      return 1;
    }
    monitor = std::make_unique<Sensor>(*std::move(programs));
  }
  std::printf("%s\n", monitor->description().c_str());
  monitor->detach();
  for (const Workload& workload : kWorkloads) {
    if (!wanted.empty() && std::ranges::find(wanted, workload.name) == wanted.end()) continue;
    std::printf("%s: %s\n", workload.name, workload.what);
    compare(*monitor, workload, within, pairs_max);
  }
  if (is_capture) std::printf("%s\n", monitor->description().c_str());
}
