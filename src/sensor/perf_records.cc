#include "sensor/perf_records.h"

#include <linux/perf_event.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <ctime>
#include <iterator>
#include <tuple>
#include <utility>

#include "base/limits.h"
#include "sensor/proc_folder.h"

namespace vigil::sensor {

namespace {

constexpr size_t kRingBytes = 256 << 10;  // Of each processor: a power of two.
constexpr int kProcessorsMax = 8192;      // As the kernel's largest builds.
constexpr const char* kOnlineList = "/sys/devices/system/cpu/online";

// What follows each record: perf_event_open(2), sample_id.
struct SampleId {
  uint32_t pid, tid;
  uint64_t time;
};

struct LifeRecord {  // Fork and exit.
  uint32_t pid, parent_pid, tid, parent_tid;
};
struct CommRecord {
  uint32_t pid, tid;
};
struct LostRecord {
  uint64_t id, count;
};
struct MapRecord {
  uint32_t pid, tid;
  uint64_t address, bytes, offset;
  uint32_t major, minor;
  uint64_t inode, generation;
  uint32_t protection, flags;
};
static_assert(sizeof(MapRecord) == 64);
struct NamespacesRecord {
  uint32_t pid, tid;
  uint64_t count;
};
struct Namespace {
  uint64_t device, inode;
};

size_t page_bytes() {
  return static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

// Takes a T off the front.
template <typename T>
std::optional<T> take(ByteView& bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes = bytes.subspan(sizeof value);
  return value;
}

std::string_view text_of(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  return text.substr(0, text.find('\0'));
}

bool decode_life(PerfRecord& record, ByteView body, uint16_t) {
  const auto life = take<LifeRecord>(body);
  if (!life || life->pid != life->tid) return false;
  record.pid = life->pid;
  record.parent_pid = life->parent_pid;
  return true;
}

bool decode_exec(PerfRecord& record, ByteView body, uint16_t flags) {
  const auto comm = take<CommRecord>(body);
  if (!comm || !(flags & PERF_RECORD_MISC_COMM_EXEC)) return false;
  record.pid = comm->pid;
  record.name = text_of(body);
  return true;
}

bool decode_map(PerfRecord& record, ByteView body, uint16_t) {
  const auto map = take<MapRecord>(body);
  // "//anon", "[vdso]": no file's.
  if (!map || map->inode == 0 || !(map->protection & PROT_EXEC)) return false;
  const std::string_view path = text_of(body);
  if (!path.starts_with('/') || path.starts_with("//")) return false;
  record.pid = map->pid;
  record.device = makedev(map->major, map->minor);
  record.inode = map->inode;
  std::tie(record.path, record.is_deleted) = path_of_link(path);
  return true;
}

bool decode_namespaces(PerfRecord& record, ByteView body, uint16_t) {
  const auto head = take<NamespacesRecord>(body);
  if (!head || head->count <= MNT_NS_INDEX) return false;
  std::optional<Namespace> mounts;
  for (size_t index = 0; index <= MNT_NS_INDEX; index++) mounts = take<Namespace>(body);
  if (!mounts) return false;
  record.pid = head->pid;
  record.mount_namespace = static_cast<uint32_t>(mounts->inode);
  return true;
}

bool decode_lost(PerfRecord& record, ByteView body, uint16_t) {
  const auto lost = take<LostRecord>(body);
  if (lost) record.lost = lost->count;
  return lost.has_value();
}

struct Decoder {
  uint32_t type;
  PerfRecord::Kind kind;
  bool (*decode)(PerfRecord& record, ByteView body, uint16_t flags);  // False: of no use here.
};
constexpr Decoder kDecoders[] = {
    {PERF_RECORD_FORK, PerfRecord::Kind::kFork, decode_life},
    {PERF_RECORD_EXIT, PerfRecord::Kind::kExit, decode_life},
    {PERF_RECORD_COMM, PerfRecord::Kind::kExec, decode_exec},
    {PERF_RECORD_NAMESPACES, PerfRecord::Kind::kNamespaces, decode_namespaces},
    {PERF_RECORD_MMAP2, PerfRecord::Kind::kMap, decode_map},
    {PERF_RECORD_LOST, PerfRecord::Kind::kLost, decode_lost},
};

}  // namespace

std::optional<PerfRecord> decode_perf(ByteView bytes) {
  ByteView body = bytes;
  const auto header = take<perf_event_header>(body);
  if (!header || header->size > bytes.size() ||
      header->size < sizeof(perf_event_header) + sizeof(SampleId)) {
    return std::nullopt;
  }
  ByteView tail = bytes.subspan(header->size - sizeof(SampleId), sizeof(SampleId));
  body = body.first(header->size - sizeof(perf_event_header) - sizeof(SampleId));
  const auto decoder = std::ranges::find(kDecoders, header->type, &Decoder::type);
  if (decoder == std::end(kDecoders)) return std::nullopt;
  PerfRecord record;
  record.kind = decoder->kind;
  record.at = static_cast<UnixNanoseconds>(take<SampleId>(tail)->time);
  if (!decoder->decode(record, body, header->misc)) return std::nullopt;
  return record;
}

std::set<int> parse_processors(std::string_view list) {
  std::set<int> processors;
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    const std::string_view range = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    int first = -1;
    const auto [rest, error] = std::from_chars(range.data(), range.data() + range.size(), first);
    if (error != std::errc() || first < 0) continue;
    int last = first;
    if (rest != range.data() + range.size() && *rest == '-') {
      std::from_chars(rest + 1, range.data() + range.size(), last);
    }
    last = std::min(last, kProcessorsMax - 1);
    for (int processor = first; processor <= last; processor++) processors.insert(processor);
  }
  return processors;
}

Result<PerfRings> PerfRings::open() {
  PerfRings rings;
  rings.epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!rings.epoll_.is_open()) return fail_errno("epoll_create1", errno);
  TRY(rings.follow_processors());
  return rings;
}

void PerfRings::Unmap::operator()(void* memory) const {
  ::munmap(memory, page_bytes() + kRingBytes);
}

Status PerfRings::open_ring(int processor) {
  perf_event_attr wanted{};
  wanted.size = sizeof wanted;
  wanted.type = PERF_TYPE_SOFTWARE;
  wanted.config = PERF_COUNT_SW_DUMMY;
  wanted.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME;
  wanted.sample_id_all = 1;
  wanted.exclude_kernel = 1;
  wanted.mmap = wanted.mmap2 = wanted.comm = wanted.comm_exec = wanted.task = 1;
  wanted.namespaces = 1;
  // The reader wakes at each record, to look at a process while it is there.
  wanted.watermark = 1;
  wanted.wakeup_watermark = 1;
  wanted.use_clockid = 1;
  wanted.clockid = CLOCK_REALTIME;
  Fd fd(static_cast<int>(
      ::syscall(SYS_perf_event_open, &wanted, -1, processor, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!fd.is_open() && errno == ENODEV) return {};  // It went offline again.
  if (!fd.is_open()) return fail_errno("perf_event_open", errno);
  void* memory =
      ::mmap(nullptr, page_bytes() + kRingBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return fail_errno("cannot map a ring of perf records", errno);
  Ring ring{std::move(fd), std::unique_ptr<void, Unmap>(memory)};
  epoll_event interest{};
  interest.events = EPOLLIN;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, ring.fd.get(), &interest) != 0) {
    return fail_errno("cannot wait for perf records", errno);
  }
  rings_.insert_or_assign(processor, std::move(ring));
  return {};
}

Result<size_t> PerfRings::follow_processors() {
  const std::string list = TRY(read_file(kOnlineList, limits::kProcFileBytesMax));
  if (list == online_) return 0;
  const std::set<int> online = parse_processors(list);
  std::erase_if(rings_, [&](const auto& one) { return !online.contains(one.first); });
  const size_t before = rings_.size();
  for (const int processor : online) {
    if (!rings_.contains(processor)) TRY(open_ring(processor));
  }
  online_ = list;
  return rings_.size() - before;
}

std::vector<PerfRecord> PerfRings::read() {
  std::vector<PerfRecord> records;
  std::vector<uint8_t> bytes;
  for (const auto& [processor, ring] : rings_) {
    auto* control = static_cast<perf_event_mmap_page*>(ring.memory.get());
    const auto* data = static_cast<const uint8_t*>(ring.memory.get()) + page_bytes();
    const uint64_t head = __atomic_load_n(&control->data_head, __ATOMIC_ACQUIRE);
    const uint64_t tail = control->data_tail;
    // In one piece: what wraps around the ring's end is put behind it.
    const size_t begin = tail % kRingBytes, count = head - tail;
    const size_t first = std::min(count, kRingBytes - begin);
    bytes.assign(data + begin, data + begin + first);
    bytes.insert(bytes.end(), data, data + (count - first));
    __atomic_store_n(&control->data_tail, head, __ATOMIC_RELEASE);
    for (ByteView rest = bytes; rest.size() >= sizeof(perf_event_header);) {
      perf_event_header header;
      std::memcpy(&header, rest.data(), sizeof header);
      if (header.size < sizeof header || header.size > rest.size()) break;
      if (auto record = decode_perf(rest.first(header.size))) records.push_back(*std::move(record));
      rest = rest.subspan(header.size);
    }
  }
  std::ranges::stable_sort(records, {}, &PerfRecord::at);
  return records;
}

}  // namespace vigil::sensor
