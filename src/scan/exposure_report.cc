#include "scan/exposure_report.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "exposure/join.h"

namespace vigil::scan {

struct ExposureReports::Matched {
  InventoryFile inventory;
  Report report;  // Without what belongs to one workload.
};

namespace {

// The Report's target: what runs, by the name that people give it.
Target target_of(const Workload& workload, Target target) {
  target.name = workload.name.empty() ? workload.id : workload.name;
  if (target.tags.empty() && !workload.image.empty()) target.tags = {workload.image};
  if (target.image_id.empty()) target.image_id = workload.image_digest;
  return target;
}

}  // namespace

ExposureReports::ExposureReports(const advisory::Database& database, ExposureOptions options)
    : database_(database), options_(std::move(options)) {}
ExposureReports::~ExposureReports() = default;

Result<const ExposureReports::Matched*> ExposureReports::matched(const std::string& inventory) {
  std::unique_ptr<Matched>& known = matched_[inventory];
  if (known != nullptr) return known.get();
  const std::string path = options_.state_folder + "/" + inventory;
  MappedFile file = TRY(MappedFile::open(path));
  auto fresh = std::make_unique<Matched>(
      TRY(with_context(InventoryFile::open(std::move(file)), path)), Report{});
  Report& report = fresh->report;
  const UnixSeconds now = options_.now / 1'000'000'000;
  report.tool_version = VIGIL_VERSION;
  report.created_at = now;
  report.sbom = fresh->inventory.sbom();
  match::MatchOutput found = TRY(match::match_sbom(
      report.sbom, database_, {.now = now, .threads_count = options_.threads_count}));
  report.verdicts = std::move(found.verdicts);
  report.findings = std::move(found.findings);
  report.notices = std::move(found.notices);
  match::set_aside(options_.ignore_rules, report, now);
  std::ranges::move(found.gaps, std::back_inserter(report.sbom.gaps));
  report.database = std::move(found.database);
  report.end_of_life = std::move(found.end_of_life);
  known = std::move(fresh);
  return known.get();
}

Result<Report> ExposureReports::report(const exposure::WorkloadRecord& record) {
  const exposure::JoinOptions joining = {.now = options_.now, .window = options_.window};
  if (record.inventory.empty()) {
    Report report;
    report.tool_version = VIGIL_VERSION;
    report.created_at = options_.now / 1'000'000'000;
    report.sbom.target = target_of(record.workload, {});
    report.sbom.gaps = {{.kind = GapKind::kUnreadable,
                         .path = "",
                         .reason = "there is no inventory of it" +
                                   (record.inventory_note.empty() ? std::string(" yet")
                                                                  : ": " + record.inventory_note),
                         .limit = ""}};
    report.exposure = exposure::join(record, report.sbom, decode::OwnershipView(), joining);
    return report;
  }
  const Matched* one = TRY(matched(record.inventory));
  Report report = one->report;
  report.created_at = options_.now / 1'000'000'000;
  report.sbom.target = target_of(record.workload, std::move(report.sbom.target));
  const decode::OwnershipView owned = TRY(one->inventory.ownership());
  report.exposure = exposure::join(record, report.sbom, owned, joining);
  return report;
}

}  // namespace vigil::scan
