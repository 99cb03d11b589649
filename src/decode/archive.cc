// The owner of libarchive. Three things need care here:
//
// - A zip is read through its central directory (libarchive's seekable reader), because that is
// what
//   every other reader does; where a local header says something else, readers would disagree about
//   the content, so that is an error and not a guess.
// - libarchive converts names to the current locale and warns (ARCHIVE_WARN) about each that it
//   cannot convert: in the C locale every name outside ASCII. The walk runs in C.UTF-8, and a
//   warning is no failure unless it is about the zip's own contradictions.
// - Sizes in headers are claims. Memory grows with the bytes that really come.
#include "decode/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/file.h"
#include "base/limits.h"

namespace vigil::decode {
namespace {

constexpr size_t kBlockBytes = 1 << 16;

struct ArchiveCloser {
  void operator()(struct archive* handle) const { archive_read_free(handle); }
};
using Archive = std::unique_ptr<struct archive, ArchiveCloser>;

// The calling thread's locale is C.UTF-8 while this lives.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(newlocale(LC_CTYPE_MASK, "C.UTF-8", locale_t{})) {
    if (locale_ != locale_t{}) previous_ = uselocale(locale_);
  }
  ~Utf8Locale() {
    if (locale_ == locale_t{}) return;
    uselocale(previous_);
    freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t previous_ = {};
};

std::string_view last_error(struct archive* handle) {
  const char* text = archive_error_string(handle);
  return text == nullptr ? "not an archive of a known kind" : text;
}

std::unexpected<Error> malformed(struct archive* handle, std::string_view where) {
  return fail(ErrorCode::kMalformed, fmt::format("{}: {}", where, last_error(handle)));
}

// libarchive warns with these words where a zip's local header and its directory differ.
bool is_contradiction(struct archive* handle) {
  return last_error(handle).starts_with("Inconsistent");
}

void support_filters(struct archive* handle) {
  archive_read_support_filter_gzip(handle);
  archive_read_support_filter_xz(handle);
  archive_read_support_filter_bzip2(handle);
  archive_read_support_filter_zstd(handle);
}

Status read_content(struct archive* handle, uint64_t bytes_max, std::string_view where,
                    std::string& content) {
  content.clear();
  for (;;) {
    const size_t have = content.size();
    // One block more than allowed is enough to see that there is more.
    const size_t wanted = have == 0 ? kBlockBytes : std::min<size_t>(have, 16 * kBlockBytes);
    content.resize(have + wanted);
    const la_ssize_t got = archive_read_data(handle, content.data() + have, wanted);
    if (got < 0) return malformed(handle, where);
    content.resize(have + static_cast<size_t>(got));
    if (content.size() > bytes_max) {
      return fail(ErrorCode::kTooLarge,
                  fmt::format("{}: more than {} bytes inflated", where, bytes_max));
    }
    if (got == 0) return {};
  }
}

constexpr uint32_t kLocalMagic = 0x04034b50;
constexpr uint32_t kDirectoryMagic = 0x02014b50;
constexpr uint32_t kEndMagic = 0x06054b50;

// APPNOTE.TXT 4.3.16: the end record is in the last 22 + 65,535 bytes.
Result<size_t> find_end_record(ByteView bytes) {
  constexpr size_t kEndBytes = 22;
  if (bytes.size() < kEndBytes) return fail(ErrorCode::kMalformed, "zip: too short");
  const size_t last = bytes.size() - kEndBytes;
  const size_t first = last > 0xffff ? last - 0xffff : 0;
  for (size_t at = last + 1; at-- > first;) {
    ByteReader reader(bytes.subspan(at, 4));
    if (TRY(reader.little<uint32_t>()) == kEndMagic) return at;
  }
  return fail(ErrorCode::kMalformed, "zip: no end of central directory");
}

Status check_local_name(ByteView bytes, uint32_t offset, std::string_view name) {
  ByteReader local(bytes);
  TRY(local.seek(offset));
  if (TRY(local.little<uint32_t>()) != kLocalMagic) {
    return fail(ErrorCode::kMalformed, fmt::format("zip: no local header for member {}", name));
  }
  TRY(local.skip(22));
  const uint16_t name_bytes = TRY(local.little<uint16_t>());
  TRY(local.skip(2));
  if (as_text(TRY(local.take(name_bytes))) != name) {
    return fail(
        ErrorCode::kMalformed,
        fmt::format("zip: local header and central directory name member {} differently", name));
  }
  return {};
}

// libarchive takes each name from the local header; other readers from the central directory. Both
// must be the same. Zip64 directories (APPNOTE.TXT 4.3.14) are left to libarchive's own checks.
Status check_zip_names(ByteView bytes) {
  ByteReader end(bytes);
  const size_t end_offset = TRY(find_end_record(bytes));
  TRY(end.seek(end_offset + 10));
  const uint16_t entries_count = TRY(end.little<uint16_t>());
  TRY(end.skip(4));
  const uint32_t directory_offset = TRY(end.little<uint32_t>());
  if (entries_count == 0xffff || directory_offset == 0xffffffff) return {};
  ByteReader directory(bytes);
  TRY(directory.seek(directory_offset));
  for (uint32_t i = 0; i < entries_count; ++i) {
    if (TRY(directory.little<uint32_t>()) != kDirectoryMagic) {
      return fail(ErrorCode::kMalformed, "zip: central directory is cut");
    }
    TRY(directory.skip(24));
    const uint16_t name_bytes = TRY(directory.little<uint16_t>());
    const uint16_t extra_bytes = TRY(directory.little<uint16_t>());
    const uint16_t comment_bytes = TRY(directory.little<uint16_t>());
    TRY(directory.skip(8));
    const uint32_t local_offset = TRY(directory.little<uint32_t>());
    const std::string_view name = as_text(TRY(directory.take(name_bytes)));
    TRY(directory.skip(size_t{extra_bytes} + comment_bytes));
    if (local_offset != 0xffffffff) TRY(check_local_name(bytes, local_offset, name));
  }
  return {};
}

bool is_zip(ByteView bytes) {
  const std::string_view text = as_text(bytes.first(std::min<size_t>(bytes.size(), 4)));
  return text == std::string_view("PK\3\4") || text == std::string_view("PK\5\6");
}

// The next header; false at the end.
Result<bool> next_header(struct archive* handle, struct archive_entry** entry) {
  const int status = archive_read_next_header(handle, entry);
  if (status == ARCHIVE_EOF) return false;
  if (status == ARCHIVE_WARN && !is_contradiction(handle)) return true;
  if (status != ARCHIVE_OK) return malformed(handle, "archive");
  return true;
}

Status walk(struct archive* handle,
            FunctionRef<Status(std::string_view name, std::string_view content)> visit) {
  std::string content;
  uint64_t members_count = 0;
  struct archive_entry* entry = nullptr;
  while (TRY(next_header(handle, &entry))) {
    if (++members_count > limits::kArchiveMembersMax) {
      return fail(ErrorCode::kTooLarge,
                  fmt::format("more than {} members", limits::kArchiveMembersMax));
    }
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      continue;
    }
    const char* stored = archive_entry_pathname(entry);
    if (stored == nullptr) stored = archive_entry_pathname_utf8(entry);
    const std::string name = stored == nullptr ? "" : stored;
    if (name.size() > limits::kPathBytesMax) {
      return fail(ErrorCode::kTooLarge,
                  fmt::format("a member's name has more than {} bytes", limits::kPathBytesMax));
    }
    TRY(read_content(handle, limits::kArchiveMemberBytesMax, name, content));
    TRY(visit(name, content));
  }
  return {};
}

Status walk_file(const Fd& file,
                 FunctionRef<Status(std::string_view name, std::string_view content)> visit) {
  const Archive handle(archive_read_new());
  if (handle == nullptr) return fail(ErrorCode::kUnavailable, "no memory for an archive reader");
  const MappedFile map = TRY(MappedFile::from_fd(file));
  if (is_zip(map.bytes())) {
    TRY(check_zip_names(map.bytes()));
    archive_read_support_format_zip_seekable(handle.get());
  } else {
    support_filters(handle.get());
    archive_read_support_format_tar(handle.get());
  }
  const Utf8Locale locale;
  if (archive_read_open_fd(handle.get(), file.get(), kBlockBytes) != ARCHIVE_OK) {
    return malformed(handle.get(), "archive");
  }
  return walk(handle.get(), visit);
}

bool is_compressed(std::string_view bytes) {
  using std::string_view_literals::operator""sv;
  return bytes.starts_with("\x1f\x8b"sv) ||
         bytes.starts_with(
             "\xfd"
             "7zXZ\0"sv) ||
         bytes.starts_with("BZh"sv) || bytes.starts_with("\x28\xb5\x2f\xfd"sv);
}

// What the one stream inflates to that `open` gives to the reader.
Result<std::string> inflate(FunctionRef<int(struct archive* handle)> open, uint64_t bytes_max) {
  const Archive handle(archive_read_new());
  if (handle == nullptr) return fail(ErrorCode::kUnavailable, "no memory for an archive reader");
  support_filters(handle.get());
  archive_read_support_format_raw(handle.get());
  archive_read_support_format_empty(handle.get());
  std::string content;
  if (open(handle.get()) != ARCHIVE_OK) return malformed(handle.get(), "compressed file");
  struct archive_entry* entry = nullptr;
  if (!TRY(next_header(handle.get(), &entry))) return content;
  TRY(read_content(handle.get(), bytes_max, "compressed file", content));
  return content;
}

}  // namespace

Status each_member(const std::string& archive_path,
                   FunctionRef<Status(std::string_view name, std::string_view content)> visit) {
  const Fd file = TRY(open_regular(archive_path));
  return with_context(walk_file(file, visit), archive_path);
}

Result<std::string> read_maybe_compressed(const std::string& path, uint64_t bytes_max) {
  const Fd file = TRY(open_regular(path));
  bool is_packed = false;
  {
    const MappedFile map = TRY(with_context(MappedFile::from_fd(file), path));
    is_packed = is_compressed(as_text(map.bytes().first(std::min<size_t>(map.bytes().size(), 6))));
  }
  if (!is_packed) return with_context(read_all(file, bytes_max), path);
  return with_context(inflate(
                          [&](struct archive* handle) {
                            return archive_read_open_fd(handle, file.get(), kBlockBytes);
                          },
                          bytes_max),
                      path);
}

Result<std::string> inflate_text(std::string_view bytes, uint64_t bytes_max) {
  if (!is_compressed(bytes)) return fail(ErrorCode::kMalformed, "not a compressed file");
  return inflate(
      [&](struct archive* handle) {
        return archive_read_open_memory(handle, bytes.data(), bytes.size());
      },
      bytes_max);
}

Result<std::string> compress_xz(std::string_view text) {
  const std::unique_ptr<struct archive, decltype(&archive_write_free)> handle(archive_write_new(),
                                                                              archive_write_free);
  const std::unique_ptr<struct archive_entry, decltype(&archive_entry_free)> entry(
      archive_entry_new(), archive_entry_free);
  if (handle == nullptr || entry == nullptr) {
    return fail(ErrorCode::kUnavailable, "no memory for an archive writer");
  }
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  // Level 0 has a dictionary of 256 KiB. A larger one is of no use to a small text, and costs it
  // 90 MiB of cleared memory.
  const char* const level = text.size() <= 256 << 10 ? "0" : "6";
  std::string out;
  const auto put = [](struct archive*, void* to, const void* bytes, size_t count) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), count);
    return static_cast<la_ssize_t>(count);
  };
  const bool is_written =
      archive_write_set_format_raw(handle.get()) == ARCHIVE_OK &&
      archive_write_add_filter_xz(handle.get()) == ARCHIVE_OK &&
      archive_write_set_filter_option(handle.get(), "xz", "compression-level", level) ==
          ARCHIVE_OK &&
      archive_write_set_bytes_in_last_block(handle.get(), 1) == ARCHIVE_OK &&
      archive_write_open(handle.get(), &out, nullptr, put, nullptr) == ARCHIVE_OK &&
      archive_write_header(handle.get(), entry.get()) == ARCHIVE_OK &&
      archive_write_data(handle.get(), text.data(), text.size()) ==
          static_cast<la_ssize_t>(text.size()) &&
      archive_write_close(handle.get()) == ARCHIVE_OK;
  if (!is_written) return fail(ErrorCode::kUnavailable, std::string(last_error(handle.get())));
  return out;
}

struct ArchiveWriter::State {
  std::unique_ptr<struct archive, decltype(&archive_write_free)> handle{archive_write_new(),
                                                                        archive_write_free};
  UnixSeconds modified_at = 0;

  Status done(bool is_ok) const {
    if (is_ok) return {};
    return fail(ErrorCode::kUnavailable, std::string(last_error(handle.get())));
  }
};

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;
ArchiveWriter& ArchiveWriter::operator=(ArchiveWriter&&) noexcept = default;
ArchiveWriter::~ArchiveWriter() = default;

Result<ArchiveWriter> ArchiveWriter::create(const Fd& to, UnixSeconds modified_at) {
  auto state = std::make_unique<State>();
  state->modified_at = modified_at;
  struct archive* handle = state->handle.get();
  if (handle == nullptr) return fail(ErrorCode::kUnavailable, "no memory for an archive writer");
  TRY(state->done(archive_write_set_format_ustar(handle) == ARCHIVE_OK &&
                  archive_write_add_filter_zstd(handle) == ARCHIVE_OK &&
                  archive_write_set_bytes_in_last_block(handle, 1) == ARCHIVE_OK &&
                  archive_write_open_fd(handle, to.get()) == ARCHIVE_OK));
  return ArchiveWriter(std::move(state));
}

Status ArchiveWriter::add(const std::string& name, ByteView content) {
  const std::unique_ptr<struct archive_entry, decltype(&archive_entry_free)> entry(
      archive_entry_new(), archive_entry_free);
  if (entry == nullptr) return fail(ErrorCode::kUnavailable, "no memory for an archive writer");
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_mtime(entry.get(), state_->modified_at, 0);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  struct archive* handle = state_->handle.get();
  return state_->done(archive_write_header(handle, entry.get()) == ARCHIVE_OK &&
                      archive_write_data(handle, content.data(), content.size()) ==
                          static_cast<la_ssize_t>(content.size()));
}

Status ArchiveWriter::finish() {
  return state_->done(archive_write_close(state_->handle.get()) == ARCHIVE_OK);
}

}  // namespace vigil::decode
