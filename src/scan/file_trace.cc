#include "scan/file_trace.h"

#include <sys/stat.h>

#include "base/limits.h"

namespace vigil::scan {

namespace {

using Links = image::FileAccess::Links;

constexpr int64_t kSecondNs = 1'000'000'000;

FileIdentity identity_of(const Result<Fd>& fd) {
  struct stat status = {};
  if (!fd || ::fstat(fd->get(), &status) != 0) return {};
  return {true,
          status.st_dev,
          status.st_ino,
          static_cast<uint64_t>(status.st_size),
          status.st_mtim.tv_sec * kSecondNs + status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec * kSecondNs + status.st_ctim.tv_nsec};
}

}  // namespace

std::string encode_trace(const FileTrace& trace) {
  std::string out;
  append_varint(out, trace.size());
  for (const auto& [key, identity] : trace) {
    append_sized_text(out, key.first);
    append_varint(out, key.second == Links::kRefuse ? 1 : 0);
    append_varint(out, identity.is_there ? 1 : 0);
    append_varint(out, identity.device);
    append_varint(out, identity.inode);
    append_varint(out, identity.bytes);
    append_little(out, identity.modified_ns);
    append_little(out, identity.changed_ns);
  }
  return out;
}

Result<FileTrace> decode_trace(ByteView bytes) {
  ByteReader reader(bytes);
  const uint64_t count = TRY(reader.varint());
  FileTrace trace;
  for (uint64_t i = 0; i < count; ++i) {
    std::string path(TRY(reader.sized_text()));
    const Links links = TRY(reader.varint()) == 1 ? Links::kRefuse : Links::kFollow;
    FileIdentity identity;
    identity.is_there = TRY(reader.varint()) == 1;
    identity.device = TRY(reader.varint());
    identity.inode = TRY(reader.varint());
    identity.bytes = TRY(reader.varint());
    identity.modified_ns = TRY(reader.little<int64_t>());
    identity.changed_ns = TRY(reader.little<int64_t>());
    trace.insert_or_assign({std::move(path), links}, identity);
  }
  if (!reader.at_end()) return fail(ErrorCode::kMalformed, "bytes after the end");
  return trace;
}

bool still_holds(const FileTrace& trace, image::FileAccess& files) {
  for (const auto& [key, identity] : trace) {
    if (identity_of(files.open(key.first, key.second)) != identity) return false;
  }
  return true;
}

bool is_settled(const FileTrace& trace, int64_t since_ns) {
  for (const auto& [key, identity] : trace) {
    if (!identity.is_there) continue;
    // Whole seconds: a file system that counts no less than one, or two as FAT does.
    const int64_t tick_ns = identity.changed_ns % kSecondNs == 0 ? 2 * kSecondNs : 1;
    if (identity.changed_ns + tick_ns > since_ns) return false;
  }
  return true;
}

Result<Fd> TracingFiles::open(std::string_view path, Links links) {
  Result<Fd> fd = files_.open(path, links);
  if (trace_.size() <= limits::kTracedFilesMax) {
    trace_.insert_or_assign({std::string(path), links}, identity_of(fd));
  }
  return fd;
}

}  // namespace vigil::scan
