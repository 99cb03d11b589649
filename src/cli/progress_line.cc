#include "cli/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "report/format.h"

namespace vigil::cli {

namespace {

constexpr double kQuietSeconds = 0.5;
constexpr std::chrono::milliseconds kBetweenDraws(95);  // The ticks of a scan are 100 apart.
constexpr double kMegabyte = 1e6;

double megabytes(uint64_t bytes) {
  return static_cast<double>(bytes) / kMegabyte;
}

// "12 s", "3 min".
std::string duration_text(double seconds) {
  return seconds < 100 ? fmt::format("{:.0f} s", seconds) : fmt::format("{:.0f} min", seconds / 60);
}

// How many things and bytes of those that there are, how fast, and how long the rest takes.
struct Amounts {
  std::string_view things;
  uint64_t done = 0;
  uint64_t total = 0;
  uint64_t bytes_done = 0;
  uint64_t bytes_total = 0;
};

std::string left_text(double left, double rate) {
  return duration_text(std::min(left / std::max(rate, 1e-9), 1e6)) + " left";
}

// "layers 3/11, 410 of 1210 MB, 205 MB/s, 4 s left".
std::string amounts_text(const Amounts& amounts, double seconds) {
  const uint64_t bytes_done = std::min(amounts.bytes_done, amounts.bytes_total);
  std::string text = fmt::format("{} {}/{}, {:.0f} of {:.0f} MB", amounts.things,
                                 std::min(amounts.done, amounts.total), amounts.total,
                                 megabytes(bytes_done), megabytes(amounts.bytes_total));
  if (bytes_done == 0 || bytes_done == amounts.bytes_total) return text;
  const double rate = static_cast<double>(bytes_done) / std::max(seconds, 0.001);
  return text + fmt::format(", {:.0f} MB/s, {}", rate / kMegabyte,
                            left_text(static_cast<double>(amounts.bytes_total - bytes_done), rate));
}

// A terminal that takes no more is no reason to fail.
void write_line(const std::string& text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

bool ProgressLine::is_wanted(const Arguments& arguments) {
  return !arguments.has("quiet") && ::isatty(STDERR_FILENO) != 0 && environment("TERM") != "dumb";
}

double ProgressLine::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void ProgressLine::show(std::string_view text) {
  const Clock::time_point now = Clock::now();
  if (seconds() < kQuietSeconds || (is_drawn_ && now - drawn_at_ < kBetweenDraws)) return;
  winsize size = {};
  const bool has_size = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  std::string line = report::terminal_text(text);
  size_t end = std::min<size_t>(line.size(), has_size ? size.ws_col - 1 : 79);
  while (end < line.size() && end > 0 && (line[end] & 0xc0) == 0x80) --end;  // A whole character.
  line.resize(end);
  write_line("\r" + line + "\x1b[K");
  drawn_at_ = now;
  is_drawn_ = true;
}

void ProgressLine::erase() {
  if (is_drawn_) write_line("\r\x1b[K");
  is_drawn_ = false;
}

std::string progress_text(const WorkCounts& counts, double seconds) {
  std::string text = "Reading: ";
  if (counts.layers_total > 0) {
    text += amounts_text({.things = "layers",
                          .done = counts.layers_done,
                          .total = counts.layers_total,
                          .bytes_done = counts.bytes_done,
                          .bytes_total = counts.bytes_total},
                         seconds);
  } else {
    text += duration_text(seconds);
    if (counts.files_count > 0) {
      text +=
          fmt::format(", {} files, {:.0f} MB", counts.files_count, megabytes(counts.bytes_read));
    }
  }
  if (counts.packages_count > 0) text += fmt::format(", {} packages", counts.packages_count);
  return text;
}

std::string progress_text(const advisory::BuildProgress& progress, double seconds) {
  const std::string text = amounts_text({.things = "files",
                                         .done = progress.files_done,
                                         .total = progress.files_total,
                                         .bytes_done = progress.bytes_done,
                                         .bytes_total = progress.bytes_total},
                                        seconds);
  if (progress.path.empty()) return "Writing the shards of " + text;
  return "Reading feeds: " + text + ": " + std::string(progress.path);
}

std::string progress_text(const advisory::InstallProgress& progress, double seconds) {
  return "Fetching: " +
         amounts_text({.things = "shards",
                       .done = progress.shards_done,
                       .total = progress.shards_total,
                       .bytes_done = progress.bytes_done,
                       .bytes_total = progress.bytes_total},
                      seconds) +
         ": " + std::string(progress.shard);
}

std::string fetching_text(uint64_t files_count, uint64_t bytes, double seconds,
                          std::string_view path) {
  return fmt::format("Fetching: {} files, {:.0f} MB, {:.0f} MB/s: {}", files_count,
                     megabytes(bytes), megabytes(bytes) / std::max(seconds, 0.001), path);
}

std::string matching_text(uint64_t done, uint64_t total, double seconds) {
  done = std::min(done, total);
  std::string text = fmt::format("Matching: {} of {} packages", done, total);
  if (done == 0 || done == total) return text;
  const double rate = static_cast<double>(done) / std::max(seconds, 0.001);
  return text +
         fmt::format(", {:.0f}/s, {}", rate, left_text(static_cast<double>(total - done), rate));
}

std::function<void(const WorkCounts*)> scan_progress(const Arguments& arguments) {
  if (!ProgressLine::is_wanted(arguments)) return {};
  const auto line = std::make_shared<ProgressLine>();
  return [line](const WorkCounts* counts) {
    if (counts == nullptr) {
      line->erase();
    } else {
      line->show(progress_text(*counts, line->seconds()));
    }
  };
}

std::function<void(uint64_t, uint64_t)> match_progress(const Arguments& arguments) {
  if (!ProgressLine::is_wanted(arguments)) return {};
  // Made when matching begins: the time before it says nothing of its rate.
  const auto line = std::make_shared<std::optional<ProgressLine>>();
  return [line](uint64_t done, uint64_t total) {
    if (total == 0) {
      line->reset();
      return;
    }
    if (!line->has_value()) line->emplace();
    (*line)->show(matching_text(done, total, (*line)->seconds()));
  };
}

}  // namespace vigil::cli
