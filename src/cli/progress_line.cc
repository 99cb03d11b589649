#include "cli/progress_line.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

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

std::string layers_text(const WorkCounts& counts, double seconds) {
  const uint64_t bytes_done = std::min(counts.bytes_done, counts.bytes_total);
  std::string text = fmt::format(
      "layers {}/{}, {:.0f} of {:.0f} MB", std::min(counts.layers_done, counts.layers_total),
      counts.layers_total, megabytes(bytes_done), megabytes(counts.bytes_total));
  const double rate = static_cast<double>(bytes_done) / std::max(seconds, 0.001);
  if (bytes_done > 0 && bytes_done < counts.bytes_total) {
    const double left = static_cast<double>(counts.bytes_total - bytes_done) / rate;
    text +=
        fmt::format(", {:.0f} MB/s, {} left", rate / kMegabyte, duration_text(std::min(left, 1e6)));
  }
  return text;
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
    text += layers_text(counts, seconds);
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

}  // namespace vigil::cli
