// db diff: what changed between two databases.
#include <fmt/format.h>

#include <algorithm>

#include "advisory/database_diff.h"
#include "base/json.h"
#include "cli/command.h"

namespace vigil::cli {

namespace {

using advisory::DatabaseDiff;
using advisory::RecordName;
using advisory::ShardDiff;

constexpr Flag kFlags[] = {
    {"output", 'o', "FORMAT", "table (default) or json."},
    {"ids", 0, "", "List the ids under the table: '+' added, '-' removed, '~' changed."},
};

std::string record_text(const RecordName& record) {
  return (record.source.empty() ? "" : record.source + " ") + record.id;
}

std::string table_of(const DatabaseDiff& diff, bool has_ids) {
  std::string out = fmt::format("serial {} of {} -> {} of {}\n", diff.before.serial,
                                format_time(diff.before.built_at), diff.after.serial,
                                format_time(diff.after.built_at));
  if (diff.before.epss_at != diff.after.epss_at) {
    const auto date = [](UnixSeconds at) { return at == 0 ? "none" : format_date(at); };
    out += "EPSS scores " + date(diff.before.epss_at) + " -> " + date(diff.after.epss_at) + "\n";
  }
  if (diff.shards.empty()) return out + "all shards are the same\n";
  size_t width = 5;
  for (const ShardDiff& shard : diff.shards) width = std::max(width, shard.name.size());
  out += fmt::format("{:{}} {:>10} {:>10} {:>10}\n", "SHARD", width, "ADDED", "REMOVED", "CHANGED");
  for (const ShardDiff& shard : diff.shards) {
    out += fmt::format("{:{}} {:>10} {:>10} {:>10}\n", shard.name, width, shard.added.size(),
                       shard.removed.size(), shard.changed.size());
  }
  for (const ShardDiff& shard : diff.shards) {
    if (shard.newly_exploited.empty()) continue;
    out += fmt::format("{} more CVEs are known to be exploited\n", shard.newly_exploited.size());
  }
  if (!has_ids) return out;
  for (const ShardDiff& shard : diff.shards) {
    const auto list = [&](char sign, const std::vector<RecordName>& records) {
      for (const RecordName& record : records) {
        out += fmt::format("{} {} {}\n", sign, shard.name, record_text(record));
      }
    };
    list('+', shard.added);
    list('-', shard.removed);
    list('~', shard.changed);
  }
  return out;
}

void add_database(JsonWriter& json, std::string_view key, const advisory::Manifest& manifest) {
  json.key(key).begin_object().member("serial", manifest.serial);
  json.member_if("built_at", format_time(manifest.built_at));
  json.member_if("epss_at", format_time(manifest.epss_at)).end_object();
}

std::string json_of(const DatabaseDiff& diff) {
  JsonWriter json;
  json.begin_object();
  add_database(json, "before", diff.before);
  add_database(json, "after", diff.after);
  json.key("shards").begin_array();
  for (const ShardDiff& shard : diff.shards) {
    const auto list = [&](std::string_view key, const std::vector<RecordName>& records) {
      json.key(key).begin_array();
      for (const RecordName& record : records) {
        json.begin_object().member_if("source", record.source);
        json.member("id", record.id).end_object();
      }
      json.end_array();
    };
    json.begin_object().member("name", shard.name);
    list("added", shard.added);
    list("removed", shard.removed);
    list("changed", shard.changed);
    json.key("newly_exploited").begin_array();
    for (const std::string& cve : shard.newly_exploited) json.value(cve);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<ExitCode> run(const Arguments& arguments) {
  const std::string format = arguments.value("output", "table");
  if (arguments.operands().size() != 2 || (format != "table" && format != "json")) {
    return fail(ErrorCode::kMalformed, "db diff wants two folders, and -o table or json");
  }
  const DatabaseDiff diff =
      TRY(advisory::diff_databases(arguments.operands()[0], arguments.operands()[1]));
  TRY(print(format == "json" ? json_of(diff) : table_of(diff, arguments.has("ids"))));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command db_diff_command;
const Command db_diff_command = {
    .name = "db diff",
    .operands = "OLD NEW",
    .summary = "Say which advisories differ between two databases.",
    .details =
        "OLD and NEW are folders of databases. For each shard that differs: how many records\n"
        "were added, removed and changed, by source and id; JSON lists the ids. EPSS scores are\n"
        "not compared, since nearly all change every day; their dates are shown.\n\n"
        "  vigil db diff /var/lib/vigil/db build --ids\n\n"
        "Exit code 0: compared, whatever differs; 1: one of them cannot be read.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
