// db status: which database is in use, from when, and what it covers.
#include <fmt/format.h>

#include <algorithm>

#include "advisory/database_source.h"
#include "base/json.h"
#include "cli/database_flags.h"

namespace vigil::cli {

namespace {

using advisory::DatabaseSource;
using advisory::Manifest;
using advisory::ManifestShard;
using advisory::ShardSource;

constexpr Flag kFlags[] = {
    kDbFlag, kKeyFlag, {"output", 'o', "FORMAT", "table (default) or json."}};

struct Shown {
  const DatabaseSource& source;
  std::string folder;  // "" is the starter.
  UnixSeconds now = 0;

  const Manifest& manifest() const { return source.manifest(); }
  bool is_expired() const { return manifest().expires_at != 0 && manifest().expires_at < now; }
  std::string signed_by() const {
    if (!source.signer().empty()) return "key " + source.signer();
    if (source.is_starter()) return "part of the program";
    return source.has_signatures() ? "no key that is trusted" : "nobody";
  }
};

std::string table_of(const Shown& shown) {
  const Manifest& manifest = shown.manifest();
  std::string out;
  const auto line = [&](std::string_view name, std::string_view value) {
    out += fmt::format("{:12} {}\n", name, value);
  };
  line("database", shown.folder.empty() ? "embedded starter" : shown.folder);
  line("serial", std::to_string(manifest.serial));
  const std::string built = manifest.built_at == 0 ? "unknown" : format_time(manifest.built_at);
  line("built", built + " by vigil " + manifest.tool_version);
  line("signed by", shown.signed_by());
  std::string expiry = manifest.expires_at == 0 ? "never" : format_time(manifest.expires_at);
  if (shown.is_expired()) expiry += ", which is past";
  line("expires", expiry);
  line("EPSS scores", manifest.epss_at == 0 ? "none" : format_date(manifest.epss_at));
  for (const std::string& damage : shown.source.damage()) line("damage", damage);

  size_t width = 5;
  size_t source_width = 6;
  for (const ManifestShard& shard : manifest.shards) {
    width = std::max(width, shard.name.size());
    for (const ShardSource& source : shard.sources) {
      source_width = std::max(source_width, source.name.size());
    }
  }
  out += fmt::format("\n{:{}} {:>9} {:>11}  {:{}} {:18} {}\n", "SHARD", width, "RECORDS", "BYTES",
                     "SOURCE", source_width, "COVERAGE", "AS OF");
  uint64_t bytes = 0;
  for (const ManifestShard& shard : manifest.shards) {
    bytes += shard.bytes;
    std::string front =
        fmt::format("{:{}} {:>9} {:>11}", shard.name, width, shard.records_count, shard.bytes);
    if (shard.sources.empty()) out += front + "\n";
    for (const ShardSource& source : shard.sources) {
      out += fmt::format("{}  {:{}} {:18} {}\n", front, source.name, source_width,
                         source.coverage.text(),
                         source.as_of == 0 ? "unknown" : format_date(source.as_of));
      front.assign(front.size(), ' ');  // Further sources of the same shard.
    }
  }
  return out + fmt::format("\n{} shards, {} bytes\n", manifest.shards.size(), bytes);
}

std::string json_of(const Shown& shown) {
  const Manifest& manifest = shown.manifest();
  JsonWriter json;
  json.begin_object();
  json.member("path", shown.folder.empty() ? "embedded starter" : shown.folder);
  json.member("is_starter", shown.source.is_starter()).member("serial", manifest.serial);
  json.member_if("built_at", format_time(manifest.built_at));
  json.member("tool_version", manifest.tool_version);
  json.member("is_signed", !shown.source.signer().empty());
  json.member_if("signer", shown.source.signer());
  json.member_if("expires_at", format_time(manifest.expires_at));
  json.member("is_expired", shown.is_expired());
  json.member_if("epss_at", format_time(manifest.epss_at));
  json.key("damage").begin_array();
  for (const std::string& damage : shown.source.damage()) json.value(damage);
  json.end_array().key("shards").begin_array();
  for (const ManifestShard& shard : manifest.shards) {
    json.begin_object().member("name", shard.name).member("digest", shard.digest);
    json.member("bytes", shard.bytes).member("records_count", shard.records_count);
    json.key("sources").begin_array();
    for (const ShardSource& source : shard.sources) {
      json.begin_object().member("name", source.name);
      json.member("coverage", source.coverage.text());
      json.member_if("as_of", format_time(source.as_of)).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array().key("attributions").begin_array();
  for (const std::string& text : manifest.attributions) json.value(text);
  json.end_array().key("licences").begin_array();
  for (const std::string& text : manifest.licences) json.value(text);
  json.end_array().end_object();
  return json.take() + "\n";
}

Result<ExitCode> run(const Arguments& arguments) {
  const std::string format = arguments.value("output", "table");
  if (!arguments.operands().empty() || (format != "table" && format != "json")) {
    return fail(ErrorCode::kMalformed, "db status takes no operand, and -o table or json");
  }
  const std::string folder = TRY(database_options(arguments)).folder;
  const std::vector<advisory::PublicKey> keys = TRY(trusted_keys(arguments));
  const DatabaseSource source = TRY(DatabaseSource::open(folder, keys));
  const Shown shown{.source = source, .folder = folder, .now = now()};
  TRY(print(format == "json" ? json_of(shown) : table_of(shown)));
  return source.damage().empty() ? ExitCode::kPassed : ExitCode::kFailed;
}

}  // namespace

extern const Command db_status_command;
const Command db_status_command = {
    .name = "db status",
    .operands = "",
    .summary = "Say which advisory database is in use, and what it covers.",
    .details =
        "Where the database is, its serial, from when it is, who signed it, when it expires, and\n"
        "for each shard its sources with their coverage and date. A shard that is missing or has\n"
        "another size is named as damage; 'vigil db verify' looks at every byte. JSON holds the\n"
        "attributions and licences of the sources too.\n\n"
        "Exit code 0: a database is there; 1: none can be opened, or it is damaged.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
