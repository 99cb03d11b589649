// The only error channel: Result<T>, Error and TRY.
//
// An operation that can fail returns Result<T>. An Error says what went wrong, where (its context,
// innermost first) and, in its message, what to do about it. It is logged once, by whoever does not
// return it. A bug of ours is CHECK (base/check.h); something that could not be seen is a Gap
// (model/sbom.h).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigil {

enum class ErrorCode : uint8_t {
  kNotFound,     // It is not there.
  kMalformed,    // It is there and does not follow its format.
  kTooLarge,     // It is past a bound of base/limits.h.
  kDenied,       // The system or a rule of ours refuses.
  kUnavailable,  // The system failed: disk, memory, network.
  kUnsupported,  // A known form that this program does not handle.
  kCancelled,    // Somebody asked us to stop.
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kUnavailable;
  std::string message;
  std::vector<std::string> context;  // Innermost first: "blob sha256:…", "image app.tar".

  // "app.tar: blob sha256:…: message".
  std::string text() const;
};

template <typename T>
using Result = std::expected<T, Error>;
using Status = std::expected<void, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message), {}});
}

// `what` failed with errno value `error_number`; the code is chosen from it.
std::unexpected<Error> fail_errno(std::string what, int error_number);

// Adds where the failure happened. Call it once per place that knows something new.
template <typename T>
Result<T> with_context(Result<T> result, std::string_view where) {
  if (!result) result.error().context.emplace_back(where);
  return result;
}

namespace internal {
template <typename T>
T take(Result<T>&& result) {
  return *std::move(result);
}
inline void take(Status&&) {}
}  // namespace internal

}  // namespace vigil

// The value of a Result, or return its error from the enclosing function. Stands alone: right of
// `=`, after `return`, or as a statement.
#define TRY(expression)                                                       \
  ({                                                                          \
    auto try_result_ = (expression);                                          \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    ::vigil::internal::take(std::move(try_result_));                          \
  })
