#include "sensor/proc_folder.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>

#include "base/file.h"
#include "base/limits.h"
#include "sensor/wire_decode.h"

namespace vigil::sensor {

namespace {

constexpr uint64_t kTickNanoseconds = 10'000'000;  // USER_HZ, the same everywhere.

template <typename T>
T number_of(std::string_view text) {
  T value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

std::string link_text(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t bytes = ::readlink(path.c_str(), target, sizeof target);
  return bytes <= 0 ? "" : std::string(target, static_cast<size_t>(bytes));
}

std::pair<std::string, bool> path_of_link(std::string_view text) {
  constexpr std::string_view kDeleted = " (deleted)";
  const bool is_deleted = text.ends_with(kDeleted);
  if (is_deleted) text.remove_suffix(kDeleted.size());
  text.remove_prefix(std::min(text.find_first_not_of('/'), text.size()));
  return {std::string(text), is_deleted};
}

std::string ProcFolder::path(uint32_t pid, std::string_view name) const {
  return folder_ + "/" + std::to_string(pid) + "/" + std::string(name);
}

std::string ProcFolder::text(uint32_t pid, std::string_view name) const {
  const auto text = read_file(path(pid, name), limits::kProcFileBytesMax);
  return text ? *text : "";
}

uint32_t namespace_number(std::string_view link) {
  const size_t begin = link.find('[');
  return begin == std::string_view::npos ? 0 : number_of<uint32_t>(link.substr(begin + 1));
}

uint32_t ProcFolder::namespace_of(uint32_t pid, std::string_view kind) const {
  return namespace_number(link_text(path(pid, "ns/" + std::string(kind))));
}

UnixNanoseconds ProcFolder::started_at(uint32_t pid) const {
  const uint64_t start = start_of(text(pid, "stat"));
  return start == 0 ? 0 : process_start(start, boot_time());
}

// The kernel has at most as many as kernel.pid_max, 4 million.
std::vector<uint32_t> ProcFolder::processes() const {
  bool is_whole = true;
  return numbered_entries(folder_, SIZE_MAX, is_whole);
}

// The name, in parentheses, may hold anything.
uint64_t start_of(std::string_view stat) {
  size_t at = stat.rfind(')');
  for (int field = 2; field < 22 && at != std::string_view::npos; ++field) {
    at = stat.find(' ', at + 1);
  }
  return at == std::string_view::npos ? 0
                                      : number_of<uint64_t>(stat.substr(at + 1)) * kTickNanoseconds;
}

std::vector<uint32_t> numbered_entries(const std::string& folder, size_t count_max,
                                       bool& is_whole) {
  std::vector<uint32_t> numbers;
  is_whole = true;
  DIR* directory = ::opendir(folder.c_str());
  if (directory == nullptr) return numbers;
  while (const dirent* entry = ::readdir(directory)) {
    const std::string_view name = entry->d_name;
    uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc() || end != name.data() + name.size()) continue;
    if (numbers.size() >= count_max) {
      is_whole = false;
      break;
    }
    numbers.push_back(number);
  }
  ::closedir(directory);
  return numbers;
}

UnixNanoseconds unix_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

UnixNanoseconds boot_time() {
  timespec since_boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  return unix_now() - (since_boot.tv_sec * 1'000'000'000 + since_boot.tv_nsec);
}

}  // namespace vigil::sensor
