#include "watch/json_lines.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/time.h"

namespace vigil::watch {

namespace {

void add_workload(JsonWriter& json, const Workload& workload) {
  json.key("workload").begin_object();
  json.member("id", workload.id).member("runtime", to_string(workload.runtime));
  json.member_if("name", workload.name).member_if("image", workload.image);
  json.member_if("image_digest", workload.image_digest).end_object();
}

void add_evidence(JsonWriter& json, const Evidence& evidence) {
  json.member("tier", to_string(evidence.tier)).member("path", evidence.path);
  json.key("facets").begin_array();
  for (const std::string_view facet : facet_names(evidence.facets)) json.value(facet);
  json.end_array();
  json.member("is_upper", evidence.file.layer == 0).member("is_deleted", evidence.is_deleted);
  json.member_if("digest", evidence.digest);
  json.key("process").begin_object();
  json.member("pid", evidence.process.pid).member("parent_pid", evidence.process.parent_pid);
  json.member("uid", evidence.process.uid).member_if("name", evidence.process.name);
  json.member_if("executable", evidence.process.executable);
  json.member_if("command_line", evidence.command_line).end_object();
  json.member("first_seen", time_text(evidence.first_seen));
}

}  // namespace

std::string time_text(UnixNanoseconds at) {
  std::string text = format_time(at / 1'000'000'000);
  if (text.empty()) return text;  // Not known.
  text.pop_back();
  return text + fmt::format(".{:03}Z", at / 1'000'000 % 1000);
}

std::string workload_line(const Workload& workload, Attach attach) {
  JsonWriter json(JsonWriter::Style::kCompact);
  json.begin_object().member("kind", "workload");
  add_workload(json, workload);
  json.member("attach", to_string(attach));
  json.member_if("started_at", time_text(workload.started_at));
  json.member_if("ended_at", time_text(workload.ended_at));
  json.member("init_pid", workload.init_pid).member_if("cgroup", workload.cgroup_path).end_object();
  return json.take();
}

std::string evidence_line(const Workload& workload, const Evidence& evidence) {
  JsonWriter json(JsonWriter::Style::kCompact);
  json.begin_object().member("kind", "evidence");
  add_workload(json, workload);
  add_evidence(json, evidence);
  json.end_object();
  return json.take();
}

std::string gap_line(std::string_view workload, const WatchGap& gap) {
  JsonWriter json(JsonWriter::Style::kCompact);
  json.begin_object().member("kind", "gap").member_if("workload", workload);
  json.member("from", time_text(gap.from));
  json.member_if("to", gap.to == kLasting ? "" : time_text(gap.to));
  json.member("reason", gap.reason).member("events_lost", gap.events_count).end_object();
  return json.take();
}

std::string change_line(const Workload& workload, const ChangeFacts& change,
                        const PackageExposure& exposure) {
  JsonWriter json(JsonWriter::Style::kCompact);
  json.begin_object().member("kind", change.is_new ? "affected" : "no_longer_affected");
  json.member("at", time_text(change.at)).member("id", change.id);
  json.key("package").begin_object().member("name", change.package);
  json.member("version", change.version).member_if("purl", change.purl).end_object();
  add_workload(json, workload);
  json.member("verdict", to_string(exposure.verdict)).member("tier", to_string(exposure.tier));
  json.member_if("reason", exposure.reason);
  json.key("facets").begin_array();
  for (const std::string_view facet : facet_names(exposure.facets)) json.value(facet);
  json.end_array();
  if (!exposure.evidence.empty()) {
    json.key("proof").begin_object();
    add_evidence(json, exposure.evidence.front());
    json.end_object();
  }
  json.end_object();
  return json.take();
}

}  // namespace vigil::watch
