// From what the agent kept of a workload to a Report: its inventory matched with the database of
// now, joined with what was seen in use. Nothing is scanned.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "advisory/database.h"
#include "base/result.h"
#include "exposure/evidence_store.h"
#include "match/ignore_rules.h"
#include "match/match.h"
#include "model/finding.h"
#include "scan/inventory_file.h"

namespace vigil::scan {

struct ExposureOptions {
  std::string state_folder;  // Inventories are relative to it.
  UnixNanoseconds now = 0;
  UnixNanoseconds window = 0;
  size_t threads_count = 1;
  std::vector<match::IgnoreRule> ignore_rules = {};
};

// Reports of many workloads: each inventory is read and matched once, however many have it.
// One thread.
class ExposureReports {
 public:
  ExposureReports(const advisory::Database& database, ExposureOptions options);
  ~ExposureReports();

  // `now` moves on for those that come.
  void set_now(UnixNanoseconds now) { options_.now = now; }
  // A workload without an inventory gives a report without packages, and a Gap that says why.
  Result<Report> report(const exposure::WorkloadRecord& record);

 private:
  struct Matched;
  Result<const Matched*> matched(const std::string& inventory);

  const advisory::Database& database_;
  ExposureOptions options_;
  std::map<std::string, std::unique_ptr<Matched>> matched_;
};

}  // namespace vigil::scan
