#include "scan/container_target.h"

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sensor/container_index.h"
#include "sensor/proc_reader.h"

namespace vigil::scan {

namespace {

std::vector<const Workload*> running_containers(sensor::ContainerIndex& index) {
  sensor::ProcReader reader(sensor::boot_time());
  for (const uint32_t pid : sensor::running_processes()) {
    const std::vector<Event> events = reader.events_of(pid);
    if (!events.empty()) index.find(events.front().process);
  }
  index.refresh(sensor::unix_now());
  std::vector<const Workload*> running;
  for (const Workload* workload : index.all()) {
    if (workload->id != sensor::kHostId && workload->init_pid != 0) running.push_back(workload);
  }
  return running;
}

std::string names_of(const std::vector<const Workload*>& workloads) {
  constexpr size_t kShortIdBytes = 12;
  std::string text;
  for (const Workload* workload : workloads) {
    text += text.empty() ? "" : ", ";
    text += workload->name.empty() ? workload->id.substr(0, kShortIdBytes) : workload->name;
  }
  return text;
}

}  // namespace

std::string nothing_runs_text() {
  return ::geteuid() == 0 ? "no container is seen here; from inside one, the host's processes must "
                            "be visible (--pid host)"
                          : "no container is seen here, which takes root";
}

Result<TypedTarget> find_container(std::string_view wanted) {
  sensor::ContainerIndex index(sensor::find_host_folders());
  const std::vector<const Workload*> running = running_containers(index);
  std::vector<const Workload*> found;
  for (const Workload* workload : running) {
    if (workload->id == wanted || workload->name == wanted) {
      found = {workload};
      break;
    }
    if (!wanted.empty() && workload->id.starts_with(wanted)) found.push_back(workload);
  }
  if (found.empty()) {
    return fail(ErrorCode::kNotFound,
                "no container '" + std::string(wanted) + "' runs here; " +
                    (running.empty() ? nothing_runs_text() : "there are: " + names_of(running)));
  }
  if (found.size() > 1) {
    return fail(ErrorCode::kMalformed, "several containers' ids start with '" +
                                           std::string(wanted) + "': " + names_of(found));
  }
  TypedTarget target;
  target.kind = TargetKind::kDirectory;
  target.path = "/proc/" + std::to_string(found[0]->init_pid) + "/root";
  target.name = "container:" + std::string(wanted);
  target.pid = found[0]->init_pid;
  return target;
}

std::vector<std::string> running_container_names() {
  sensor::ContainerIndex index(sensor::find_host_folders());
  const std::vector<const Workload*> running = running_containers(index);
  std::vector<std::string> names;
  for (const Workload* workload : running) {
    const auto has_its_name = [&](const Workload* one) { return one->name == workload->name; };
    const bool is_told_by_name =
        !workload->name.empty() && std::ranges::count_if(running, has_its_name) == 1;
    names.push_back(is_told_by_name ? workload->name : workload->id);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace vigil::scan
