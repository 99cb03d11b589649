#include "sensor/proc_reader.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/limits.h"
#include "sensor/wire_decode.h"

namespace vigil::sensor {

namespace {

constexpr std::string_view kStateListen = "0A";
constexpr std::string_view kStateClose = "07";  // Of UDP: no peer.

constexpr std::pair<std::string_view, Transport> kSocketTables[] = {{"net/tcp", Transport::kTcp},
                                                                    {"net/tcp6", Transport::kTcp},
                                                                    {"net/udp", Transport::kUdp},
                                                                    {"net/udp6", Transport::kUdp}};

template <typename T>
T number_of(std::string_view text, int base = 10) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

// The text's next word, which is taken off it.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(" \t"));
  text.remove_prefix(word.size());
  return word;
}

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::string_view status_field(std::string_view status, std::string_view name) {
  while (!status.empty()) {
    std::string_view line = next_line(status);
    if (!line.starts_with(name)) continue;
    line.remove_prefix(name.size());
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return line;
  }
  return "";
}

// Newlines in maps are written \012.
std::string unescaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("\\012")) {
      out += '\n';
      text.remove_prefix(4);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

// What /proc tells from the reader's root, from the process's: it may have changed its own.
std::string inside(std::string path, const std::string& root) {
  return !root.empty() && path.starts_with(root + "/") ? path.substr(root.size() + 1) : path;
}

void set_file(Event& event, uint64_t device, uint64_t inode) {
  event.file = {device, inode, device, inode, -1};
}

// "0100007F:1F90", words in the machine's order.
std::optional<std::pair<std::string, uint16_t>> socket_address(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  uint8_t bytes[16];
  for (size_t word = 0; word < colon / 8; word++) {
    const auto value = number_of<uint32_t>(text.substr(word * 8, 8), 16);
    std::memcpy(bytes + word * 4, &value, sizeof value);
  }
  char address[INET6_ADDRSTRLEN] = "";
  if (inet_ntop(colon == 8 ? AF_INET : AF_INET6, bytes, address, sizeof address) == nullptr) {
    return std::nullopt;
  }
  std::string_view shown = address;
  if (shown.starts_with("::ffff:") && shown.find('.') != std::string_view::npos) {
    shown.remove_prefix(7);
  }
  return std::pair(std::string(shown), number_of<uint16_t>(text.substr(colon + 1), 16));
}

std::string find_cgroup2() {
  const auto text = read_file("/proc/self/mounts", limits::kProcFileBytesMax);
  if (!text) return "";
  std::string_view rest = *text;
  while (!rest.empty()) {
    std::string_view line = next_line(rest);
    next_word(line);
    const std::string_view place = next_word(line);
    if (next_word(line) == "cgroup2") return std::string(place);
  }
  return "";
}

}  // namespace

std::vector<uint32_t> running_processes() {
  return ProcFolder().processes();
}

std::string executable_of(uint32_t pid) {
  return path_of_link(link_text(ProcFolder().path(pid, "exe"))).first;
}

std::string command_line(uint32_t pid) {
  return command_line_of(ProcFolder().text(pid, "cmdline"));
}

// 7f0c2a000000-7f0c2a026000 r-xp 00000000 fe:00 1131978   /usr/lib/…/libc.so.6 (deleted)
std::vector<CodeMapping> parse_maps(std::string_view text) {
  std::vector<CodeMapping> found;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    next_word(line);
    const std::string_view rights = next_word(line);
    next_word(line);
    const std::string_view device = next_word(line);
    const std::string_view inode = next_word(line);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const size_t colon = device.find(':');
    if (rights.size() < 3 || rights[2] != 'x' || !line.starts_with('/') ||
        colon == std::string_view::npos) {
      continue;
    }
    CodeMapping mapping;
    mapping.device = makedev(number_of<unsigned>(device.substr(0, colon), 16),
                             number_of<unsigned>(device.substr(colon + 1), 16));
    mapping.inode = number_of<uint64_t>(inode);
    std::tie(mapping.path, mapping.is_deleted) = path_of_link(unescaped(line));
    if (mapping.inode == 0 || std::ranges::find(found, mapping) != found.end()) continue;
    found.push_back(std::move(mapping));
  }
  return found;
}

//  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
//   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 21318 …
std::vector<ListeningSocket> parse_net_sockets(std::string_view text, Transport transport) {
  const std::string_view state = transport == Transport::kTcp ? kStateListen : kStateClose;
  std::vector<ListeningSocket> found;
  next_line(text);
  while (!text.empty()) {
    std::string_view line = next_line(text);
    next_word(line);
    const auto local = socket_address(next_word(line));
    const std::string_view peer = next_word(line);
    if (next_word(line) != state || !local || local->second == 0 || !peer.ends_with(":0000")) {
      continue;
    }
    for (int skipped = 0; skipped < 5; skipped++) next_word(line);
    found.push_back({number_of<uint64_t>(next_word(line)), local->first, local->second});
  }
  return found;
}

ProcReader::ProcReader(UnixNanoseconds boot_time)
    : boot_time_(boot_time), cgroup2_(find_cgroup2()) {}

std::optional<ProcessFacts> ProcReader::facts_of(uint32_t pid) const {
  ProcessFacts process;
  const std::string stat = proc_.text(pid, "stat");
  const size_t name_begin = stat.find('('), name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_begin >= name_end) {
    return std::nullopt;
  }
  process.pid = pid;
  process.name = stat.substr(name_begin + 1, name_end - name_begin - 1);
  std::string_view rest = std::string_view(stat).substr(name_end + 1);
  next_word(rest);  // State.
  process.parent_pid = number_of<uint32_t>(next_word(rest));
  process.started_at = process_start(start_of(stat), boot_time_);
  const std::string status = proc_.text(pid, "status");
  std::string_view uids = status_field(status, "Uid:");
  next_word(uids);
  process.uid = number_of<uint32_t>(next_word(uids));
  process.capabilities = number_of<uint64_t>(status_field(status, "CapEff:"), 16);
  process.mount_namespace = proc_.namespace_of(pid, "mnt");
  const std::string cgroups = proc_.text(pid, "cgroup");
  const std::string_view path = status_field(cgroups, "0::");
  struct stat folder{};
  if (!cgroup2_.empty() && !path.empty() &&
      ::stat((cgroup2_ + std::string(path)).c_str(), &folder) == 0) {
    process.cgroup_id = folder.st_ino;
  }
  process.executable = executable_of(pid);
  return process;
}

const std::vector<ListeningSocket>& ProcReader::sockets_of(uint32_t pid,
                                                           uint32_t network_namespace) {
  const auto [place, is_new] = sockets_.try_emplace(network_namespace);
  if (is_new) {
    for (const auto& [name, transport] : kSocketTables) {
      std::ranges::move(parse_net_sockets(proc_.text(pid, name), transport),
                        std::back_inserter(place->second));
    }
  }
  return place->second;
}

std::vector<Event> ProcReader::events_of(uint32_t pid) {
  std::vector<Event> events;
  Event event;
  event.is_snapshot = true;
  event.at = unix_now();
  struct stat status{};
  const std::string program = proc_.path(pid, "exe");
  if (::stat(program.c_str(), &status) != 0) return events;
  auto facts = facts_of(pid);
  if (!facts) return events;
  event.process = *std::move(facts);

  const std::string root = path_of_link(link_text(proc_.path(pid, "root"))).first;
  event.kind = EventKind::kExec;
  set_file(event, status.st_dev, status.st_ino);
  std::tie(event.path, event.is_deleted) = path_of_link(link_text(program));
  event.process.executable = event.path = inside(std::move(event.path), root);
  event.command_line = command_line(pid);
  events.push_back(event);
  event.command_line.clear();

  event.kind = EventKind::kMap;
  for (CodeMapping& mapping : parse_maps(proc_.text(pid, "maps"))) {
    set_file(event, mapping.device, mapping.inode);
    event.path = inside(std::move(mapping.path), root);
    event.is_deleted = mapping.is_deleted;
    events.push_back(event);
  }

  event.kind = EventKind::kOpen;
  std::vector<uint64_t> sockets;
  bool is_whole = true;
  const std::vector<uint32_t> descriptors =
      numbered_entries(proc_.path(pid, "fd"), limits::kProcessFilesMax, is_whole);
  if (!is_whole) {
    losses_.push_back({"more descriptors than are looked at", 1, event.process.cgroup_id});
  }
  for (const uint32_t fd : descriptors) {
    const std::string link = proc_.path(pid, "fd/" + std::to_string(fd));
    if (::stat(link.c_str(), &status) != 0) continue;
    if (S_ISSOCK(status.st_mode)) sockets.push_back(status.st_ino);
    const std::string target = S_ISREG(status.st_mode) ? link_text(link) : "";
    if (!target.starts_with('/') || target.starts_with("/proc/") || target.starts_with("/sys/")) {
      continue;
    }
    set_file(event, status.st_dev, status.st_ino);
    std::tie(event.path, event.is_deleted) = path_of_link(target);
    event.path = inside(std::move(event.path), root);
    events.push_back(event);
  }

  event.kind = EventKind::kListen;
  event.file = {};
  event.path.clear();
  event.is_deleted = false;
  if (sockets.empty()) return events;
  event.network_namespace = proc_.namespace_of(pid, "net");
  for (const ListeningSocket& socket : sockets_of(pid, event.network_namespace)) {
    if (std::ranges::find(sockets, socket.inode) == sockets.end()) continue;
    event.address = socket.address;
    event.port = socket.port;
    events.push_back(event);
  }
  return events;
}

}  // namespace vigil::sensor
