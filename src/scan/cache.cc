#include "scan/cache.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/limits.h"

namespace vigil::scan {

namespace {

constexpr std::string_view kQuestionMagic = "vgl-see1";
constexpr uint64_t kQuestionBytesMax = 64 << 20;
constexpr size_t kKeyBytes = 64;  // Hexadecimal digits.

// Another version of what looks into images finds other things.
std::string analysers() {
  std::string text = "vigil " VIGIL_VERSION;
  for (const catalog::Cataloger* cataloger : catalog::all_catalogers()) {
    text += " " + std::string(cataloger->name) + ":" + std::to_string(cataloger->version);
  }
  return text;
}

// The digests are what the parsing child says. Question and trace are this process's own, so that a
// child that lies can name no other target's inventory.
std::string inventory_key(const std::string& question, const Sbom& sbom, const FileTrace& trace) {
  std::string text;
  const auto add = [&](std::string_view part) { append_sized_text(text, part); };
  add(analysers());
  add(question);
  add(encode_trace(trace));
  add(to_string(sbom.target.kind));
  add(sbom.target.image_id);
  add(sbom.target.manifest_digest);
  for (const std::string& tag : sbom.target.tags) add(tag);
  for (const Layer& layer : sbom.layers) {
    add(layer.digest);
    add(layer.diff_id);
  }
  return sha256(as_bytes(text)).hex();
}

// The inventory's key and the trace in a question's file.
struct Answer {
  std::string key;
  FileTrace trace;
};

Result<Answer> decode_answer(std::string_view text) {
  ByteReader reader(as_bytes(text));
  const std::string_view magic = as_text(TRY(reader.take(kQuestionMagic.size())));
  const uint64_t checksum = TRY(reader.little<uint64_t>());
  const std::string_view rest = text.substr(reader.offset());
  if (magic != kQuestionMagic || xxh3(as_bytes(rest)) != checksum) {
    return fail(ErrorCode::kMalformed, "its checksum differs");
  }
  const std::string key(as_text(TRY(reader.take(kKeyBytes))));
  TRY(from_hex(key));
  return Answer{key, TRY(decode_trace(as_bytes(text.substr(reader.offset()))))};
}

std::string encode_answer(const Answer& answer) {
  const std::string rest = answer.key + encode_trace(answer.trace);
  std::string out(kQuestionMagic);
  append_little(out, xxh3(as_bytes(rest)));
  return out + rest;
}

}  // namespace

Result<Cache> Cache::open(const std::string& folder) {
  TRY(make_folders(folder));
  struct stat status = {};
  if (::stat(folder.c_str(), &status) != 0) return fail_errno(folder, errno);
  if (status.st_uid != ::geteuid()) {
    return fail(ErrorCode::kDenied, folder + " belongs to another user");
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return fail(ErrorCode::kDenied, folder + " can be written by anybody");
  }
  for (const char* part : {"/inventory", "/seen"}) {
    const std::string path = folder + part;
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(path, errno);
  }
  return Cache(folder);
}

std::string Cache::question_path(const std::string& question) const {
  std::string text;
  append_sized_text(text, analysers());
  append_sized_text(text, question);
  return folder_ + "/seen/" + sha256(as_bytes(text)).hex();
}

std::optional<InventoryFile> Cache::recall(const std::string& question, image::FileAccess& files,
                                           Need need) const {
  const std::string question_file = question_path(question);
  const Result<std::string> text = read_file(question_file, kQuestionBytesMax);
  if (!text) return std::nullopt;
  const Result<Answer> answer = decode_answer(*text);
  if (!answer) {
    ::unlink(question_file.c_str());
    return std::nullopt;
  }
  if (!still_holds(answer->trace, files)) return std::nullopt;
  const std::string path = folder_ + "/inventory/" + answer->key;
  Result<MappedFile> mapped = MappedFile::open(path);
  if (!mapped) return std::nullopt;
  Result<InventoryFile> inventory = InventoryFile::open(*std::move(mapped));
  if (!inventory || (need == Need::kFilesToo && !inventory->ownership())) {
    ::unlink(path.c_str());
    return std::nullopt;
  }
  for (const std::string& used : {question_file, path}) {
    ::utimensat(AT_FDCWD, used.c_str(), nullptr, 0);  // Used just now: it goes last.
  }
  return *std::move(inventory);
}

Status Cache::remember(const std::string& question, const FileTrace& trace, const Sbom& sbom,
                       const Fd& inventory, int64_t started_ns) const {
  const std::string key = inventory_key(question, sbom, trace);
  TRY(put(folder_ + "/inventory/" + key,
          [&](const Fd& file) { return copy_file(inventory, file); }));
  const bool is_recallable = sbom.target.kind != TargetKind::kDirectory &&
                             trace.size() <= limits::kTracedFilesMax &&
                             is_settled(trace, started_ns);
  if (is_recallable) {
    const std::string answer = encode_answer({key, trace});
    TRY(put(question_path(question), [&](const Fd& file) { return write_all(file, answer); }));
  }
  remove_oldest();
  return {};
}

// Not synced to the disk: after a crash the checksum tells what was lost.
Status Cache::put(const std::string& path, FunctionRef<Status(const Fd&)> write) const {
  std::string temporary = path + ".XXXXXX";
  const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.is_open()) return fail_errno(temporary, errno);
  Status written = write(fd);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = fail_errno("cannot rename it", errno);
  }
  if (!written) ::unlink(temporary.c_str());
  return with_context(std::move(written), path);
}

void Cache::remove_oldest() const {
  struct Entry {
    std::filesystem::file_time_type used_at;
    uint64_t bytes;
    std::filesystem::path path;
  };
  std::vector<Entry> entries;
  uint64_t bytes = 0;
  std::error_code error;
  for (const char* part : {"/inventory", "/seen"}) {
    for (const auto& file : std::filesystem::directory_iterator(folder_ + part, error)) {
      // Another process may remove it in between.
      std::error_code gone;
      Entry entry = {file.last_write_time(gone), file.file_size(gone), file.path()};
      if (gone) continue;
      bytes += entry.bytes;
      entries.push_back(std::move(entry));
    }
  }
  if (bytes <= limits::kCacheBytesMax) return;
  std::ranges::sort(entries, {}, &Entry::used_at);
  for (const Entry& entry : entries) {
    if (bytes <= limits::kCacheBytesMax) break;
    std::filesystem::remove(entry.path, error);
    bytes -= entry.bytes;
  }
}

}  // namespace vigil::scan
