#include "sensor/recording.h"

#include <algorithm>
#include <optional>

#include "base/json.h"

namespace vigil::sensor {

namespace {

constexpr int kVersion = 1;

// Zero and empty members are left out.
template <typename T>
void add(JsonWriter& out, std::string_view name, T number) {
  if (number != 0) out.member(name, number);
}

void add_process(JsonWriter& out, const ProcessFacts& process) {
  out.member("pid", process.pid);
  add(out, "parent", process.parent_pid);
  add(out, "started", process.started_at);
  add(out, "uid", process.uid);
  add(out, "capabilities", process.capabilities);
  out.member_if("name", process.name);
  out.member_if("executable", process.executable);
  add(out, "cgroup", process.cgroup_id);
  add(out, "mount_namespace", process.mount_namespace);
}

uint64_t unsigned_of(JsonView view) {
  return static_cast<uint64_t>(std::max<int64_t>(view.integer(), 0));
}

std::optional<EventKind> kind_of(std::string_view name) {
  for (uint8_t number = 1; number <= static_cast<uint8_t>(EventKind::kConnect); number++) {
    if (to_string(static_cast<EventKind>(number)) == name) return static_cast<EventKind>(number);
  }
  return std::nullopt;
}

ProcessFacts read_process(JsonView line) {
  ProcessFacts process;
  process.pid = static_cast<uint32_t>(line["pid"].integer());
  process.parent_pid = static_cast<uint32_t>(line["parent"].integer());
  process.started_at = line["started"].integer();
  process.uid = static_cast<uint32_t>(line["uid"].integer());
  process.capabilities = unsigned_of(line["capabilities"]);
  process.name = line["name"].text();
  process.executable = line["executable"].text();
  process.cgroup_id = unsigned_of(line["cgroup"]);
  process.mount_namespace = static_cast<uint32_t>(line["mount_namespace"].integer());
  return process;
}

Event read_event(JsonView line, EventKind kind) {
  Event event;
  event.kind = kind;
  event.at = line["at"].integer();
  event.process = read_process(line);
  event.is_snapshot = line["snapshot"].boolean();
  event.path = line["path"].text();
  event.file = {unsigned_of(line["device"]), unsigned_of(line["inode"]),
                unsigned_of(line["real_device"]), unsigned_of(line["real_inode"]),
                static_cast<int32_t>(line["layer"].integer(-1))};
  event.is_deleted = line["deleted"].boolean();
  event.is_truncated = line["truncated"].boolean();
  event.command_line = line["command_line"].text();
  event.address = line["address"].text();
  event.peer = line["peer"].text();
  event.port = static_cast<uint16_t>(line["port"].integer());
  event.network_namespace = static_cast<uint32_t>(line["network_namespace"].integer());
  return event;
}

}  // namespace

std::string recording_header() {
  return R"({"vigil_events":)" + std::to_string(kVersion) + "}\n";
}

std::string recording_line(const Event& event) {
  JsonWriter out(JsonWriter::Style::kCompact);
  out.begin_object().member("event", to_string(event.kind)).member("at", event.at);
  add_process(out, event.process);
  if (event.is_snapshot) out.member("snapshot", true);
  out.member_if("path", event.path);
  add(out, "device", event.file.device);
  add(out, "inode", event.file.inode);
  add(out, "real_device", event.file.real_device);
  add(out, "real_inode", event.file.real_inode);
  if (event.file.layer != -1) out.member("layer", event.file.layer);
  if (event.is_deleted) out.member("deleted", true);
  if (event.is_truncated) out.member("truncated", true);
  out.member_if("command_line", event.command_line);
  out.member_if("address", event.address);
  out.member_if("peer", event.peer);
  add(out, "port", unsigned{event.port});
  add(out, "network_namespace", event.network_namespace);
  out.end_object();
  return out.take() + "\n";
}

std::string recording_line(const Loss& loss) {
  JsonWriter out(JsonWriter::Style::kCompact);
  out.begin_object().member("loss", loss.reason).member("count", loss.count);
  add(out, "cgroup", loss.cgroup_id);
  out.end_object();
  return out.take() + "\n";
}

Result<Batch> parse_recording(std::string_view text) {
  Batch batch;
  JsonDocument document;
  bool is_begun = false;
  for (size_t number = 1; !text.empty(); number++) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    const std::string where = "line " + std::to_string(number);
    const JsonView view = TRY(with_context(document.parse(line), where));
    if (!is_begun) {
      is_begun = true;
      if (view["vigil_events"].integer() != kVersion) {
        return fail(ErrorCode::kMalformed, "not a recording of events of version 1");
      }
    } else if (const std::string_view reason = view["loss"].text(); !reason.empty()) {
      batch.losses.push_back(
          {std::string(reason), unsigned_of(view["count"]), unsigned_of(view["cgroup"])});
    } else if (const auto kind = kind_of(view["event"].text())) {
      batch.events.push_back(read_event(view, *kind));
    } else {
      return fail(ErrorCode::kMalformed, where + " has no event of a known kind, and no loss");
    }
  }
  return batch;
}

}  // namespace vigil::sensor
