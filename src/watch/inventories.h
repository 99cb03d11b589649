// What is installed in what runs: one inventory for all workloads of the same layers, made when the
// first of them is seen, kept below the state folder, and matched again whenever the advisories
// change. The work is done in workers (watch/worker.h); image bytes are parsed in the parsing child
// only.
//
//   inventory/KEY.inv       the inventory (scan/inventory_file.h)
//   inventory/KEY.findings  what matched, one "ID TAB PACKAGE TAB VERSION TAB ARCH" a line, sorted
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "advisory/database.h"
#include "base/file.h"
#include "base/result.h"
#include "model/workload.h"
#include "sensor/container_index.h"

namespace vigil::watch {

// Where the packages of a workload are.
struct InventorySource {
  std::string key;
  std::vector<std::string> folders;  // Layers, topmost first; empty: `root` is all there is.
  std::string host_root;             // What stands before the folders: see sensor::HostFolders.
  Fd root;                           // Where the packages may change.
  bool is_fixed = false;             // Layers of an image: they never change.
};
// An Error: nothing of the workload is left to look at.
Result<InventorySource> find_source(const Workload& workload, const sensor::ContainerIndex& index);

// "inventory/KEY.inv": relative to the state folder.
std::string inventory_name(std::string_view key);
std::string findings_name(std::string_view key);

// In a worker: reads the packages and writes the inventory.
Status make_inventory(const InventorySource& source, const std::string& state_folder);

// When the package databases in a root were last written; changes with each installed package.
std::string packages_stamp(const Fd& root);

// In a worker: matches inventories with the advisories, and says in text what differs from what was
// found before. The new findings lie in "….findings.new" until keep_findings().
struct MatchJob {
  std::string state_folder;
  std::vector<std::string> keys;
  advisory::OpenDatabaseOptions database;
};
Result<std::string> match_inventories(const MatchJob& job);
Status keep_findings(const std::string& state_folder, std::string_view key);

// One line of a findings file, come or gone.
struct FindingChange {
  std::string key;  // Of the inventory.
  bool is_new = false;
  std::string id = {};
  std::string package = {};
  std::string version = {};
  std::string arch = {};
  bool operator==(const FindingChange&) const = default;
};
struct MatchAnswer {
  std::vector<std::string> keys;       // Matched.
  std::vector<FindingChange> changes;  // Of those that had been matched before.
  std::vector<std::string> problems;   // Inventories that could not be matched.
  bool operator==(const MatchAnswer&) const = default;
};
// What match_inventories() returned.
MatchAnswer parse_match_answer(std::string_view text);

}  // namespace vigil::watch
