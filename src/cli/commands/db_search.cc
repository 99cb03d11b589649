// db search: what the database says of a package, or of an id.
#include <algorithm>

#include "advisory/database.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "cli/database_flags.h"
#include "report/format.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {
    {"output", 'o', "FORMAT", "text (the default) or json."},
    {"shard", 0, "NAME", "Look into this shard only; may be repeated. 'debian-12', 'pypi', …"},
    kDbFlag,
    kKeyFlag,
};

// What publishers wrote, safe for a terminal.
std::string terminal_lines(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out += report::terminal_text(text.substr(0, end)) + "\n";
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

struct ShardAnswer {
  std::string shard;
  std::vector<Advisory> advisories;
};

std::string ranges_text(const Affected& affected) {
  std::string out;
  const auto add = [&](const std::string& part) { out += (out.empty() ? "" : ", or ") + part; };
  for (const AffectedRange& range : affected.ranges) {
    std::string one;
    const bool is_from_start = range.introduced.empty() || range.introduced == "0";
    if (!is_from_start) one = ">= " + range.introduced;
    if (!range.fixed.empty()) one += (one.empty() ? "< " : ", < ") + range.fixed;
    if (!range.last_affected.empty()) one += (one.empty() ? "<= " : ", <= ") + range.last_affected;
    add(one.empty() ? "all versions" : one);
  }
  if (!affected.versions.empty()) {
    constexpr size_t kShownMax = 5;
    std::string listed;
    for (size_t i = 0; i < std::min(affected.versions.size(), kShownMax); ++i) {
      listed += (i == 0 ? "" : " ") + affected.versions[i];
    }
    if (affected.versions.size() > kShownMax) {
      listed += " and " + std::to_string(affected.versions.size() - kShownMax) + " more";
    }
    add("one of " + listed);
  }
  return out;
}

// As JSON writes it: the shortest form.
std::string number_text(double number) {
  JsonWriter json;
  json.value(number);
  return json.take();
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string text_of(const Advisory& advisory) {
  std::string out = "  " + advisory.id;
  std::vector<std::string> others = advisory.cves;
  others.insert(others.end(), advisory.aliases.begin(), advisory.aliases.end());
  std::erase(others, advisory.id);
  if (!others.empty()) out += " (" + joined(others) + ")";
  out += "  " + advisory.source;
  if (!advisory.vendor_severity.empty()) out += ", " + advisory.vendor_severity;
  for (const Cvss& cvss : advisory.cvss) {
    out += ", CVSS " + cvss.version + " " + number_text(cvss.score);
  }
  if (advisory.published_at != 0) out += ", published " + format_date(advisory.published_at);
  if (advisory.is_withdrawn) out += ", withdrawn";
  out += "\n";
  for (const Affected& affected : advisory.affected) {
    out += "    " + affected.package + ": " + std::string(to_string(affected.state));
    const std::string ranges = ranges_text(affected);
    if (!ranges.empty()) out += " " + ranges;
    if (!affected.module.empty()) out += ", module " + affected.module;
    if (!affected.channel.empty()) out += ", channel " + affected.channel;
    if (!affected.arches.empty()) out += ", on " + joined(affected.arches);
    if (affected.fixed_at != 0) out += ", since " + format_date(affected.fixed_at);
    if (affected.notice != NoticeKind::kNone) out += ", " + std::string(to_string(affected.notice));
    out += "\n";
  }
  return out;
}

std::string text_of(const std::vector<ShardAnswer>& answers, const std::optional<CveFacts>& facts) {
  std::string out;
  if (facts) {
    out += facts->cve;
    if (facts->is_rejected) out += ", rejected";
    if (facts->published_at != 0) out += ", published " + format_date(facts->published_at);
    if (facts->epss >= 0) {
      out += ", EPSS " + number_text(facts->epss) + " (percentile " +
             number_text(facts->epss_percentile) + ")";
    }
    for (const Cvss& cvss : facts->cvss) {
      out += ", CVSS " + cvss.version + " " + number_text(cvss.score) + " by " + cvss.source;
    }
    if (facts->is_known_exploited) {
      out += ", known to be exploited since " + format_date(facts->known_exploited_at);
    }
    if (facts->is_ransomware_known) out += ", in ransomware campaigns";
    if (!facts->cwes.empty()) out += ", " + joined(facts->cwes);
    out += "\n";
  }
  for (const ShardAnswer& answer : answers) {
    out += answer.shard + "\n";
    for (const Advisory& advisory : answer.advisories) out += text_of(advisory);
  }
  return out;
}

void write_cvss(JsonWriter& json, const std::vector<Cvss>& list) {
  json.key("cvss").begin_array();
  for (const Cvss& cvss : list) {
    json.begin_object().member("version", cvss.version).member("vector", cvss.vector);
    json.member("score", cvss.score).member_if("source", cvss.source).end_object();
  }
  json.end_array();
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& list) {
  json.key(name).begin_array();
  for (const std::string& text : list) json.value(text);
  json.end_array();
}

void write_affected(JsonWriter& json, const Affected& affected) {
  json.begin_object().member("package", affected.package);
  json.member("state", to_string(affected.state)).key("ranges").begin_array();
  for (const AffectedRange& range : affected.ranges) {
    json.begin_object().member_if("introduced", range.introduced);
    json.member_if("fixed", range.fixed).member_if("last_affected", range.last_affected);
    json.end_object();
  }
  json.end_array();
  write_texts(json, "versions", affected.versions);
  json.member_if("fixed_at", format_time(affected.fixed_at));
  json.member_if("vendor_severity", affected.vendor_severity).member_if("module", affected.module);
  json.member_if("channel", affected.channel).member_if("repository", affected.repository);
  write_texts(json, "arches", affected.arches);
  json.member_if("notice", to_string(affected.notice)).end_object();
}

void write_advisory(JsonWriter& json, std::string_view shard, const Advisory& advisory) {
  json.begin_object().member("shard", shard).member("id", advisory.id);
  json.member("source", advisory.source);
  write_texts(json, "cves", advisory.cves);
  write_texts(json, "aliases", advisory.aliases);
  json.member_if("vendor_severity", advisory.vendor_severity);
  write_cvss(json, advisory.cvss);
  write_texts(json, "cwes", advisory.cwes);
  json.member_if("published_at", format_time(advisory.published_at));
  json.member_if("modified_at", format_time(advisory.modified_at));
  json.member("is_withdrawn", advisory.is_withdrawn).member_if("url", advisory.url);
  json.key("affected").begin_array();
  for (const Affected& affected : advisory.affected) write_affected(json, affected);
  json.end_array().end_object();
}

std::string json_of(const std::vector<ShardAnswer>& answers, const std::optional<CveFacts>& facts) {
  JsonWriter json;
  json.begin_object();
  if (facts) {
    json.key("facts").begin_object().member("cve", facts->cve);
    if (facts->epss >= 0) {
      json.member("epss", facts->epss).member("epss_percentile", facts->epss_percentile);
    }
    json.member("is_known_exploited", facts->is_known_exploited);
    json.member("is_ransomware_known", facts->is_ransomware_known);
    json.member_if("known_exploited_at", format_time(facts->known_exploited_at));
    json.member_if("published_at", format_time(facts->published_at));
    json.member("is_rejected", facts->is_rejected);
    write_cvss(json, facts->cvss);
    write_texts(json, "cwes", facts->cwes);
    json.end_object();
  }
  json.key("advisories").begin_array();
  for (const ShardAnswer& answer : answers) {
    for (const Advisory& advisory : answer.advisories) write_advisory(json, answer.shard, advisory);
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

// What a shard says of the word, as a package first.
Result<std::vector<Advisory>> look_up(const advisory::Shard& shard, const std::string& word) {
  // "debian-12" holds Debian's names, "pypi" those of PyPI.
  std::vector<Advisory> found = TRY(shard.find(normal_package_name(shard.name(), word)));
  if (!found.empty()) return found;
  return shard.find_id(word);
}

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.operands().size() != 1) {
    return fail(ErrorCode::kMalformed, "db search wants one package or id");
  }
  const std::string format = arguments.value("output", "text");
  if (format != "text" && format != "json") {
    return fail(ErrorCode::kMalformed, "-o " + format + ": db search writes text and json");
  }
  const std::string word = arguments.operands()[0];
  const advisory::OpenDatabaseOptions options = TRY(database_options(arguments));
  const std::unique_ptr<advisory::Database> database = TRY(advisory::open_database(options));
  std::vector<std::string> names = arguments.values("shard");
  if (names.empty()) names = database->shard_names();

  std::vector<Result<std::vector<Advisory>>> found(names.size());
  parallel_for(names.size(), 0, [&](size_t index) {
    const Result<const advisory::Shard*> shard = database->shard(names[index]);
    if (!shard) {
      found[index] = std::unexpected(shard.error());
    } else if (*shard == nullptr) {
      found[index] = fail(ErrorCode::kNotFound, "the database has no shard " + names[index]);
    } else {
      found[index] = look_up(**shard, word);
    }
  });
  std::vector<ShardAnswer> answers;
  bool is_whole = true;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!found[i]) {
      complain(found[i].error().text());
      is_whole = false;
    } else if (!found[i]->empty()) {
      answers.push_back({names[i], *std::move(found[i])});
    }
  }
  const std::optional<CveFacts> facts = TRY(database->facts(word));
  const std::string notice = database->use().notice;
  if (!notice.empty()) complain(notice);
  if (format == "json") {
    TRY(print(json_of(answers, facts)));
  } else {
    TRY(print(terminal_lines(text_of(answers, facts))));
    if (answers.empty() && !facts) complain("the database says nothing of " + word);
  }
  return is_whole ? ExitCode::kPassed : ExitCode::kFailed;
}

}  // namespace

extern const Command db_search_command;
const Command db_search_command = {
    .name = "db search",
    .operands = "PACKAGE|ID",
    .summary = "Show what the advisory database says of a package or an id.",
    .details =
        "A package is looked up by the name its advisories use: the source package of Debian and\n"
        "Ubuntu, the origin of Alpine, \"group:artifact\" of Maven. An id is a record's own, a "
        "CVE\n"
        "or an alias. Withdrawn records are shown by id only. Exit code 1 where a shard is "
        "damaged.",
    .flags = kFlags,
    .run = run,
};

}  // namespace vigil::cli
