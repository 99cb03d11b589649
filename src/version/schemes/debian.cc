// Debian and its derivatives: [epoch:]upstream[-revision], Debian Policy §5.6.12 and
// deb-version(7), as dpkg compares them. Runs of non-digits and of digits alternate; in the former
// '~' is below the end, the end below letters, letters below the rest. A missing revision equals
// "0". Other text: an epoch that is no number is part of the upstream version, and bytes without a
// place in the policy are above letters.
#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

struct DebianView {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;
};

DebianView read_debian(std::string_view text) {
  DebianView out;
  text = trimmed(text);
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && is_number(text.substr(0, colon))) {
    out.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const size_t hyphen = text.rfind('-');
  out.upstream = text.substr(0, hyphen);
  if (hyphen != std::string_view::npos) out.revision = text.substr(hyphen + 1);
  return out;
}

// The weight of the first character among non-digits; digits and the end weigh the same.
int weight(std::string_view text) {
  if (text.empty() || is_digit(text[0])) return 0;
  if (text[0] == '~') return -1;
  const int value = static_cast<unsigned char>(text[0]);
  return is_letter(text[0]) ? value : value + 256;
}

std::strong_ordering compare_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    while ((!a.empty() && !is_digit(a[0])) || (!b.empty() && !is_digit(b[0]))) {
      if (weight(a) != weight(b)) return weight(a) <=> weight(b);
      a.remove_prefix(1);  // Neither is at its end: only equal non-digits weigh the same here.
      b.remove_prefix(1);
    }
    const auto order = compare_numbers(take_digits(a), take_digits(b));
    if (order != 0) return order;
  }
  return std::strong_ordering::equal;
}

bool is_valid(std::string_view version) {
  const DebianView view = read_debian(version);
  const bool has_epoch = !view.epoch.empty();
  const bool has_revision = version.find('-') != std::string_view::npos;
  if (view.upstream.empty() || !is_digit(view.upstream[0])) return false;
  for (const char c : view.upstream) {
    const bool is_allowed =
        is_alnum(c) || c == '.' || c == '+' || c == '~' || c == '-' || (c == ':' && has_epoch);
    if (!is_allowed) return false;
  }
  for (const char c : view.revision) {
    if (!is_alnum(c) && c != '.' && c != '+' && c != '~') return false;
  }
  return !has_revision || !view.revision.empty();
}

std::strong_ordering compare_versions(std::string_view a, std::string_view b) {
  const DebianView left = read_debian(a);
  const DebianView right = read_debian(b);
  auto order = compare_numbers(left.epoch, right.epoch);
  if (order == 0) order = compare_part(left.upstream, right.upstream);
  return order != 0 ? order : compare_part(left.revision, right.revision);
}

}  // namespace

extern const Scheme debian_scheme;
const Scheme debian_scheme = {.name = "debian",
                              .reference = "Debian Policy §5.6.12, dpkg's deb-version(7)",
                              .is_valid = is_valid,
                              .compare = compare_versions};

}  // namespace vigil::version
