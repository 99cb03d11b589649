#include "base/time.h"

#include <charconv>
#include <chrono>
#include <cstdio>

namespace vigil {

namespace {

// Two or four digits at the front of `text`, taken off; -1 where they are not there.
int take_digits(std::string_view& text, size_t count) {
  if (text.size() < count) return -1;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

// Seconds of "Z", "+01:00", "+0100", or nothing at all (UTC).
Result<int> take_offset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const int sign = text[0] == '-' ? -1 : 1;
  if (text[0] != '+' && text[0] != '-') return fail(ErrorCode::kMalformed, "not a time");
  text.remove_prefix(1);
  const int hours = take_digits(text, 2);
  take(text, ':');
  const int minutes = take_digits(text, 2);
  if (hours < 0 || minutes < 0 || !text.empty()) return fail(ErrorCode::kMalformed, "not a time");
  return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

Result<UnixSeconds> parse_time(std::string_view text) {
  const auto malformed = [] { return fail(ErrorCode::kMalformed, "not a date"); };
  const int year = take_digits(text, 4);
  if (!take(text, '-')) return malformed();
  const int month = take_digits(text, 2);
  if (!take(text, '-')) return malformed();
  const int day = take_digits(text, 2);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 0 || month < 0 || day < 0 || !date.ok()) return malformed();
  const UnixSeconds midnight =
      std::chrono::sys_days(date).time_since_epoch() / std::chrono::seconds(1);
  if (text.empty()) return midnight;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return malformed();
  const int hours = take_digits(text, 2);
  if (!take(text, ':')) return malformed();
  const int minutes = take_digits(text, 2);
  int seconds = 0;
  if (take(text, ':')) seconds = take_digits(text, 2);
  if (hours < 0 || hours > 24 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) {
    return malformed();
  }
  if (take(text, '.')) {
    while (!text.empty() && text[0] >= '0' && text[0] <= '9') text.remove_prefix(1);
  }
  const int offset = TRY(take_offset(text));
  return midnight + hours * 3600 + minutes * 60 + seconds - offset;
}

UnixSeconds parse_time_or_zero(std::string_view text) {
  const Result<UnixSeconds> parsed = parse_time(text);
  return parsed && *parsed > 0 ? *parsed : 0;
}

std::string format_date(UnixSeconds seconds) {
  return seconds == 0 ? "" : format_time(seconds).substr(0, 10);
}

std::string format_time(UnixSeconds seconds) {
  if (seconds == 0) return "";
  const std::chrono::sys_seconds instant{std::chrono::seconds(seconds)};
  const auto days = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(instant - days);
  char buffer[48];
  std::snprintf(buffer, sizeof(buffer), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return buffer;
}

std::string format_length(int64_t nanoseconds) {
  constexpr int64_t kSecond = 1'000'000'000;
  constexpr int64_t kMinute = 60 * kSecond;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  const auto rounded = [&](int64_t unit) {
    return std::to_string((nanoseconds + unit / 2) / unit);
  };
  if (nanoseconds < kMinute) {
    const int64_t tenths = (nanoseconds + kSecond / 20) / (kSecond / 10);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
  }
  if (nanoseconds < 2 * kHour - kMinute) return rounded(kMinute) + " min";
  if (nanoseconds < 3 * kDay) return rounded(kHour) + " h";
  return rounded(kDay) + " days";
}

UnixSeconds current_time(std::string_view source_date_epoch) {
  UnixSeconds fixed = 0;
  const auto parsed = std::from_chars(source_date_epoch.data(),
                                      source_date_epoch.data() + source_date_epoch.size(), fixed);
  if (!source_date_epoch.empty() && parsed.ec == std::errc() &&
      parsed.ptr == source_date_epoch.data() + source_date_epoch.size()) {
    return fixed;
  }
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace vigil
