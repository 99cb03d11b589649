// The files of /proc that tell of one process, raw: for ContainerIndex and ProcReader. What is gone
// reads as "" or 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/event.h"

namespace vigil::sensor {

std::string link_text(const std::string& path);
// A path as the kernel prints it, without a leading slash, and whether its name is gone.
std::pair<std::string, bool> path_of_link(std::string_view text);
uint32_t namespace_number(std::string_view link);  // Of "mnt:[4026532177]".

class ProcFolder {
 public:
  explicit ProcFolder(std::string folder = "/proc") : folder_(std::move(folder)) {}

  std::string path(uint32_t pid, std::string_view name) const;
  std::string text(uint32_t pid, std::string_view name) const;
  uint32_t namespace_of(uint32_t pid, std::string_view kind) const;  // "mnt", "net".
  UnixNanoseconds started_at(uint32_t pid) const;
  std::vector<uint32_t> processes() const;

 private:
  std::string folder_;
};

// Field 22 of /proc/PID/stat, in nanoseconds since boot.
uint64_t start_of(std::string_view stat);

// Names of a folder's entries that are numbers, at most so many; `is_whole` says whether all are
// there.
std::vector<uint32_t> numbered_entries(const std::string& folder, size_t count_max, bool& is_whole);

UnixNanoseconds unix_now();
UnixNanoseconds boot_time();  // When the clock that counts suspended time began.

}  // namespace vigil::sensor
