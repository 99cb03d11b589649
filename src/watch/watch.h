// The node agent: what `vigil watch` runs. run_watch reads aloud what it does.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "advisory/database.h"
#include "base/result.h"
#include "model/event.h"
#include "sensor/event_source.h"

namespace vigil::watch {

struct WatchOptions {
  std::string state_folder;     // Made, mode 0700.
  std::string database_folder;  // Looked at for a new database.
  // The database to match with now; called for each match.
  std::function<Result<advisory::OpenDatabaseOptions>()> database;
  std::string sensor;  // "bpf", "proc", …; "": the best that this host allows.
  sensor::SourceOptions source;
  UnixNanoseconds window = 0;   // For the verdicts in its lines.
  std::string metrics_address;  // "": no metrics page.
  int output = -1;              // Where JSON lines go; -1: nowhere.
  UnixNanoseconds duration =
      0;  // Ends by itself after so long, once inventories are made; 0: never.
  // Messages for people: what it does, what it lost.
  std::function<void(std::string_view)> tell;
};

// Returns when it was told to end (SIGTERM, SIGINT), or its time is over. Requires: this process
// has one thread. An Error: it could not begin, or cannot go on.
Status run_watch(const WatchOptions& options);

}  // namespace vigil::watch
