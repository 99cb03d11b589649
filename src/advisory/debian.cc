#include "advisory/debian.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "advisory/release_names.h"
#include "base/json.h"
#include "base/limits.h"
#include "version/version.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kSpaces = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t start = text.find_first_not_of(kSpaces);
  if (start == std::string_view::npos) return "";
  return text.substr(start, text.find_last_not_of(kSpaces) - start + 1);
}

// The first word, taken off the text; "" at its end.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  const size_t end = std::min(text.find_first_of(kSpaces), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

bool is_usable(std::string_view name, std::string_view version) {
  return !name.empty() && name.size() <= limits::kNameBytesMax &&
         version.size() <= limits::kVersionBytesMax;
}

Affected affected_source(std::string_view package, FixState state) {
  Affected affected;
  affected.package = package;
  affected.name_kind = NameKind::kSource;
  affected.state = state;
  // Not affected holds for all versions without a range; affected must say that it does.
  if (state != FixState::kNotAffected && state != FixState::kFixed) affected.ranges.push_back({});
  return affected;
}

// --- The tracker's JSON -----------------------------------------------------------------------

// An open issue that the security team will not fix by an advisory says why in nodsa_reason.
FixState open_state(JsonView release) {
  if (release["urgency"].text() == "end-of-life") return FixState::kEndOfLife;
  const std::string_view reason = release["nodsa_reason"].text();
  if (reason == "ignored") return FixState::kWillNotFix;
  if (reason == "postponed") return FixState::kFixDeferred;
  return FixState::kAffected;
}

// "Resolved" is said of what the release has: where the version named is later than that, as with a
// rebuild for the release (2.1~deb12u1 of unstable's 2.1), what it has is the one that is fixed.
std::string resolved_version(JsonView release, std::string_view fixed) {
  const version::Scheme& scheme = version::scheme_of(PackageKind::kDeb);
  std::string_view newest;
  release["repositories"].each_member([&](std::string_view, JsonView version) {
    const std::string_view one = version.text();
    if (one.size() > limits::kVersionBytesMax) return;
    if (newest.empty() || scheme.compare(one, newest) > 0) newest = one;
  });
  return std::string(newest.empty() || scheme.compare(fixed, newest) <= 0 ? fixed : newest);
}

std::optional<Affected> tracker_entry(std::string_view package, JsonView release,
                                      AdvisorySink& sink) {
  const std::string_view status = release["status"].text();
  const std::string_view fixed = release["fixed_version"].text();
  std::optional<Affected> affected;
  if (!is_usable(package, fixed)) {
    sink.skip("debian-tracker: a name or version that is not usable");
  } else if (status == "open") {
    affected = affected_source(package, open_state(release));
  } else if (status == "undetermined") {
    affected = affected_source(package, FixState::kUnderInvestigation);
  } else if (status == "resolved" && fixed == "0") {
    affected = affected_source(package, FixState::kNotAffected);
  } else if (status == "resolved" && !fixed.empty()) {
    affected = affected_source(package, FixState::kFixed);
    affected->ranges.push_back({"", resolved_version(release, fixed), ""});
  } else {
    sink.skip("debian-tracker: a status that is not known");
  }
  if (affected) affected->vendor_severity = release["urgency"].text();
  return affected;
}

// --- The lists of advisories ------------------------------------------------------------------

// One advisory of a list, as far as it is read.
struct ListEntry {
  std::string id;
  UnixSeconds published_at = 0;
  std::vector<std::string> cves;
  std::vector<std::string> aliases;
  std::map<std::string, std::vector<Affected>> affected;  // By shard.
};

// "[01 Apr 2023] DLA-3380-1 firmware-nonfree - security update"
std::optional<ListEntry> list_header(std::string_view line) {
  const size_t end = line.find(']');
  if (line.empty() || line[0] != '[' || end == std::string_view::npos) return std::nullopt;
  ListEntry entry;
  entry.published_at = parse_debian_date(line.substr(1, end - 1));
  line.remove_prefix(end + 1);
  entry.id = take_word(line);
  const bool is_id =
      entry.id.starts_with("DSA-") || entry.id.starts_with("DLA-") || entry.id.starts_with("DTSA-");
  if (!is_id || entry.id.size() > limits::kNameBytesMax) return std::nullopt;
  return entry;
}

// "{CVE-2023-1393 CVE-2023-1394 }"
void read_ids(std::string_view line, ListEntry& entry) {
  line.remove_prefix(1);
  line = line.substr(0, line.find('}'));
  for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
    std::vector<std::string>& ids = is_cve(word) ? entry.cves : entry.aliases;
    if (std::ranges::find(ids, word) == ids.end()) ids.emplace_back(word);
  }
}

std::optional<FixState> state_of_tag(std::string_view tag) {
  if (tag == "<not-affected>") return FixState::kNotAffected;
  if (tag == "<unfixed>" || tag == "<no-dsa>") return FixState::kAffected;
  if (tag == "<end-of-life>") return FixState::kEndOfLife;
  if (tag == "<ignored>") return FixState::kWillNotFix;
  if (tag == "<postponed>") return FixState::kFixDeferred;
  if (tag == "<undetermined>") return FixState::kUnderInvestigation;
  return std::nullopt;
}

// The urgency in "(bug #332424; medium)"; "" where there is none.
std::string_view urgency_of(std::string_view remark) {
  for (const std::string_view word : {"unimportant", "low", "medium", "high"}) {
    const size_t at = remark.find(word);
    if (at == std::string_view::npos || at == 0) continue;
    const char before = remark[at - 1];
    const size_t end = at + word.size();
    const char after = end < remark.size() ? remark[end] : '\0';
    if ((before == '(' || before == ' ') && (after == ')' || after == ';')) return word;
  }
  return "";
}

// "[bullseye] - xorg-server 2:1.20.11-1+deb11u6"; false where the line is something else.
bool read_fix(std::string_view line, ListEntry& entry, AdvisorySink& sink) {
  const size_t end = line.find(']');
  if (line.empty() || line[0] != '[' || end == std::string_view::npos) return false;
  const std::string shard = shard_of_codename(line.substr(1, end - 1));
  line.remove_prefix(end + 1);
  if (take_word(line) != "-") return false;
  const std::string_view package = take_word(line);
  const std::string_view version = take_word(line);
  if (version.empty() || !is_usable(package, version)) return false;
  if (shard.empty()) {
    sink.skip("debian-lists: a release that is not known");
    return true;
  }
  const std::optional<FixState> state =
      version[0] == '<' ? state_of_tag(version) : std::optional(FixState::kFixed);
  if (!state) return false;
  Affected affected = affected_source(package, *state);
  affected.vendor_severity = urgency_of(line);
  if (*state == FixState::kFixed) {
    affected.ranges.push_back({"", std::string(version), ""});
    affected.fixed_at = entry.published_at;
  }
  std::vector<Affected>& all = entry.affected[shard];
  const auto same = std::ranges::find(all, affected.package, &Affected::package);
  if (same == all.end()) {
    all.push_back(std::move(affected));
  } else if (same->state == FixState::kFixed && *state == FixState::kFixed) {
    same->ranges.push_back(affected.ranges[0]);  // Two versions of one package: any that holds.
  } else {
    sink.skip("debian-lists: a package named twice in one advisory");
  }
  return true;
}

// Puts what was read of one advisory out, once for each shard.
void add_entry(ListEntry& entry, std::set<std::string>& shards, AdvisorySink& sink) {
  if (entry.affected.empty()) sink.skip("debian-lists: an advisory that names no package");
  for (auto& [shard, affected] : entry.affected) {
    Advisory advisory;
    advisory.id = entry.id;
    advisory.cves = entry.cves;
    advisory.aliases = entry.aliases;
    advisory.source = "debian-lists";
    advisory.published_at = entry.published_at;
    advisory.affected = std::move(affected);
    shards.insert(shard);
    sink.add(shard, std::move(advisory));
  }
}

}  // namespace

UnixSeconds parse_debian_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int month = 0;
  std::string day;
  std::string year;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) {
    const auto name = std::ranges::find(kMonths, word.substr(0, 3));
    if (name != kMonths.end()) month = static_cast<int>(name - kMonths.begin()) + 1;
    const std::string digits(
        word.substr(0, std::min(word.find_first_not_of("0123456789"), word.size())));
    if (digits.size() == 4) year = digits;
    if (digits.size() == 1 || digits.size() == 2) day = digits;
  }
  if (month == 0 || year.empty() || day.empty()) return 0;
  const auto two_digits = [](const std::string& number) {
    return number.size() == 1 ? "0" + number : number;
  };
  return parse_time_or_zero(year + "-" + two_digits(std::to_string(month)) + "-" + two_digits(day));
}

Status add_debian_tracker(std::string_view text, const FeedFile& file, AdvisorySink& sink) {
  JsonDocument json;
  const JsonView root = TRY(json.parse(text));
  if (!root.is_object()) return fail(ErrorCode::kMalformed, "not the tracker's JSON");
  std::map<std::string, std::map<std::string, Advisory>> shards;
  std::map<std::string, std::string, std::less<>> shard_of;
  const auto add_release = [&](std::string_view package, std::string_view id,
                               std::string_view codename, JsonView release) {
    auto known = shard_of.find(codename);
    if (known == shard_of.end()) {
      known = shard_of.emplace(codename, shard_of_codename(codename)).first;
    }
    if (known->second.empty()) {
      sink.skip("debian-tracker: a release without a number");
      return;
    }
    std::optional<Affected> affected = tracker_entry(package, release, sink);
    if (!affected) return;
    Advisory& advisory = shards[known->second][std::string(id)];
    advisory.id = id;
    advisory.affected.push_back(*std::move(affected));
  };
  root.each_member([&](std::string_view package, JsonView ids) {
    ids.each_member([&](std::string_view id, JsonView record) {
      record["releases"].each_member([&](std::string_view codename, JsonView release) {
        add_release(package, id, codename, release);
      });
    });
  });
  for (auto& [shard, advisories] : shards) {
    sink.add_source(shard, "debian", file.coverage, file.as_of);
    for (auto& [id, advisory] : advisories) {
      advisory.source = "debian";
      if (is_cve(id)) advisory.cves.push_back(id);
      sink.add(shard, std::move(advisory));
    }
  }
  return {};
}

void add_debian_list(std::string_view text, const FeedFile& file, AdvisorySink& sink) {
  std::set<std::string> shards;
  std::optional<ListEntry> entry;
  UnixSeconds newest = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view content = trimmed(line);
    if (content.empty()) continue;
    // Only a header starts in the first column.
    std::optional<ListEntry> header = line[0] == '[' ? list_header(line) : std::nullopt;
    if (header) {
      if (entry) add_entry(*entry, shards, sink);
      entry = std::move(header);
      newest = std::max(newest, entry->published_at);
    } else if (content[0] == '{' && entry) {
      read_ids(content, *entry);
    } else if (content.starts_with("NOTE:")) {
      continue;
    } else if (!entry || !read_fix(content, *entry, sink)) {
      sink.skip("debian-lists: a line that is not understood");
    }
  }
  if (entry) add_entry(*entry, shards, sink);
  for (const std::string& shard : shards) {
    sink.add_source(shard, "debian-lists", file.coverage, file.as_of != 0 ? file.as_of : newest);
  }
}

}  // namespace vigil::advisory
