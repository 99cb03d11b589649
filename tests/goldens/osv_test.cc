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

// The records of the Go feed as published, for what they say in custom_ranges.
class CustomRanges {
 public:
  explicit CustomRanges(const Ids& wanted) {
    JsonDocument document;
    const auto read = [&](std::string_view name, std::string_view content) -> Status {
      const size_t slash = name.rfind('/');
      if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
      if (!name.ends_with(".json")) return {};
      const std::string id(name.substr(0, name.size() - 5));
      if (!wanted.contains(id)) return {};
      const JsonView json = TRY(document.parse(content));
      json["affected"].each([&](JsonView affected) { add(id, affected); });
      return {};
    };
    EXPECT_TRUE(decode::each_member(feeds_path("osv/Go/all.zip"), read).has_value());
  }

  bool holds(const std::string& id, const std::string& module, std::string_view version) const {
    const auto found = ranges_.find({id, module});
    if (found == ranges_.end()) return false;
    const version::Scheme& scheme = *version::find_scheme("golang");
    return std::ranges::any_of(found->second, [&](const AffectedRange& range) {
      return version::in_range(scheme, version, range).value_or(false);
    });
  }

 private:
  void add(const std::string& id, JsonView affected) {
    std::vector<AffectedRange>& ranges =
        ranges_[{id, std::string(affected["package"]["name"].text())}];
    affected["ecosystem_specific"]["custom_ranges"].each([&](JsonView custom) {
      bool is_open = false;
      custom["events"].each([&](JsonView event) {
        if (event["introduced"]) {
          ranges.push_back({std::string(event["introduced"].text()), "", ""});
          is_open = true;
        } else if (event["fixed"] && is_open) {
          ranges.back().fixed = event["fixed"].text();
          is_open = false;
        } else if (event["last_affected"] && is_open) {
          ranges.back().last_affected = event["last_affected"].text();
          is_open = false;
        }
      });
    });
  }

  std::map<std::pair<std::string, std::string>, std::vector<AffectedRange>> ranges_;
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
  EXPECT_GT(questions.size(), 0u);
  Ids custom;
  for (const Question& one : questions)
    custom.insert(one.custom_range.begin(), one.custom_range.end());
  const CustomRanges ranges(custom);
  const std::vector<Answer> answers = answers_of(questions);
  size_t wrong = 0;
  for (size_t i = 0; i < questions.size(); ++i) {
    const Question& question = questions[i];
    Ids expected = question.ids;
    for (const std::string& id : question.custom_range) {
      expected.erase(id);
      if (ranges.holds(id, question.name, question.version)) expected.insert(id);
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
  EXPECT_GT(held, 0u);
}

}  // namespace
}  // namespace vigil::goldens
