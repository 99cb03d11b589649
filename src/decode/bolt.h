// A Bolt database (go.etcd.io/bbolt), as containerd keeps its notes in: nested buckets of keys and
// values. Hostile input throughout; no file is opened, and no more of it read than is asked for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "base/result.h"

namespace vigil::decode {

// The bytes of the file at the offset, all of them, or an error.
using BoltReadAt = FunctionRef<Result<std::string>(uint64_t offset, uint64_t bytes_count)>;

struct BoltEntry {
  std::string key;
  std::string value;  // "" for a bucket.
  bool is_bucket = false;
  bool operator==(const BoltEntry&) const = default;
};

using BoltEntries = std::vector<BoltEntry>;

// What is in the bucket that is reached by these names, one in the other. kNotFound where there is
// none. Its owner may write meanwhile: then it is read again, and kUnavailable is the answer where
// that does not end.
Result<BoltEntries> read_bolt_bucket(BoltReadAt read, std::span<const std::string_view> names);

}  // namespace vigil::decode
