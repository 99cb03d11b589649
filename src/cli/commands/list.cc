// list: the parts this program is made of, as tables.
#include <algorithm>

#include "advisory/feed.h"
#include "base/json.h"
#include "catalog/cataloger.h"
#include "cli/command.h"
#include "image/image.h"
#include "match/matcher.h"
#include "model/sbom.h"
#include "report/format.h"
#include "sensor/event_source.h"
#include "version/version.h"

namespace vigil::cli {

namespace {

struct Listing {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

std::string_view yes_or_no(bool value) {
  return value ? "yes" : "no";
}

std::string joined(std::string out, std::string_view more) {
  if (!out.empty()) out += ", ";
  return out += more;
}

Listing list_catalogers() {
  Listing out = {{"NAME", "VERSION", "DATABASES"}, {}};
  for (const catalog::Cataloger* one : catalog::all_catalogers()) {
    std::string databases;
    for (const image::Claim& claim : one->databases) databases = joined(databases, claim.text);
    out.rows.push_back({std::string(one->name), std::to_string(one->version), databases});
  }
  return out;
}

Listing list_feeds() {
  Listing out = {{"NAME", "COVERAGE", "EMBEDDABLE", "LICENCE", "FILES"}, {}};
  for (const advisory::Feed* one : advisory::all_feeds()) {
    std::string patterns;
    for (const std::string_view pattern : one->patterns) patterns = joined(patterns, pattern);
    out.rows.push_back({std::string(one->name), one->coverage.text(),
                        std::string(yes_or_no(one->is_embeddable)), std::string(one->licence),
                        patterns});
  }
  return out;
}

Listing list_formats() {
  Listing out = {{"NAME", "SCAN", "SBOM", "SUMMARY"}, {}};
  for (const report::Format* one : report::all_formats()) {
    out.rows.push_back(
        {std::string(one->name), std::string(yes_or_no(one->write_report != nullptr)),
         std::string(yes_or_no(one->write_sbom != nullptr)), std::string(one->summary)});
  }
  return out;
}

Listing list_matchers() {
  Listing out = {{"NAME", "PACKAGES"}, {}};
  for (const match::Matcher* one : match::all_matchers()) {
    out.rows.push_back({std::string(one->name), std::string(one->packages)});
  }
  return out;
}

Listing list_schemes() {
  Listing out = {{"NAME", "REFERENCE"}, {}};
  for (const version::Scheme* one : version::all_schemes()) {
    out.rows.push_back({std::string(one->name), std::string(one->reference)});
  }
  return out;
}

Listing list_sources() {
  Listing out = {{"PREFIX"}, {}};
  for (const image::ImageSource* one : image::all_sources()) {
    out.rows.push_back({std::string(one->prefix) + ":"});
  }
  for (const TargetKind kind : {TargetKind::kSbom, TargetKind::kPurl}) {
    out.rows.push_back({std::string(to_string(kind)) + ":"});
  }
  // Read as the root that it is.
  out.rows.push_back({"container:"});
  out.rows.push_back({"pid:"});
  return out;
}

Listing list_sensors() {
  Listing out = {{"NAME", "SUMMARY"}, {}};
  for (const sensor::EventSourceKind* one : sensor::all_event_sources()) {
    out.rows.push_back({std::string(one->name), std::string(one->summary)});
  }
  return out;
}

Listing list_commands() {
  Listing out = {{"NAME", "OPERANDS", "SUMMARY"}, {}};
  for (const Command* one : all_commands()) {
    out.rows.push_back(
        {std::string(one->name), std::string(one->operands), std::string(one->summary)});
  }
  return out;
}

struct Kind {
  std::string_view name;
  Listing (*list)();
};
constexpr Kind kKinds[] = {
    {"catalogers", list_catalogers}, {"commands", list_commands}, {"feeds", list_feeds},
    {"formats", list_formats},       {"matchers", list_matchers}, {"schemes", list_schemes},
    {"sensors", list_sensors},       {"sources", list_sources},
};

std::string as_table(const Listing& listing) {
  std::vector<size_t> widths;
  for (const std::string& column : listing.columns) widths.push_back(column.size());
  for (const auto& row : listing.rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  const auto add = [&](const std::vector<std::string>& row) {
    std::string line;
    size_t at = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      line.resize(at, ' ');
      line += row[i];
      at += widths[i] + 2;
    }
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  };
  add(listing.columns);
  for (const auto& row : listing.rows) add(row);
  return out;
}

std::string as_json(const Listing& listing) {
  JsonWriter json;
  json.begin_array();
  for (const auto& row : listing.rows) {
    json.begin_object();
    for (size_t i = 0; i < row.size(); ++i) {
      std::string key = listing.columns[i];
      std::ranges::transform(key, key.begin(), [](char c) { return static_cast<char>(c | 0x20); });
      json.member(key, row[i]);
    }
    json.end_object();
  }
  json.end_array();
  return json.take() + "\n";
}

Result<ExitCode> run(const Arguments& arguments) {
  const std::string format = arguments.value("output", "table");
  if (format != "table" && format != "json") {
    return fail(ErrorCode::kMalformed, "-o " + format + ": list writes table or json");
  }
  const std::string wanted = arguments.operands().size() == 1 ? arguments.operands()[0] : "";
  std::string names;
  for (const Kind& kind : kKinds) {
    if (kind.name == wanted) {
      const Listing listing = kind.list();
      TRY(print(format == "json" ? as_json(listing) : as_table(listing)));
      return ExitCode::kPassed;
    }
    names = joined(names, kind.name);
  }
  return fail(ErrorCode::kMalformed, "list wants one of: " + names);
}

constexpr Flag kFlags[] = {{"output", 'o', "FORMAT", "table (default) or json."}};

}  // namespace

extern const Command list_command;
const Command list_command = {
    .name = "list",
    .operands = "catalogers|commands|feeds|formats|matchers|schemes|sensors|sources",
    .summary = "List the parts of this program: what it reads, knows and writes.",
    .details = "",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
