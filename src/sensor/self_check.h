// What a sensor must see of itself: a file is made, executed, opened and mapped, and a socket
// listens. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/event.h"

namespace vigil::sensor {

struct SelfTestActs {
  std::string path;  // Of the file, as events name it. It is gone again.
  uint64_t inode = 0;
  uint32_t child_pid = 0;     // Executed it.
  uint16_t port = 0;          // Was listened on.
  bool is_in_memory = false;  // On a file system without a disk, for want of another.
};
// kUnavailable where there is no folder that files can be executed in.
Result<SelfTestActs> act_for_self_test();

// Kinds of events that should be among these and are not.
std::vector<EventKind> missing_kinds(const SelfTestActs& acts, const std::vector<Event>& events);

// True for events that the self-test made.
bool is_of_self_test(const SelfTestActs& acts, const Event& event);

}  // namespace vigil::sensor
