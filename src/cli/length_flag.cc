#include "cli/length_flag.h"

#include <charconv>
#include <string>

namespace vigil::cli {

Result<UnixNanoseconds> length_of(const Arguments& arguments, std::string_view flag,
                                  std::string_view fallback) {
  const std::string text = arguments.value(flag, fallback);
  int64_t count = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(parsed.ptr, text.data() + text.size());
  const int64_t seconds = unit == "s"   ? 1
                          : unit == "m" ? 60
                          : unit == "h" ? 3600
                          : unit == "d" ? 86400
                                        : 0;
  constexpr int64_t kDaysMax = 366;
  constexpr UnixNanoseconds kSecond = 1'000'000'000;
  if (parsed.ec != std::errc() || seconds == 0 || count < 0 || count > kDaysMax * 86400 / seconds) {
    return fail(ErrorCode::kMalformed, "--" + std::string(flag) + " '" + text +
                                           "': wants a length up to 366d, such as 24h, 90m or 7d");
  }
  return count * seconds * kSecond;
}

}  // namespace vigil::cli
