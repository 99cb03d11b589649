// Dates and instants as the field writes them: seconds since 1970 in UTC, RFC 3339 text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vigil {

// Seconds since 1970-01-01T00:00:00Z; 0 stands for "not known" wherever a date is optional.
using UnixSeconds = int64_t;

// Reads "2024-02-16", "2024-02-16T10:00:00Z", with fraction and offset; others: kMalformed.
Result<UnixSeconds> parse_time(std::string_view text);
// As above, 0 where it does not parse or lies before 1970 (feeds say 0001-01-01 for "not known").
UnixSeconds parse_time_or_zero(std::string_view text);
std::string format_date(UnixSeconds seconds);  // "2024-02-16", "" for 0.
std::string format_time(UnixSeconds seconds);  // "2024-02-16T10:00:00Z", "" for 0.
// A length for people, rounded: "0.3 s", "12 min", "26 h", "9 days".
std::string format_length(int64_t nanoseconds);

// Now, or SOURCE_DATE_EPOCH where `source_date_epoch` is not empty and a number
// (reproducible-builds.org/specs/source-date-epoch).
UnixSeconds current_time(std::string_view source_date_epoch);

}  // namespace vigil
