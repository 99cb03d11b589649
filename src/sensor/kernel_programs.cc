#include "sensor/kernel_programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/limits.h"
#include "bpf/sensor.skel.h"
#include "bpf/wire.h"
#include "sensor/kernel_features.h"
#include "sensor/kernel_program_table.h"

namespace vigil::sensor {

namespace {

constexpr long kTickNanoseconds = 100'000'000;

constexpr const char* kBlindUdp = "what UDP sockets send and receive is not seen";
constexpr const char* kBlindCompat =
    "files that 32-bit programs open, and what they load after their start, are not seen";
constexpr const char* kBlindEmpty =
    "files that are opened and not read, or mapped and not touched, are not seen";
constexpr const char* kBlindUnread =
    "incoming connections of which nothing is read, and those of MPTCP, are not seen";
constexpr const char* kBlindUncached =
    "reads past the page cache (tmpfs, O_DIRECT, DAX, some network file systems) are not seen";
constexpr const char* kBlindRingFiles =
    "files opened through io_uring into its own table of descriptors are not seen";

constexpr size_t kIteratorsCount = 3;

// libbpf complains here. Of the verifier's log only the end matters: it may have millions of lines.
thread_local std::string complaints;
constexpr size_t kComplaintBytesMax = 64 << 10;

int keep_complaint(libbpf_print_level level, const char* format, va_list arguments) {
  if (level != LIBBPF_WARN) return 0;
  char* text = nullptr;
  const int bytes = vasprintf(&text, format, arguments);
  if (bytes < 0) return 0;
  const std::string_view line(text, static_cast<size_t>(bytes));
  complaints += line.substr(line.size() - std::min(line.size(), kComplaintBytesMax));
  std::free(text);
  if (complaints.size() > kComplaintBytesMax) {
    complaints.erase(0, complaints.size() - kComplaintBytesMax);
  }
  return 0;
}

// What the verifier said last before it counted: ": R3 is not a scalar".
std::string verifier_word() {
  const size_t count = complaints.rfind("\nprocessed ");
  if (count == std::string::npos) return "";
  const size_t begin = complaints.rfind('\n', count - 1);
  return ": " + complaints.substr(begin + 1, count - begin - 1);
}

struct SkeletonCloser {
  void operator()(sensor_bpf* skeleton) const { sensor_bpf::destroy(skeleton); }
};
using Skeleton = std::unique_ptr<sensor_bpf, SkeletonCloser>;
struct LinkCloser {
  void operator()(bpf_link* link) const { bpf_link__destroy(link); }
};
using Link = std::unique_ptr<bpf_link, LinkCloser>;
struct RingCloser {
  void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
};
using Programs = std::vector<const ProgramFacts*>;

// The kernel refuses a ring that is not a power of two of pages.
uint32_t ring_bytes(uint64_t wanted) {
  const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  return static_cast<uint32_t>(std::bit_ceil(std::clamp<uint64_t>(wanted, page, 1u << 30)));
}

// Asking for the file system makes the kernel load its module, whose types the programs need.
void load_overlay_module() {
#ifdef SYS_fsopen
  const Fd asked(static_cast<int>(::syscall(SYS_fsopen, "overlay", 0u)));
#endif
}

bool is_kernel_before(int major, int minor) {
  utsname system{};
  int running_major = 0, running_minor = 0;
  ::uname(&system);
  std::sscanf(system.release, "%d.%d", &running_major, &running_minor);
  return std::pair(running_major, running_minor) < std::pair(major, minor);
}

Result<Skeleton> load_programs(const Programs& programs, const SourceOptions& options) {
  complaints.clear();
  libbpf_set_print(keep_complaint);
  Skeleton skeleton(sensor_bpf::open());
  if (!skeleton) return fail_errno("cannot open the programs", errno);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, skeleton->obj) {
    const std::string_view name = bpf_program__name(program);
    bpf_program__set_autoload(program, std::ranges::any_of(programs, [&](const auto* wanted) {
                                return name == wanted->name;
                              }));
  }
  const bool has_hooks = std::ranges::any_of(
      programs, [](const ProgramFacts* wanted) { return wanted->way == Way::kSocketHook; });
  bpf_map__set_autocreate(skeleton->maps.vigil_incoming, has_hooks);
  const uint32_t bytes = ring_bytes(options.ring_bytes);
  bpf_map__set_max_entries(skeleton->maps.vigil_ring, bytes);
  skeleton->rodata->vigil_wake_bytes = bytes / 8;
  if (::getrandom(&skeleton->rodata->vigil_seed, sizeof skeleton->rodata->vigil_seed, 0) < 0) {
    return fail_errno("cannot get a random number", errno);
  }
  skeleton->rodata->vigil_overlay_is_old = is_kernel_before(6, 5) ? 1 : 0;
  timespec tick{0, 4'000'000};
  ::clock_getres(CLOCK_MONOTONIC_COARSE, &tick);  // That clock moves with the kernel's ticks.
  skeleton->rodata->vigil_repeat_ticks =
      options.repeat_seconds * 1'000'000'000 / static_cast<uint64_t>(std::max(tick.tv_nsec, 1l));
  const int error = sensor_bpf::load(skeleton.get());
  if (error != 0) {
    auto refused = fail_errno("the kernel refuses the programs", -error);
    refused.error().message += verifier_word();
    return refused;
  }
  return skeleton;
}

constexpr std::pair<int, const char*> kCapabilities[] = {
    {CAP_BPF, "CAP_BPF"}, {CAP_PERFMON, "CAP_PERFMON"}, {CAP_SYS_ADMIN, "CAP_SYS_ADMIN"}};

// As the kernel says it, when this program is loaded alone; "" where it is taken.
std::string refusal(const ProgramFacts& program) {
  const auto skeleton = load_programs(
      {&program}, {.ring_bytes = 4096, .back_end = "", .recording = "", .ignored_pids = {}});
  return skeleton ? "" : skeleton.error().message;
}

// vigil_loss_key of bpf/maps.h.
struct LossKey {
  uint64_t cgroup_id = 0;
  uint64_t reason = 0;
};

}  // namespace

struct KernelPrograms::State {
  Skeleton skeleton;
  std::vector<Link> links;
  std::unique_ptr<ring_buffer, RingCloser> ring;
  Fd tick, epoll;
  Programs attached;
  std::vector<std::pair<const ProgramFacts*, std::string>> missing;
  std::string mounted;
  BackEnd back_end = kBackEnds[0];
  std::vector<std::pair<const BackEnd*, std::string>> passed_over;  // Better ones, and why.
  const std::function<void(ByteView)>* take = nullptr;
  size_t taken = 0;
  uint64_t counted = 0;
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> losses;  // Cgroup and reason.

  Status choose_and_attach(const SourceOptions& options);
  Status load_back_end(const KernelFeatures& features, const BackEnd& candidate,
                       const SourceOptions& options);
  Status attach();
  Status iterate(const ProgramFacts& iterator, uint32_t pid,
                 const std::function<void(ByteView)>& take_one);
  Status open_ring();
  static int take_record(void* context, void* data, size_t bytes);
};

Status KernelPrograms::State::choose_and_attach(const SourceOptions& options) {
  const KernelFeatures features;
  if (!features.has_types()) {
    return fail(ErrorCode::kUnsupported,
                std::string("this kernel does not describe its types (") + kKernelTypes + ")");
  }
  Error refused{ErrorCode::kNotFound, "there is no back end \"" + options.back_end + "\"", {}};
  for (const BackEnd& candidate : kBackEnds) {
    if (!options.back_end.empty() && options.back_end != candidate.name) continue;
    missing.clear();
    if (candidate.sockets == Way::kSocketCall && mounted.empty()) mounted = mount_tracefs();
    Status usable = load_back_end(features, candidate, options);
    if (usable) usable = open_ring();
    if (usable) usable = attach();
    if (usable) {
      back_end = candidate;
      return {};
    }
    links.clear();
    ring.reset();
    skeleton.reset();
    refused = usable.error();
    passed_over.emplace_back(&candidate, refused.message);
  }
  return std::unexpected(std::move(refused));
}

Status KernelPrograms::State::load_back_end(const KernelFeatures& features,
                                            const BackEnd& candidate,
                                            const SourceOptions& options) {
  // Loading everything takes longer than asking whether the kernel takes such programs at all.
  const auto first = std::ranges::find(kPrograms, candidate.files, &ProgramFacts::way);
  if (candidate.files != Way::kTracepoint && features.against(*first).empty()) {
    const std::string reason = refusal(*first);
    if (!reason.empty()) return fail(ErrorCode::kUnsupported, full_name(*first) + ": " + reason);
  }
  Programs wanted;
  const auto leave_out = [&](const ProgramFacts& program, std::string reason) -> Status {
    if (program.is_needed) {
      return fail(ErrorCode::kUnsupported, full_name(program) + ": " + reason);
    }
    missing.emplace_back(&program, std::move(reason));
    return {};
  };
  for (const ProgramFacts& program : kPrograms) {
    if (program.way != Way::kAny && program.way != candidate.files &&
        program.way != candidate.sockets) {
      continue;
    }
    const std::string reason = features.against(program);
    if (reason.empty()) {
      wanted.push_back(&program);
    } else {
      TRY(leave_out(program, reason));
    }
  }
  auto loaded = load_programs(wanted, options);
  if (!loaded) {
    // One that is refused takes all with it: find out which.
    Programs accepted;
    for (const ProgramFacts* program : wanted) {
      const std::string reason = refusal(*program);
      if (reason.empty()) {
        accepted.push_back(program);
      } else {
        TRY(leave_out(*program, reason));
      }
    }
    wanted = std::move(accepted);
    loaded = load_programs(wanted, options);
  }
  skeleton = TRY(std::move(loaded));
  attached = std::move(wanted);
  return {};
}

Status KernelPrograms::State::attach() {
  Programs done;
  const Fd cgroup = open_root_cgroup();
  for (const ProgramFacts* program : attached) {
    bpf_program* loaded = bpf_object__find_program_by_name(skeleton->obj, program->name);
    Link link(std::string_view(program->attaches).starts_with("cgroup/")
                  ? bpf_program__attach_cgroup(loaded, cgroup.get())
                  : bpf_program__attach(loaded));
    if (link) {
      links.push_back(std::move(link));
      done.push_back(program);
      continue;
    }
    const int error = errno;
    if (program->is_needed) return fail_errno("cannot attach " + full_name(*program), error);
    missing.emplace_back(program, std::string("cannot be attached: ") + std::strerror(error));
  }
  attached = std::move(done);
  return {};
}

int KernelPrograms::State::take_record(void* context, void* data, size_t bytes) {
  auto* state = static_cast<State*>(context);
  (*state->take)({static_cast<const uint8_t*>(data), bytes});
  return ++state->taken < limits::kBatchEventsMax ? 0 : -ECANCELED;
}

Status KernelPrograms::State::open_ring() {
  // There from the start, so that a loss always finds a count, however many workloads lose.
  for (uint64_t reason = 0; reason < VIGIL_WIRE_REASONS; ++reason) {
    const LossKey nobodys = {0, reason};
    const uint64_t none = 0;
    if (bpf_map_update_elem(bpf_map__fd(skeleton->maps.vigil_losses), &nobodys, &none, BPF_ANY) !=
        0) {
      return fail_errno("cannot count losses", errno);
    }
  }
  ring.reset(ring_buffer__new(bpf_map__fd(skeleton->maps.vigil_ring), take_record, this, nullptr));
  if (!ring) return fail_errno("cannot read the ring buffer", errno);
  tick = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  epoll = Fd(::epoll_create1(EPOLL_CLOEXEC));
  const itimerspec each{{0, kTickNanoseconds}, {0, kTickNanoseconds}};
  epoll_event interest{};
  interest.events = EPOLLIN;
  if (!tick.is_open() || !epoll.is_open() ||
      ::timerfd_settime(tick.get(), 0, &each, nullptr) != 0 ||
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, tick.get(), &interest) != 0 ||
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, ring_buffer__epoll_fd(ring.get()), &interest) != 0) {
    return fail_errno("cannot wait for events", errno);
  }
  return {};
}

KernelPrograms::KernelPrograms(std::unique_ptr<State> state) : state_(std::move(state)) {}
KernelPrograms::KernelPrograms(KernelPrograms&&) noexcept = default;
KernelPrograms& KernelPrograms::operator=(KernelPrograms&&) noexcept = default;
KernelPrograms::~KernelPrograms() = default;

Result<KernelPrograms> KernelPrograms::load(const SourceOptions& options) {
  auto state = std::make_unique<State>();
  load_overlay_module();
  TRY(state->choose_and_attach(options));
  return KernelPrograms(std::move(state));
}

void KernelPrograms::detach() {
  state_->links.clear();
}

Status KernelPrograms::attach() {
  return state_->attach();
}

Status KernelPrograms::consume(const std::function<void(ByteView)>& take) {
  uint64_t ticks = 0;
  if (::read(state_->tick.get(), &ticks, sizeof ticks) < 0 && errno != EAGAIN) {
    return fail_errno("cannot read the timer", errno);
  }
  state_->take = &take;
  state_->taken = 0;
  const int result = ring_buffer__consume(state_->ring.get());
  state_->take = nullptr;
  if (result < 0 && result != -ECANCELED) return fail_errno("cannot read the ring", -result);
  return {};
}

std::vector<Loss> KernelPrograms::new_losses() {
  // Arguments that could not be read are no event lost.
  constexpr std::array<const char*, VIGIL_WIRE_REASONS> kReasons = {
      "ring buffer full", "record overwritten while it was made", "path unreadable", nullptr,
      "connection not marked"};
  uint64_t count = 0;
  for (size_t reason = 0; reason < kReasons.size(); reason++) {
    if (kReasons[reason] != nullptr) {
      count += __atomic_load_n(&state_->skeleton->bss->vigil_counts[reason], __ATOMIC_ACQUIRE);
    }
  }
  std::vector<Loss> losses;
  if (count == state_->counted) return losses;
  state_->counted = count;
  LossKey key{}, next{};
  const int map = bpf_map__fd(state_->skeleton->maps.vigil_losses);
  const LossKey* previous = nullptr;
  while (bpf_map_get_next_key(map, previous, &next) == 0) {
    key = next;
    previous = &key;
    uint64_t value = 0;
    if (bpf_map_lookup_elem(map, &key, &value) != 0 || key.reason >= kReasons.size() ||
        kReasons[key.reason] == nullptr) {
      continue;
    }
    uint64_t& known = state_->losses[{key.cgroup_id, key.reason}];
    if (value > known) losses.push_back({kReasons[key.reason], value - known, key.cgroup_id});
    known = value;
  }
  return losses;
}

Result<bool> KernelPrograms::iterate(uint32_t pid, const std::function<void(ByteView)>& take) {
  Programs iterators;
  std::ranges::copy_if(state_->attached, std::back_inserter(iterators),
                       [](const ProgramFacts* program) { return is_iterator(*program); });
  if (iterators.size() != kIteratorsCount) return false;
  if (pid != 0 && is_kernel_before(6, 1)) return false;  // It would walk all processes.
  for (const ProgramFacts* iterator : iterators) {
    TRY(with_context(state_->iterate(*iterator, pid, take), full_name(*iterator)));
  }
  return true;
}

namespace {

// Hands over the whole records, each behind its length; returns how many bytes they took.
size_t take_records(const std::string& bytes, const std::function<void(ByteView)>& take_one) {
  size_t taken = 0;
  for (;;) {
    ByteReader reader(as_bytes(bytes).subspan(taken));
    const Result<uint32_t> size = reader.little<uint32_t>();
    if (!size) return taken;
    const Result<ByteView> record = reader.take(*size);
    if (!record) return taken;
    take_one(*record);
    taken += sizeof *size + *size;
  }
}

}  // namespace

Status KernelPrograms::State::iterate(const ProgramFacts& iterator, uint32_t pid,
                                      const std::function<void(ByteView)>& take_one) {
  bpf_iter_link_info which{};
  which.task.pid = pid;
  bpf_iter_attach_opts chosen{};
  chosen.sz = sizeof chosen;
  chosen.link_info = &which;
  chosen.link_info_len = sizeof which;
  bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, iterator.name);
  Link link(bpf_program__attach_iter(program, pid == 0 ? nullptr : &chosen));
  if (!link) return fail_errno("cannot be attached", errno);
  const Fd walk(bpf_iter_create(bpf_link__fd(link.get())));
  if (!walk.is_open()) return fail_errno("cannot be started", errno);
  std::string waiting;
  std::array<char, 64 << 10> block;
  for (;;) {
    const ssize_t bytes = ::read(walk.get(), block.data(), block.size());
    // EAGAIN: it has gone past a million objects of which there was nothing to say.
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (bytes < 0) return fail_errno("cannot be read", errno);
    if (bytes == 0) break;
    waiting.append(block.data(), static_cast<size_t>(bytes));
    waiting.erase(0, take_records(waiting, take_one));
  }
  if (!waiting.empty()) return fail(ErrorCode::kMalformed, "the last record is cut short");
  return {};
}

std::map<std::string, uint32_t> KernelPrograms::verified_instructions() const {
  std::map<std::string, uint32_t> counts;
  for (const ProgramFacts* program : state_->attached) {
    bpf_prog_info info{};
    uint32_t bytes = sizeof info;
    const int fd =
        bpf_program__fd(bpf_object__find_program_by_name(state_->skeleton->obj, program->name));
    if (bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0) counts[program->name] = info.verified_insns;
  }
  return counts;
}

Status KernelPrograms::ignore(uint32_t pid) {
  const uint8_t yes = 1;
  const int map = bpf_map__fd(state_->skeleton->maps.vigil_ignored);
  if (bpf_map_update_elem(map, &pid, &yes, BPF_ANY) != 0) {
    return fail_errno("cannot leave a process out", errno);
  }
  return {};
}

int KernelPrograms::poll_fd() const {
  return state_->epoll.get();
}

std::string KernelPrograms::description() const {
  std::string text = "bpf, files by ";
  text += state_->back_end.name;
  text += ", sockets by ";
  text += name_of(state_->back_end.sockets);
  text += ", " + std::to_string(state_->attached.size()) + " programs";
  std::set<std::string> reasons;
  for (const auto& [passed, reason] : state_->passed_over) {
    // With the same way to see files, it was for the sockets.
    const bool is_of_sockets = passed->files == state_->back_end.files;
    reasons.insert(std::string(is_of_sockets ? name_of(passed->sockets) : passed->name) +
                   " not used: " + reason);
  }
  for (const std::string& reason : reasons) text += "; " + reason;
  if (!state_->mounted.empty()) text += "; " + state_->mounted;
  return text;
}

std::vector<std::string> KernelPrograms::blind_spots() const {
  std::vector<std::string> spots = {kBlindUdp};
  if (state_->back_end.files == Way::kTracepoint) {
    spots.insert(spots.end(), {kBlindCompat, kBlindRingFiles});
  } else if (state_->back_end.files == Way::kPageCache) {
    spots.insert(spots.end(), {kBlindEmpty, kBlindUncached, kBlindRingFiles});
  }
  if (state_->back_end.sockets == Way::kSocketHook) spots.emplace_back(kBlindUnread);
  for (const auto& [program, reason] : state_->missing) {
    spots.push_back(std::string(program->otherwise) + " (" + program->attaches + ": " + reason +
                    ")");
  }
  return spots;
}

std::string KernelPrograms::program_for(EventKind kind) const {
  for (const ProgramFacts* program : state_->attached) {
    if (program->sees == kind && !is_iterator(*program)) return full_name(*program);
  }
  return "";
}

std::vector<Ability> probe_kernel_programs() {
  std::vector<Ability> rows;
  const auto add = [&](std::string name, std::string reason, const char* otherwise) {
    const bool is_available = reason.empty();
    rows.push_back(
        {std::move(name), is_available, std::move(reason), is_available ? "" : otherwise});
  };
  // As the sensor would do it, and undone below.
  const bool is_mounted_here = !mount_tracefs().empty();
  const KernelFeatures features;
  add(std::string("kernel types: ") + kKernelTypes, features.has_types() ? "" : "it is not there",
      "no program can be loaded");
  add(std::string("tracefs: ") + kTracing, has_tracefs() ? "" : "it is not mounted, and cannot be",
      "system calls are not seen");
  if (is_mounted_here) rows.back().otherwise = "it is not mounted; the sensor does that";
  add("ring buffer",
      libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, nullptr) == 1
          ? ""
          : "this kernel has none, or refuses it",
      "no event can be sent");
  for (const auto& [capability, name] : kCapabilities) {
    add(name, has_capability(capability) ? "" : "this process lacks it",
        "CAP_SYS_ADMIN is needed in its place");
  }
  struct statfs cgroups{};
  const bool has_cgroup2 =
      ::statfs("/sys/fs/cgroup", &cgroups) == 0 && cgroups.f_type == CGROUP2_SUPER_MAGIC;
  const bool is_hybrid = !has_cgroup2 && ::statfs("/sys/fs/cgroup/unified", &cgroups) == 0 &&
                         cgroups.f_type == CGROUP2_SUPER_MAGIC;
  add(is_hybrid ? "cgroup2, beside version 1" : "cgroup2",
      has_cgroup2 || is_hybrid ? "" : "only version 1 is mounted",
      "containers are told apart by mount namespace");
  std::map<Way, const char*> lost_ways;  // To what is done instead.
  for (const ProgramFacts& program : kPrograms) {
    std::string reason = features.against(program);
    if (reason.empty()) reason = refusal(program);
    if (!reason.empty() && program.is_needed) lost_ways.emplace(program.way, program.otherwise);
    // What a program adds to a way that is not gone is no loss.
    const auto lost = program.is_needed ? lost_ways.end() : lost_ways.find(program.way);
    add(std::string(to_string(program.sees)) + ": " + program.attaches, std::move(reason),
        lost == lost_ways.end() ? program.otherwise : lost->second);
  }
  if (is_mounted_here) ::umount2(kTracing, MNT_DETACH);
  return rows;
}

}  // namespace vigil::sensor
