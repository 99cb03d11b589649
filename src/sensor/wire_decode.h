// Records of the kernel's programs (bpf/wire.h) as events. The bytes are taken as hostile: names
// and arguments in them are chosen by whoever runs.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "model/event.h"

namespace vigil::sensor {

// `boot_time` is when the clock of the records began. The executable of the process is left empty.
Result<Event> decode_wire(ByteView record, UnixNanoseconds boot_time);

// Start times are kept as /proc/PID/stat tells them, in hundredths of a second, so that a process
// has one whoever saw it.
UnixNanoseconds process_start(uint64_t nanoseconds_since_boot, UnixNanoseconds boot_time);

// Arguments, each with a zero behind it, as one line: separated by spaces, control characters
// replaced, cut at limits::kCommandLineBytesMax.
std::string command_line_of(std::string_view arguments);

}  // namespace vigil::sensor
