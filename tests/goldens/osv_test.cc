// goldens/osv-scanner-matches.jsonl: what OSV-Scanner finds on the feeds here, record for record.
// goldens/osv-querybatch.jsonl: what api.osv.dev answered, as far as the feeds here hold the
// records.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "decode/archive.h"
#include "golden_database.h"
#include "match/match.h"
#include "match/matcher.h"

namespace vigil::goldens {
namespace {

using Ids = std::set<std::string>;

struct Question {
  std::string ecosystem;
  std::string name;
  std::string version;
  Ids ids;
  Ids informational;
  Ids custom_range;

  std::string text() const { return ecosystem + " " + name + " " + version; }
};

Ids strings_of(JsonView list) {
  Ids out;
  list.each([&](JsonView one) { out.emplace(one.text()); });
  return out;
}

std::vector<Question> read_questions(const std::string& path) {
  std::vector<Question> questions;
  const Result<std::string> text = read_file(path, limits::kDocumentBytesMax);
  EXPECT_TRUE(text.has_value());
  if (!text) return questions;
  std::string_view rest = *text;
  JsonDocument document;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const Result<JsonView> json = document.parse(line);
    EXPECT_TRUE(json.has_value());
    if (!json) continue;
    Question one;
    one.ecosystem = (*json)["ecosystem"].text();
    one.name = (*json)["name"].text();
    one.version = (*json)["version"].text();
    one.ids = strings_of((*json)["ids"]);
    one.ids.merge(strings_of((*json)["vulns"]));
    one.informational = strings_of((*json)["informational"]);
    one.custom_range = strings_of((*json)["custom_range"]);
    questions.push_back(std::move(one));
  }
  return questions;
}

// "Alpine:v3.17", "Ubuntu:20.04:LTS", "PyPI" as a package of ours.
Package package_of(const Question& question) {
  static const std::map<std::string, PackageKind, std::less<>> kKinds = {
      {"PyPI", PackageKind::kPypi},       {"crates.io", PackageKind::kCargo},
      {"Go", PackageKind::kGo},           {"Maven", PackageKind::kMaven},
      {"RubyGems", PackageKind::kGem},    {"npm", PackageKind::kNpm},
      {"NuGet", PackageKind::kNuget},     {"Packagist", PackageKind::kComposer},
      {"Hackage", PackageKind::kHackage}, {"SwiftURL", PackageKind::kSwift},
      {"Alpine", PackageKind::kApk},      {"Debian", PackageKind::kDeb},
      {"Ubuntu", PackageKind::kDeb},      {"openSUSE", PackageKind::kRpm},
  };
  Package package;
  const std::string_view ecosystem = question.ecosystem;
  const size_t colon = ecosystem.find(':');
  const auto kind = kKinds.find(ecosystem.substr(0, colon));
  if (kind != kKinds.end()) package.kind = kind->second;
  package.name = question.name;
  package.version = question.version;
  if (colon != std::string_view::npos) {
    std::string_view release = ecosystem.substr(colon + 1);
    release = release.substr(0, release.find(':'));
    if (release.starts_with('v')) release.remove_prefix(1);
    package.distro = std::string(ecosystem.substr(0, colon)) + "-" + std::string(release);
  }
  return package;
}

struct Answer {
  Ids records;
  Ids notices;
};

// Our answers, in the order of the questions.
std::vector<Answer> answers_of(const std::vector<Question>& questions) {
  Sbom sbom;
  for (const Question& question : questions) sbom.packages.push_back(package_of(question));
  std::vector<Answer> answers(questions.size());
  const Result<match::MatchOutput> output = match::match_sbom(sbom, *golden_database(), {});
  EXPECT_TRUE(output.has_value());
  if (!output) return answers;
  for (const Finding& finding : output->findings) {
    for (const MatchedAdvisory& record : finding.advisories) {
      answers[finding.package].records.insert(record.id);
    }
  }
  for (const Finding& notice : output->notices) {
    for (const MatchedAdvisory& record : notice.advisories) {
      answers[notice.package].notices.insert(record.id);
    }
  }
  return answers;
}

// A range as published, evaluated as the schema says: its events by version, each switching.
struct RawRange {
  std::vector<std::pair<std::string, std::string>> events;  // What, at which version.

  bool holds(const version::Scheme& scheme, std::string_view version) const {
    const auto at_least = [&](std::string_view a, std::string_view b) {
      return b == "0" || (a != "0" && scheme.compare(a, b) >= 0);
    };
    auto sorted = events;
    std::ranges::stable_sort(sorted, [&](const auto& a, const auto& b) {
      return at_least(b.second, a.second) && !at_least(a.second, b.second);
    });
    bool is_affected = false;
    for (const auto& [what, bound] : sorted) {
      if (!at_least(version, bound)) break;
      if (what == "introduced") is_affected = true;
      if (what == "fixed") is_affected = false;
      if (what == "last_affected" && version != bound) is_affected = false;
    }
    return is_affected;
  }
};

RawRange read_range(JsonView range) {
  RawRange out;
  range["events"].each([&](JsonView event) {
    event.each_member([&](std::string_view what, JsonView version) {
      out.events.emplace_back(what, version.text());
    });
  });
  return out;
}

// Calls `visit` for each affected entry of a feed as published.
void each_entry(const std::string& feed,
                FunctionRef<void(const std::string& id, JsonView affected)> visit) {
  JsonDocument document;
  const auto read = [&](std::string_view name, std::string_view content) -> Status {
    if (!name.ends_with(".json")) return {};
    const JsonView json = TRY(document.parse(content));
    const std::string id(json["id"].text());
    json["affected"].each([&](JsonView affected) { visit(id, affected); });
    return {};
  };
  EXPECT_TRUE(decode::each_member(feeds_path(feed), read).has_value());
}

using IdAndPackage = std::pair<std::string, std::string>;

bool any_holds(const std::vector<RawRange>& ranges, const version::Scheme& scheme,
               std::string_view version) {
  return std::ranges::any_of(ranges,
                             [&](const RawRange& range) { return range.holds(scheme, version); });
}

// A module of a Go record with custom_ranges.
struct CustomModule {
  std::vector<RawRange> ranges;
  std::vector<RawRange> custom;

  // Whether a version is in both. If one is, then one of the first versions is.
  bool do_meet(const version::Scheme& scheme) const {
    for (const std::vector<RawRange>* side : {&ranges, &custom}) {
      for (const RawRange& range : *side) {
        for (const auto& [what, bound] : range.events) {
          if (what != "introduced") continue;
          if (any_holds(ranges, scheme, bound) && any_holds(custom, scheme, bound)) return true;
        }
      }
    }
    return false;
  }
};

std::map<IdAndPackage, CustomModule> read_custom_modules() {
  std::map<IdAndPackage, CustomModule> out;
  each_entry("osv/Go/all.zip", [&](const std::string& id, JsonView affected) {
    const JsonView custom = affected["ecosystem_specific"]["custom_ranges"];
    if (custom.size() == 0) return;
    CustomModule& module = out[{id, std::string(affected["package"]["name"].text())}];
    custom.each([&](JsonView range) { module.custom.push_back(read_range(range)); });
    affected["ranges"].each([&](JsonView range) { module.ranges.push_back(read_range(range)); });
  });
  return out;
}

// OSV-Scanner reads nothing of a PyPI record past its first range of commits, only the listed
// versions, byte for byte. Two things that it passes over are found here, and why is no matter of
// taste: other answers beside the feeds have them.
//  - The list has the version in another spelling ("1.4" for "1.4.0"). api.osv.dev reports these
//    (goldens/osv-querybatch.jsonl: flask 1.0.0, idna 2.7.0), and so do Trivy and Grype.
//  - There is no list at all. Trivy and Grype report these (goldens/peers: octoprint 1.7.0).
class RecordsOfCommits {
 public:
  RecordsOfCommits() {
    each_entry("osv/PyPI/all.zip", [&](const std::string& id, JsonView affected) {
      const std::vector<JsonView> ranges = affected["ranges"].items();
      if (ranges.empty() || ranges[0]["type"].text() != "GIT") return;
      Entry& entry = entries_[{id, std::string(affected["package"]["name"].text())}];
      entry.versions = strings_of(affected["versions"]);
      for (const JsonView range : ranges) {
        if (range["type"].text() != "GIT") entry.ranges.push_back(read_range(range));
      }
    });
  }

  bool is_respelt(const std::string& id, const Question& question) const {
    const auto found = entries_.find({id, normal_package_name("pypi", question.name)});
    if (found == entries_.end() || found->second.versions.contains(question.version)) return false;
    const version::Scheme& scheme = *version::find_scheme("pypi");
    return std::ranges::any_of(found->second.versions, [&](const std::string& listed) {
      return scheme.is_valid(listed) && scheme.compare(listed, question.version) == 0;
    });
  }

  bool is_without_list(const std::string& id, const Question& question) const {
    const auto found = entries_.find({id, normal_package_name("pypi", question.name)});
    return found != entries_.end() && found->second.versions.empty() &&
           any_holds(found->second.ranges, *version::find_scheme("pypi"), question.version);
  }

 private:
  struct Entry {
    Ids versions;
    std::vector<RawRange> ranges;
  };
  std::map<IdAndPackage, Entry> entries_;
};

std::string joined(const Ids& ids) {
  std::string out;
  for (const std::string& id : ids) out += " " + id;
  return out;
}

TEST(OsvScannerTest, EveryRecordAndNothingBeside) {
  const std::string path = feeds_path("goldens/osv-scanner-matches.jsonl");
  if (path.empty()) GTEST_SKIP() << "goldens/osv-scanner-matches.jsonl is not here";
  ASSERT_NE(golden_database(), nullptr);
  const std::vector<Question> questions = read_questions(path);
  EXPECT_GE(questions.size(), 1853u);
  const std::map<IdAndPackage, CustomModule> modules = read_custom_modules();
  const version::Scheme& go = *version::find_scheme("go");
  const RecordsOfCommits commits;
  const std::vector<Answer> answers = answers_of(questions);
  size_t wrong = 0;
  std::set<std::string> respelt;
  std::set<std::string> without_list;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    Ids expected = question.ids;
    for (const std::string& id : question.custom_range) {
      // Some of these records have such ranges for their other modules only, and in some they do
      // not meet the ranges that OSV-Scanner reads, which then hold as well.
      const auto module = modules.find({id, question.name});
      const bool is_affected = module == modules.end() ||
                               any_holds(module->second.custom, go, question.version) ||
                               !module->second.do_meet(go);
      if (is_affected) expected.insert(id);
    }
    for (const std::string& id : answers[i].records) {
      if (expected.contains(id)) continue;
      const bool is_respelt = commits.is_respelt(id, question);
      if (is_respelt) respelt.insert(question.text());
      const bool is_without_list = commits.is_without_list(id, question);
      if (is_without_list) without_list.insert(question.text());
      if (is_respelt || is_without_list) expected.insert(id);
    }
    Ids missing;
    Ids extra;
    std::ranges::set_difference(expected, answers[i].records,
                                std::inserter(missing, missing.end()));
    std::ranges::set_difference(answers[i].records, expected, std::inserter(extra, extra.end()));
    const bool is_right =
        missing.empty() && extra.empty() && answers[i].notices == question.informational;
    if (is_right) continue;
    if (++wrong <= 20) {
      ADD_FAILURE() << question.text() << "\n  missing:" << joined(missing)
                    << "\n  beside:" << joined(extra)
                    << "\n  notices:" << joined(answers[i].notices)
                    << "\n  expected notices:" << joined(question.informational);
    }
  }
  EXPECT_EQ(wrong, 0u) << "of " << questions.size();
  EXPECT_EQ(respelt,
            (std::set<std::string>{"PyPI ansible 2.6rc1", "PyPI django 1.4.0", "PyPI mistune 0.8.0",
                                   "PyPI recurly 2.5", "PyPI salt 2017.7"}));
  EXPECT_EQ(without_list, (std::set<std::string>{"PyPI rdiffweb 2.0.1b2", "PyPI rdiffweb 2.0.3a5",
                                                 "PyPI rdiffweb 2.0.3a6", "PyPI rdiffweb 2.3.7"}));
}

// "ALPINE-CVE-2021-1" and "UBUNTU-CVE-2021-1" are OSV's names of what the feeds call CVE-2021-1.
std::string own_id(const std::string& id) {
  const size_t cve = id.find("CVE-");
  return cve == std::string::npos ? id : id.substr(cve);
}

// Whether a shard has a record of that id for the package.
bool is_held(const advisory::Database& database, const Package& package, const std::string& id) {
  const Distro distro = parse_distro(package.distro);
  const match::Matcher* matcher = match::find_matcher(package, distro);
  if (matcher == nullptr) return false;
  const match::Plan plan = matcher->plan(package, distro);
  const Result<const advisory::Shard*> shard = database.shard(plan.shard);
  if (!shard || *shard == nullptr) return false;
  for (const match::Lookup& lookup : plan.lookups) {
    const Result<std::vector<Advisory>> found = (*shard)->find(lookup.name);
    if (!found) return false;
    if (std::ranges::find(*found, id, &Advisory::id) != found->end()) return true;
  }
  return false;
}

TEST(OsvQueryTest, EveryRecordThatTheFeedsHold) {
  const std::string path = feeds_path("goldens/osv-querybatch.jsonl");
  if (path.empty()) GTEST_SKIP() << "goldens/osv-querybatch.jsonl is not here";
  ASSERT_NE(golden_database(), nullptr);
  const std::vector<Question> questions = read_questions(path);
  const std::vector<Answer> answers = answers_of(questions);
  size_t held = 0;
  size_t missing = 0;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Package package = package_of(questions[i]);
    for (const std::string& id : questions[i].ids) {
      if (!is_held(*golden_database(), package, own_id(id))) continue;
      ++held;
      if (answers[i].records.contains(own_id(id))) continue;
      ++missing;
      ADD_FAILURE() << questions[i].text() << " without " << id;
    }
  }
  EXPECT_EQ(missing, 0u) << "of " << held << " that the feeds hold";
  EXPECT_GE(held, 420u);
}

}  // namespace
}  // namespace vigil::goldens
