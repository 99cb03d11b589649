// rpm: [epoch:]version[-release], compared as rpm-version(7) says. Text between runs of letters and
// runs of digits only separates; '~' is below the end, '^' above the end and below everything else,
// letters are below digits. An epoch is digits before the first colon, else zero. A version without
// release is below the same version with any: what is not known to be rebuilt is not called fixed.
// Every text has its place, so there is no fallback.
#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

struct EvrView {
  std::string_view epoch;
  std::string_view version;
  std::string_view release;
  bool has_release = false;
};

EvrView read_evr(std::string_view text) {
  EvrView out;
  std::string_view rest = text;
  const std::string_view digits = take_digits(rest);
  if (take_char(rest, ':')) {
    out.epoch = digits;
    text = rest;
  }
  const size_t hyphen = text.rfind('-');
  out.version = text.substr(0, hyphen);
  out.has_release = hyphen != std::string_view::npos;
  if (out.has_release) out.release = text.substr(hyphen + 1);
  return out;
}

// rpmvercmp.
std::strong_ordering compare_part(std::string_view a, std::string_view b) {
  const auto is_separator = [](char c) { return !is_alnum(c) && c != '~' && c != '^'; };
  for (;;) {
    take_while(a, is_separator);
    take_while(b, is_separator);
    if (a.starts_with('~') || b.starts_with('~')) {
      if (!a.starts_with('~')) return std::strong_ordering::greater;
      if (!b.starts_with('~')) return std::strong_ordering::less;
    } else if (a.starts_with('^') || b.starts_with('^')) {
      if (a.empty()) return std::strong_ordering::less;
      if (b.empty()) return std::strong_ordering::greater;
      if (!a.starts_with('^')) return std::strong_ordering::greater;
      if (!b.starts_with('^')) return std::strong_ordering::less;
    } else {
      if (a.empty() || b.empty()) return !a.empty() <=> !b.empty();
      if (is_digit(a[0]) != is_digit(b[0])) return is_digit(a[0]) <=> is_digit(b[0]);
      const auto order = is_digit(a[0]) ? compare_numbers(take_digits(a), take_digits(b))
                                        : take_while(a, is_letter) <=> take_while(b, is_letter);
      if (order != 0) return order;
      continue;
    }
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
}

bool is_valid(std::string_view version) {
  const EvrView view = read_evr(version);
  if (view.version.empty() || (view.has_release && view.release.empty())) return false;
  for (const char c : version) {
    const bool is_allowed =
        is_alnum(c) || std::string_view("._+~^:-").find(c) != std::string_view::npos;
    if (!is_allowed) return false;
  }
  return view.version.find('-') == std::string_view::npos;
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const EvrView left = read_evr(a);
  const EvrView right = read_evr(b);
  auto order = compare_numbers(left.epoch, right.epoch);
  if (order == 0) order = compare_part(left.version, right.version);
  if (order == 0) order = left.has_release <=> right.has_release;
  return order != 0 ? order : compare_part(left.release, right.release);
}

}  // namespace

extern const Scheme redhat_scheme;
const Scheme redhat_scheme = {.name = "redhat",
                              .reference = "rpm-version(7), rpmvercmp",
                              .is_valid = is_valid,
                              .compare = compare_versions};

}  // namespace vigil::version
