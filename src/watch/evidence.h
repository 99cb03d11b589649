// From one event to the evidence it is. Pure, but for the digest of a file.
#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "model/exposure.h"

namespace vigil::watch {

// True for what a runtime maps and opens inside a container before the container's own program
// runs: runc and crun do that from a copy of themselves in memory. What is started is never that.
bool is_runtime_start(const Event& event);

// kExec, kMap and kOpen with a path; nothing for others.
std::optional<Evidence> evidence_of(const Event& event);

// "md5:… sha1:… sha256:…" of an open regular file; kTooLarge past `bytes_max`.
Result<std::string> file_digests(const Fd& fd, uint64_t bytes_max);

}  // namespace vigil::watch
