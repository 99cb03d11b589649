// One line on the terminal that says how far work is, while it takes longer than a moment.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "advisory/db_builder.h"
#include "advisory/install.h"
#include "base/work_counts.h"
#include "cli/command.h"

namespace vigil::cli {

// Draws over itself on standard error, from half a second on and ten times a second at most; gone
// when it is destroyed. One thread at a time.
class ProgressLine {
 public:
  // False where standard error is no terminal that can, or with --quiet.
  static bool is_wanted(const Arguments& arguments);

  ~ProgressLine() { erase(); }
  void show(std::string_view text);
  void erase();
  double seconds() const;  // Since it was made.

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
  Clock::time_point drawn_at_;
  bool is_drawn_ = false;
};

// What the line says after `seconds` of work; whatever the counts are, it is one short line.
std::string progress_text(const WorkCounts& counts, double seconds);
std::string progress_text(const advisory::BuildProgress& progress, double seconds);
std::string progress_text(const advisory::InstallProgress& progress, double seconds);
// Of fetching feeds, whose number and size nobody knows before.
std::string fetching_text(uint64_t files_count, uint64_t bytes, double seconds,
                          std::string_view path);
// Of matching: how many of the packages are judged.
std::string matching_text(uint64_t done, uint64_t total, double seconds);

// For ScanOptions::progress and match_progress; empty where no line is wanted.
std::function<void(const WorkCounts*)> scan_progress(const Arguments& arguments);
std::function<void(uint64_t done, uint64_t total)> match_progress(const Arguments& arguments);

}  // namespace vigil::cli
