#include "report/live_root_json.h"

#include <array>
#include <utility>

#include "base/limits.h"
#include "report/exposure_json.h"
#include "report/json_values.h"

namespace vigil::report {

namespace {

constexpr std::array kDrifts = {Drift::kAdded, Drift::kChanged, Drift::kRemoved};
static_assert(kDrifts.size() == kDriftKinds);

// As a finding has it: the index counts, the rest is there for the reader's comfort.
void write_package(JsonWriter& json, const Sbom& sbom, uint32_t index) {
  const Package& package = sbom.packages[index];
  json.key("package").begin_object().member("index", index).member("name", package.name);
  json.member_if("version", package.version).end_object();
}

// -1 where there is none.
Result<int64_t> read_package(JsonView view, size_t packages_count) {
  if (!view) return -1;
  const int64_t index = view["index"].integer(-1);
  if (index < 0 || static_cast<uint64_t>(index) >= packages_count) {
    return fail(ErrorCode::kMalformed, "package.index is no index of the document");
  }
  return index;
}

void write_packages(JsonWriter& json, const Report& report) {
  json.key("packages").begin_array();
  for (const PackageSinceStart& one : report.live_root->packages) {
    json.begin_object();
    write_package(json, report.sbom, one.package);
    json.member_if("image_version", one.image_version).end_object();
  }
  json.end_array().key("packages_removed").begin_array();
  for (const PackageRemoved& one : report.live_root->packages_removed) {
    json.begin_object().member("name", one.name).member_if("version", one.version);
    json.member_if("arch", one.arch).end_object();
  }
  json.end_array();
}

void write_findings(JsonWriter& json, std::string_view name,
                    const std::vector<FindingOfOne>& findings) {
  json.key(name).begin_array();
  for (const FindingOfOne& one : findings) {
    json.begin_object().member("id", one.id).member("package", one.package);
    json.member_if("version", one.version).member("severity", to_string(one.severity));
    json.end_object();
  }
  json.end_array();
}

Result<std::vector<FindingOfOne>> read_findings(JsonView view, std::string_view name) {
  return read_each<FindingOfOne>(view, name, [&](JsonView one) -> Result<FindingOfOne> {
    return FindingOfOne{
        .id = text_of(one["id"]),
        .package = text_of(one["package"]),
        .version = text_of(one["version"]),
        .severity = TRY(read_word(one["severity"], "severity", Severity::kCritical))};
  });
}

void write_drift(JsonWriter& json, const Report& report) {
  const LiveRoot& root = *report.live_root;
  json.key("drift").begin_object();
  for (const Drift drift : kDrifts) {
    json.member(to_string(drift), root.drift_counts[static_cast<size_t>(drift)]);
  }
  json.member("other_files", root.other_files_count).key("files").begin_array();
  for (const DriftedFile& one : root.drift) {
    json.begin_object().member("drift", to_string(one.drift)).member("path", one.path);
    if (one.package >= 0) write_package(json, report.sbom, static_cast<uint32_t>(one.package));
    json.member_if("digest", one.digest);
    if (one.drift != Drift::kRemoved) json.member("bytes", one.bytes);
    json.member_if("modified_at", format_time(one.modified_at)).end_object();
  }
  json.end_array().end_object();
}

void write_deleted(JsonWriter& json, const std::vector<DeletedCode>& deleted) {
  json.key("deleted_code").begin_array();
  for (const DeletedCode& one : deleted) {
    json.begin_object().member("path", one.path).member_if("package", one.package);
    json.member_if("version", one.version).member_if("image_version", one.image_version);
    json.key("processes").begin_array();
    for (const DeletedCode::Process& process : one.processes) {
      json.begin_object().member("pid", process.pid).member_if("name", process.name);
      json.member_if("command_line", process.command_line).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

Result<DriftedFile> read_drifted(JsonView view, size_t packages_count) {
  return DriftedFile{.drift = TRY(read_word(view["drift"], "drift", Drift::kRemoved)),
                     .path = text_of(view["path"]),
                     .package = TRY(read_package(view["package"], packages_count)),
                     .digest = text_of(view["digest"]),
                     .bytes = count_of(view["bytes"]),
                     .modified_at = parse_time_or_zero(view["modified_at"].text())};
}

Result<PackageSinceStart> read_since_start(JsonView view, size_t packages_count) {
  const int64_t index = TRY(read_package(view["package"], packages_count));
  if (index < 0) return fail(ErrorCode::kMalformed, "package is missing");
  return PackageSinceStart{static_cast<uint32_t>(index), text_of(view["image_version"])};
}

DeletedCode read_deleted(JsonView view) {
  DeletedCode deleted = {.path = text_of(view["path"]),
                         .package = text_of(view["package"]),
                         .version = text_of(view["version"]),
                         .image_version = text_of(view["image_version"]),
                         .processes = {}};
  view["processes"].each([&](JsonView one) {
    deleted.processes.push_back({static_cast<uint32_t>(count_of(one["pid"])), text_of(one["name"]),
                                 text_of(one["command_line"])});
  });
  return deleted;
}

}  // namespace

void write_live_root(JsonWriter& json, const Report& report) {
  const LiveRoot& root = *report.live_root;
  json.key("live_root").begin_object();
  write_workload(json, root.workload);
  json.member_if("not_compared", root.not_compared);
  write_packages(json, report);
  if (root.image_findings_count >= 0) {
    json.member("image_findings_count", root.image_findings_count);
    write_findings(json, "findings_come", root.findings_come);
    write_findings(json, "findings_gone", root.findings_gone);
  }
  write_drift(json, report);
  write_deleted(json, root.deleted);
  json.end_object();
}

Result<LiveRoot> read_live_root(JsonView view, size_t packages_count) {
  LiveRoot root;
  root.workload = TRY(read_workload(view["workload"]));
  root.not_compared = text_of(view["not_compared"]);
  root.packages = TRY(read_each<PackageSinceStart>(view["packages"], "packages", [&](JsonView one) {
    return read_since_start(one, packages_count);
  }));
  view["packages_removed"].each([&](JsonView one) {
    root.packages_removed.push_back(
        {text_of(one["name"]), text_of(one["version"]), text_of(one["arch"])});
  });
  root.image_findings_count = view["image_findings_count"].integer(-1);
  root.findings_come = TRY(read_findings(view["findings_come"], "findings_come"));
  root.findings_gone = TRY(read_findings(view["findings_gone"], "findings_gone"));
  const JsonView drift = view["drift"];
  for (const Drift kind : kDrifts) {
    root.drift_counts[static_cast<size_t>(kind)] = count_of(drift[to_string(kind)]);
  }
  root.other_files_count = count_of(drift["other_files"]);
  root.drift = TRY(read_each<DriftedFile>(drift["files"], "drift.files", [&](JsonView one) {
    return read_drifted(one, packages_count);
  }));
  view["deleted_code"].each([&](JsonView one) { root.deleted.push_back(read_deleted(one)); });
  return root;
}

}  // namespace vigil::report
