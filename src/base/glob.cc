#include "base/glob.h"

#include <string>
#include <vector>

#include "base/limits.h"

namespace vigil {

// From the text's end to its front, with one row for each place in it: row[p] says whether the
// pattern from p on fits the text from there on. Time and memory are bounded by the lengths, which
// a search that tries and goes back is not.
bool glob_matches(std::string_view pattern, std::string_view text) {
  if (pattern.find_first_of("*?") == std::string_view::npos) return pattern == text;
  const size_t end = pattern.size();
  std::vector<char> next(end + 1, false);  // The row of the next place.
  std::vector<char> row(end + 1, false);
  // For "**/" at p: whether what follows it fits after a slash further on.
  std::vector<char> after_slash(end + 1, false);
  for (size_t t = text.size() + 1; t-- > 0;) {
    const bool has_more = t < text.size();
    const bool is_slash = has_more && text[t] == '/';
    row[end] = !has_more;
    for (size_t p = end; p-- > 0;) {
      const std::string_view rest = pattern.substr(p);
      if (rest.starts_with("**/")) {
        after_slash[p] = after_slash[p] || (is_slash && next[p + 3]);
        row[p] = row[p + 3] || after_slash[p];
      } else if (rest.starts_with("**")) {
        row[p] = row[p + 2] || (has_more && next[p]);
      } else if (rest[0] == '*') {
        row[p] = row[p + 1] || (has_more && !is_slash && next[p]);
      } else {
        const bool fits = has_more && (rest[0] == '?' ? !is_slash : rest[0] == text[t]);
        row[p] = fits && next[p + 1];
      }
    }
    row.swap(next);
  }
  return next[0];
}

Status check_glob(std::string_view pattern) {
  if (pattern.size() > limits::kGlobBytesMax) {
    return fail(ErrorCode::kTooLarge, "a pattern longer than kGlobBytesMax");
  }
  if (pattern.find_first_of("[{\\") != std::string_view::npos) {
    return fail(ErrorCode::kUnsupported, "the pattern '" + std::string(pattern) +
                                             "' has [, { or \\, which mean nothing here; use *, ? "
                                             "and **, and one pattern for each alternative");
  }
  return {};
}

}  // namespace vigil
