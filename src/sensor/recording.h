// Recordings of events, for tests and for looking at later: one JSON object a line, after a first
// line {"vigil_events":1}. RECORDING_FORMAT.md has the members.
#pragma once

#include <string>
#include <string_view>

#include "sensor/event_source.h"

namespace vigil::sensor {

std::string recording_header();
std::string recording_line(const Event& event);
std::string recording_line(const Loss& loss);

// All of a recording; kMalformed names the line.
Result<Batch> parse_recording(std::string_view text);

}  // namespace vigil::sensor
