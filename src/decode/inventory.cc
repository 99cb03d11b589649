#include "decode/inventory.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/thread_pool.h"

namespace vigil::decode {

namespace {

constexpr std::string_view kSbomMagic = "vgl-sbm2";
constexpr std::string_view kOwnershipMagic = "vgl-own1";
constexpr size_t kHeadBytes = 16;  // Magic and checksum.

// Appends a head whose checksum is not known yet; returns where it begins.
size_t begin_part(std::string& out, std::string_view magic) {
  const size_t start = out.size();
  out += magic;
  append_little(out, uint64_t{0});
  return start;
}

// The part reaches to the end of `out`.
void seal_part(std::string& out, size_t start) {
  const uint64_t checksum = xxh3(as_bytes(out).subspan(start + kHeadBytes));
  std::memcpy(out.data() + start + 8, &checksum, sizeof(checksum));
}

Result<ByteView> unsealed(std::string_view magic, ByteView bytes) {
  if (bytes.size() < kHeadBytes || as_text(bytes.first(8)) != magic) {
    return fail(ErrorCode::kMalformed, "not an inventory of this version");
  }
  uint64_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + 8, sizeof(checksum));
  const ByteView body = bytes.subspan(kHeadBytes);
  if (xxh3(body) != checksum) return fail(ErrorCode::kMalformed, "inventory checksum differs");
  return body;
}

// One field list serves both directions, so that they cannot drift apart: `visit_*` names the
// fields in order, a Writer appends them, a Reader fills them and remembers its first error.

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}
  void text(const std::string& value) { append_sized_text(out_, value); }
  template <typename T>
  void number(const T& value, int64_t bias = 0) {
    append_varint(out_, static_cast<uint64_t>(static_cast<int64_t>(value) + bias));
  }
  template <typename E>
  void kind(const E& value, E) {
    append_varint(out_, static_cast<uint64_t>(value));
  }
  template <typename T, typename Visit>
  void list(const std::vector<T>& values, uint64_t, Visit visit) {
    append_varint(out_, values.size());
    for (const T& value : values) visit(*this, value);
  }

 private:
  std::string& out_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : in_(bytes) {}

  void text(std::string& value) {
    const Result<std::string_view> got = in_.sized_text();
    if (keep(got)) value = *got;
  }
  template <typename T>
  void number(T& value, int64_t bias = 0) {
    const Result<uint64_t> got = in_.varint();
    if (!keep(got)) return;
    const int64_t wide = static_cast<int64_t>(*got - static_cast<uint64_t>(bias));
    value = static_cast<T>(wide);
    if (static_cast<int64_t>(value) != wide) malformed("number out of range");
  }
  template <typename E>
  void kind(E& value, E last) {
    const Result<uint64_t> got = in_.varint();
    if (!keep(got)) return;
    if (*got > static_cast<uint64_t>(last)) return malformed("kind out of range");
    value = static_cast<E>(*got);
  }
  template <typename T, typename Visit>
  void list(std::vector<T>& values, uint64_t count_max, Visit visit) {
    const Result<uint64_t> count = in_.varint();
    if (!keep(count)) return;
    // Each element takes a byte at least, so a lying count cannot make this allocate much.
    if (*count > count_max || *count > in_.remaining()) return malformed("count out of range");
    for (uint64_t i = 0; i < *count && !error_; ++i) visit(*this, values.emplace_back());
  }
  Status finish() {
    if (!error_ && !in_.at_end()) malformed("bytes after the end");
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  void malformed(const char* message) {
    if (!error_) error_ = Error{ErrorCode::kMalformed, message, {}};
  }
  template <typename T>
  bool keep(const Result<T>& result) {
    if (!result && !error_) error_ = result.error();
    return !error_;
  }

  ByteReader in_;
  std::optional<Error> error_;
};

constexpr auto kVisitText = [](auto& io, auto& value) { io.text(value); };

template <typename Io, typename T>
void visit_target(Io& io, T& target) {
  io.kind(target.kind, TargetKind::kPurl);
  io.text(target.name);
  io.text(target.image_id);
  io.text(target.manifest_digest);
  io.text(target.os);
  io.text(target.architecture);
  io.text(target.variant);
  io.text(target.created);
  io.list(target.tags, limits::kPackagesMax, kVisitText);
}

template <typename Io, typename T>
void visit_distro(Io& io, T& distro) {
  io.text(distro.id);
  io.text(distro.version);
  io.text(distro.codename);
  io.text(distro.pretty_name);
  io.list(distro.id_like, limits::kPackagesMax, kVisitText);
  io.number(distro.support_ends_at);
}

template <typename Io, typename T>
void visit_layer(Io& io, T& layer) {
  io.text(layer.digest);
  io.text(layer.diff_id);
  io.text(layer.created_by);
  io.number(layer.bytes);
  io.number(layer.is_verified);
}

template <typename Io, typename T>
void visit_package(Io& io, T& package) {
  io.kind(package.kind, PackageKind::kGithubAction);
  io.text(package.name);
  io.text(package.version);
  io.text(package.arch);
  io.text(package.source.name);
  io.text(package.source.version);
  io.text(package.maintainer);
  io.text(package.licence);
  io.text(package.module);
  io.text(package.origin);
  io.number(package.installed_at);
  io.number(package.install_order, 1);
  io.number(package.location.layer, 1);
  io.text(package.location.path);
  io.text(package.purl);
  io.text(package.distro);
  io.text(package.bom_ref);
}

template <typename Io, typename T>
void visit_gap(Io& io, T& gap) {
  io.kind(gap.kind, GapKind::kUnverified);
  io.text(gap.path);
  io.text(gap.reason);
  io.text(gap.limit);
}

template <typename Io, typename T>
void visit_sbom(Io& io, T& sbom) {
  visit_target(io, sbom.target);
  visit_distro(io, sbom.distro);
  io.list(sbom.layers, limits::kLayersMax, [](auto& inner, auto& x) { visit_layer(inner, x); });
  io.list(sbom.packages, limits::kPackagesMax,
          [](auto& inner, auto& x) { visit_package(inner, x); });
  io.list(sbom.gaps, limits::kPackagesMax, [](auto& inner, auto& x) { visit_gap(inner, x); });
}

template <typename Io, typename T>
void visit_file(Io& io, T& file) {
  io.number(file.package);
  io.text(file.path);
  io.text(file.digest);
  io.list(file.aliases, limits::kOwnedFilesMax, kVisitText);
}

Status check_layers(const Sbom& sbom) {
  for (const Package& package : sbom.packages) {
    if (package.location.layer < -1 ||
        package.location.layer >= static_cast<int64_t>(sbom.layers.size())) {
      return fail(ErrorCode::kMalformed, "package in a layer that is not there");
    }
  }
  return {};
}

uint32_t name_hash(std::string_view name) {
  return static_cast<uint32_t>(xxh3(as_bytes(name)));
}

template <typename T>
T load(ByteView bytes, size_t offset) {
  DCHECK(offset + sizeof(T) <= bytes.size());
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

constexpr size_t kCountsBytes = 16;
constexpr size_t kNameBytes = 8;

// The records, at the end of `out`, and where each begins.
void append_files(std::string& out, size_t offsets, size_t heap,
                  const std::vector<OwnedFile>& files) {
  Writer writer(out);
  for (size_t i = 0; i < files.size(); ++i) {
    CHECK(out.size() - heap <= UINT32_MAX);
    const uint32_t offset = static_cast<uint32_t>(out.size() - heap);
    std::memcpy(out.data() + offsets + i * 4, &offset, sizeof(offset));
    visit_file(writer, files[i]);
  }
}

// The hash of each name, and whose it is.
std::vector<std::pair<uint32_t, uint32_t>> sorted_names(const std::vector<OwnedFile>& files,
                                                        size_t names_count) {
  std::vector<std::pair<uint32_t, uint32_t>> names;
  names.reserve(names_count);
  for (uint32_t i = 0; i < files.size(); ++i) {
    names.emplace_back(name_hash(files[i].path), i);
    for (const std::string& alias : files[i].aliases) names.emplace_back(name_hash(alias), i);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

void append_sbom(std::string& out, const Sbom& sbom) {
  const size_t start = begin_part(out, kSbomMagic);
  Writer writer(out);
  visit_sbom(writer, sbom);
  seal_part(out, start);
}

Result<Sbom> decode_sbom(ByteView bytes) {
  Reader reader(TRY(unsealed(kSbomMagic, bytes)));
  Sbom sbom;
  visit_sbom(reader, sbom);
  TRY(reader.finish());
  TRY(check_layers(sbom));
  return sbom;
}

void append_ownership(std::string& out, const std::vector<OwnedFile>& files, size_t threads_count) {
  CHECK(files.size() <= limits::kOwnedFilesMax);
  constexpr size_t kNumbersBytes = 16;  // Of one record, about.
  size_t heap_about = 0;
  size_t names_count = files.size();
  for (const OwnedFile& file : files) {
    heap_about += file.path.size() + file.digest.size() + kNumbersBytes;
    for (const std::string& alias : file.aliases) heap_about += alias.size() + 2;
    names_count += file.aliases.size();
  }

  // Everything is written once, in its place: there may be millions of files.
  const size_t tables_bytes = kCountsBytes + files.size() * 4 + names_count * kNameBytes;
  out.reserve(out.size() + kHeadBytes + tables_bytes + heap_about);
  const size_t start = begin_part(out, kOwnershipMagic);
  append_little(out, static_cast<uint32_t>(files.size()));
  append_little(out, static_cast<uint32_t>(names_count));
  append_little(out, uint64_t{0});
  const size_t offsets = out.size();
  const size_t heap = offsets + files.size() * 4 + names_count * kNameBytes;
  out.resize(heap);
  std::vector<std::pair<uint32_t, uint32_t>> names;
  parallel_for(2, threads_count, [&](size_t part) {
    if (part == 0) append_files(out, offsets, heap, files);
    if (part == 1) names = sorted_names(files, names_count);
  });
  size_t at = offsets + files.size() * 4;
  for (const auto& [hash, file] : names) {
    const uint32_t record[] = {hash, file};
    std::memcpy(out.data() + at, record, kNameBytes);
    at += kNameBytes;
  }
  const uint64_t heap_bytes = out.size() - heap;
  std::memcpy(out.data() + offsets - 8, &heap_bytes, sizeof(heap_bytes));
  seal_part(out, start);
}

Result<OwnershipView> OwnershipView::open(ByteView bytes, size_t packages_count) {
  OwnershipView view;
  view.bytes_ = TRY(unsealed(kOwnershipMagic, bytes));
  const size_t size = view.bytes_.size();
  if (size < kCountsBytes) return fail(ErrorCode::kMalformed, "ownership cut short");
  view.count_ = load<uint32_t>(view.bytes_, 0);
  view.names_count_ = load<uint32_t>(view.bytes_, 4);
  const uint64_t heap_bytes = load<uint64_t>(view.bytes_, 8);
  const uint64_t tables_bytes = kCountsBytes + view.count_ * 4 + view.names_count_ * kNameBytes;
  if (tables_bytes > size || heap_bytes != size - tables_bytes) {
    return fail(ErrorCode::kMalformed, "ownership tables do not fit");
  }
  for (size_t i = 0; i < view.names_count_; ++i) {
    const size_t at = kCountsBytes + view.count_ * 4 + i * kNameBytes;
    if (load<uint32_t>(view.bytes_, at + 4) >= view.count_) {
      return fail(ErrorCode::kMalformed, "ownership names a file that is not there");
    }
  }
  for (size_t i = 0; i < view.count_; ++i) {
    const OwnedFile file = TRY(view.file(i));
    if (file.package >= packages_count) {
      return fail(ErrorCode::kMalformed, "ownership names a package that is not there");
    }
  }
  return view;
}

Result<OwnedFile> OwnershipView::file(size_t index) const {
  CHECK(index < count_);
  const size_t heap = kCountsBytes + count_ * 4 + names_count_ * kNameBytes;
  const uint64_t start = heap + load<uint32_t>(bytes_, kCountsBytes + index * 4);
  const uint64_t end = index + 1 < count_
                           ? heap + load<uint32_t>(bytes_, kCountsBytes + (index + 1) * 4)
                           : bytes_.size();
  if (start > end || end > bytes_.size()) {
    return fail(ErrorCode::kMalformed, "ownership record out of place");
  }
  Reader reader(bytes_.subspan(start, end - start));
  OwnedFile file;
  visit_file(reader, file);
  TRY(reader.finish());
  return file;
}

std::vector<size_t> OwnershipView::find(std::string_view path) const {
  std::vector<size_t> found;
  const size_t names = kCountsBytes + count_ * 4;
  const auto hash_at = [&](size_t i) { return load<uint32_t>(bytes_, names + i * kNameBytes); };
  const uint32_t wanted = name_hash(path);
  size_t low = 0;
  size_t high = names_count_;
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (hash_at(middle) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (; low < names_count_ && hash_at(low) == wanted; ++low) {
    const size_t index = load<uint32_t>(bytes_, names + low * kNameBytes + 4);
    const Result<OwnedFile> owned = file(index);
    if (!owned || (!found.empty() && found.back() == index)) continue;
    const bool is_named =
        owned->path == path || std::ranges::find(owned->aliases, path) != owned->aliases.end();
    if (is_named) found.push_back(index);
  }
  return found;
}

}  // namespace vigil::decode
