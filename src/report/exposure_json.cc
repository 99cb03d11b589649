#include "report/exposure_json.h"

#include <fmt/format.h>

#include <charconv>

#include "report/funnel.h"
#include "report/json_values.h"
#include "report/use_text.h"

namespace vigil::report {

namespace {

constexpr UnixNanoseconds kSecond = 1'000'000'000;

std::string format_instant(UnixNanoseconds at) {
  std::string text = format_time(at / kSecond);
  if (text.empty() || at % kSecond == 0) return text;
  text.pop_back();  // The Z.
  return fmt::format("{}.{:09}Z", text, at % kSecond);
}

UnixNanoseconds parse_instant(std::string_view text) {
  UnixNanoseconds at = parse_time_or_zero(text) * kSecond;
  const size_t point = text.find('.');
  if (at == 0 || point == std::string_view::npos) return at;
  UnixNanoseconds digit_value = kSecond / 10;
  for (const char c : text.substr(point + 1)) {
    if (c < '0' || c > '9') break;
    at += (c - '0') * digit_value;
    digit_value /= 10;
  }
  return at;
}

// Inode numbers take all 64 bits, which not every reader of JSON can hold in a number.
std::string file_text(uint64_t device, uint64_t inode) {
  return inode == 0 && device == 0 ? "" : fmt::format("{}:{}", device, inode);
}

void read_file_text(std::string_view text, uint64_t& device, uint64_t& inode) {
  const size_t colon = std::min(text.find(':'), text.size());
  std::from_chars(text.data(), text.data() + colon, device);
  if (colon < text.size()) {
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), inode);
  }
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) return;
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_facets(JsonWriter& json, uint8_t facets) {
  json.key("facets").begin_array();
  for (const std::string_view name : facet_names(facets)) json.value(name);
  json.end_array();
}

uint8_t read_facets(JsonView view) {
  uint8_t facets = 0;
  view.each([&](JsonView one) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto facet = static_cast<uint8_t>(1u << bit);
      const std::vector<std::string_view> names = facet_names(facet);
      if (!names.empty() && names[0] == one.text()) facets |= facet;
    }
  });
  return facets;
}

// ---- Coverage ----

void write_coverage(JsonWriter& json, const WatchCoverage& coverage) {
  json.key("coverage").begin_object().member("attach", to_string(coverage.attach));
  json.member_if("from", format_instant(coverage.from));
  json.member_if("to", format_instant(coverage.to));
  json.member("share", coverage.share).member("events_lost", coverage.events_lost);
  json.key("gaps").begin_array();
  for (const WatchGap& gap : coverage.gaps) {
    json.begin_object().member_if("from", format_instant(gap.from));
    json.member_if("to", format_instant(gap.to)).member("reason", gap.reason);
    json.member("events_count", gap.events_count).end_object();
  }
  json.end_array().member_if("sensor", coverage.sensor);
  write_texts(json, "blind_spots", coverage.blind_spots);
  json.member("files_unowned", coverage.files_unowned).end_object();
}

Result<WatchCoverage> read_coverage(JsonView view) {
  WatchCoverage coverage;
  coverage.attach = TRY(read_word(view["attach"], "coverage.attach", Attach::kSnapshot));
  coverage.from = parse_instant(view["from"].text());
  coverage.to = parse_instant(view["to"].text());
  coverage.share = view["share"].number();
  coverage.events_lost = count_of(view["events_lost"]);
  view["gaps"].each([&](JsonView one) {
    coverage.gaps.push_back({parse_instant(one["from"].text()), parse_instant(one["to"].text()),
                             text_of(one["reason"]), count_of(one["events_count"])});
  });
  coverage.sensor = text_of(view["sensor"]);
  coverage.blind_spots = texts_of(view["blind_spots"]);
  coverage.files_unowned = count_of(view["files_unowned"]);
  return coverage;
}

// ---- Evidence ----

void write_process(JsonWriter& json, const ProcessFacts& process) {
  json.key("process").begin_object().member("pid", process.pid);
  json.member("parent_pid", process.parent_pid);
  json.member_if("started_at", format_instant(process.started_at));
  json.member("uid", process.uid).member("capabilities", process.capabilities);
  json.member_if("name", process.name).member_if("executable", process.executable);
  if (process.cgroup_id != 0) json.member("cgroup_id", process.cgroup_id);
  if (process.mount_namespace != 0) json.member("mount_namespace", process.mount_namespace);
  json.end_object();
}

void write_evidence(JsonWriter& json, std::string_view name,
                    const std::vector<Evidence>& evidence) {
  json.key(name).begin_array();
  for (const Evidence& one : evidence) {
    json.begin_object().member("tier", to_string(one.tier)).member("path", one.path);
    json.member_if("digest", one.digest);
    json.member_if("inode", file_text(one.file.device, one.file.inode));
    json.member_if("real_inode", file_text(one.file.real_device, one.file.real_inode));
    if (one.file.layer >= 0) json.member("layer", one.file.layer);
    if (one.is_deleted) json.member("is_deleted", true);
    write_facets(json, one.facets);
    write_process(json, one.process);
    json.member_if("command_line", one.command_line);
    json.member_if("first_seen", format_instant(one.first_seen));
    json.member_if("last_seen", format_instant(one.last_seen));
    json.member("count", one.count).end_object();
  }
  json.end_array();
}

Result<Evidence> read_one_evidence(JsonView view) {
  Evidence evidence;
  evidence.tier = TRY(read_word(view["tier"], "tier", Tier::kCalled));
  evidence.path = text_of(view["path"]);
  evidence.digest = text_of(view["digest"]);
  read_file_text(view["inode"].text(), evidence.file.device, evidence.file.inode);
  read_file_text(view["real_inode"].text(), evidence.file.real_device, evidence.file.real_inode);
  evidence.file.layer = static_cast<int32_t>(view["layer"].integer(-1));
  evidence.is_deleted = view["is_deleted"].boolean();
  evidence.facets = read_facets(view["facets"]);
  const JsonView process = view["process"];
  evidence.process = {
      .pid = static_cast<uint32_t>(count_of(process["pid"])),
      .parent_pid = static_cast<uint32_t>(count_of(process["parent_pid"])),
      .started_at = parse_instant(process["started_at"].text()),
      .uid = static_cast<uint32_t>(count_of(process["uid"])),
      .capabilities = count_of(process["capabilities"]),
      .name = text_of(process["name"]),
      .executable = text_of(process["executable"]),
      .cgroup_id = count_of(process["cgroup_id"]),
      .mount_namespace = static_cast<uint32_t>(count_of(process["mount_namespace"]))};
  evidence.command_line = text_of(view["command_line"]);
  evidence.first_seen = parse_instant(view["first_seen"].text());
  evidence.last_seen = parse_instant(view["last_seen"].text());
  evidence.count = count_of(view["count"]);
  return evidence;
}

Result<std::vector<Evidence>> read_evidence(JsonView view, std::string_view name) {
  return read_each<Evidence>(view, name, read_one_evidence);
}

Result<PackageExposure> read_use(JsonView view) {
  PackageExposure use;
  use.tier = TRY(read_word(view["tier"], "tier", Tier::kCalled));
  use.verdict = TRY(read_word(view["verdict"], "verdict", UseVerdict::kUnknown));
  use.reason = text_of(view["reason"]);
  use.facets = read_facets(view["facets"]);
  use.evidence = TRY(read_evidence(view["evidence"], "evidence"));
  return use;
}

void write_funnel(JsonWriter& json, const Report& report) {
  const std::vector<FunnelStep> steps = funnel_of(report);
  json.key("funnel").begin_object();
  for (const FunnelStep& step : steps) json.member(step.name, step.count);
  json.key("unknown").begin_object();
  for (const FunnelStep& step : steps) json.member(step.name, step.unknown_count);
  json.end_object().key("with_fix").begin_object();
  for (const FunnelStep& step : steps) json.member(step.name, step.fixable_count);
  json.end_object().end_object();
}

}  // namespace

void write_workload(JsonWriter& json, const Workload& workload) {
  json.key("workload").begin_object().member("id", workload.id);
  json.member("runtime", to_string(workload.runtime)).member_if("name", workload.name);
  json.member_if("image", workload.image).member_if("image_digest", workload.image_digest);
  json.member_if("cgroup_path", workload.cgroup_path);
  if (workload.cgroup_id != 0) json.member("cgroup_id", workload.cgroup_id);
  if (workload.mount_namespace != 0) json.member("mount_namespace", workload.mount_namespace);
  if (workload.init_pid != 0) json.member("init_pid", workload.init_pid);
  json.member_if("started_at", format_instant(workload.started_at));
  json.member_if("ended_at", format_instant(workload.ended_at));
  write_texts(json, "lower_folders", workload.lower_folders);
  json.member_if("upper_folder", workload.upper_folder).end_object();
}

Result<Workload> read_workload(JsonView view) {
  Workload workload;
  workload.id = text_of(view["id"]);
  workload.runtime = TRY(read_word(view["runtime"], "workload.runtime", Runtime::kRunc));
  workload.name = text_of(view["name"]);
  workload.image = text_of(view["image"]);
  workload.image_digest = text_of(view["image_digest"]);
  workload.cgroup_path = text_of(view["cgroup_path"]);
  workload.cgroup_id = count_of(view["cgroup_id"]);
  workload.mount_namespace = static_cast<uint32_t>(count_of(view["mount_namespace"]));
  workload.init_pid = static_cast<uint32_t>(count_of(view["init_pid"]));
  workload.started_at = parse_instant(view["started_at"].text());
  workload.ended_at = parse_instant(view["ended_at"].text());
  workload.lower_folders = texts_of(view["lower_folders"]);
  workload.upper_folder = text_of(view["upper_folder"]);
  return workload;
}

void write_exposure_head(JsonWriter& json, const Report& report) {
  write_workload(json, report.exposure->workload);
  write_coverage(json, report.exposure->coverage);
  write_funnel(json, report);
}

void write_exposure(JsonWriter& json, const Report& report) {
  write_exposure_head(json, report);
  json.member("window_seconds", report.exposure->window / kSecond);
  write_evidence(json, "drift", report.exposure->drift);
  write_evidence(json, "unowned", report.exposure->unowned);
}

void write_use(JsonWriter& json, const PackageExposure& use) {
  json.member("tier", to_string(use.tier)).member("verdict", to_string(use.verdict));
  json.member_if("reason", use.reason);
  write_facets(json, use.facets);
  write_evidence(json, "evidence", use.evidence);
}

void write_use_in_short(JsonWriter& json, const Exposure& exposure, const PackageExposure& use) {
  json.begin_object().member("verdict", to_string(use.verdict)).member("tier", to_string(use.tier));
  write_facets(json, use.facets);
  json.member("evidence", use_text(use)).member("workload", exposure.workload.id);
  json.member("watched", coverage_text(exposure)).end_object();
}

Result<Exposure> read_exposure(JsonView root) {
  Exposure exposure;
  exposure.workload = TRY(read_workload(root["workload"]));
  exposure.coverage = TRY(read_coverage(root["coverage"]));
  exposure.window = root["window_seconds"].integer() * kSecond;
  exposure.packages = TRY(read_each<PackageExposure>(root["packages"], "packages", read_use));
  for (size_t i = 0; i < exposure.packages.size(); ++i) {
    exposure.packages[i].package = static_cast<uint32_t>(i);
  }
  exposure.drift = TRY(read_evidence(root["drift"], "drift"));
  exposure.unowned = TRY(read_evidence(root["unowned"], "unowned"));
  return exposure;
}

}  // namespace vigil::report
