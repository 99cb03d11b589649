#include "base/result.h"

#include <cerrno>
#include <cstring>
#include <ranges>

namespace vigil {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kMalformed:
      return "malformed";
    case ErrorCode::kTooLarge:
      return "too large";
    case ErrorCode::kDenied:
      return "denied";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

std::string Error::text() const {
  std::string out;
  for (const std::string& where : std::views::reverse(context)) {
    out += where;
    out += ": ";
  }
  return out + message;
}

std::unexpected<Error> fail_errno(std::string what, int error_number) {
  ErrorCode code = ErrorCode::kUnavailable;
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      code = ErrorCode::kNotFound;
      break;
    case EACCES:
    case EPERM:
    case ELOOP:
    case EXDEV:
    case EROFS:
      code = ErrorCode::kDenied;
      break;
    case EFBIG:
    case ENAMETOOLONG:
      code = ErrorCode::kTooLarge;
      break;
    default:
      break;
  }
  return fail(code, std::move(what) + ": " + std::strerror(error_number));
}

}  // namespace vigil
