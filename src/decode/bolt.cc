// All numbers are little-endian.
//
//   page: number (8 bytes), flags (2), count of elements (2), count of further pages that belong to
//       it (4); what follows depends on the flags.
//   pages 0 and 1: two generations of the file's header, of which the newer one whose checksum
//       fits is true: magic, version, page size, flags (4 each), root bucket (page 8, sequence 8),
//       list of free pages (8), pages of the file (8), transaction (8), FNV-1a of all these (8).
//   branch page: elements of key position (4), key size (4), page (8); sorted by key.
//   leaf page: elements of flags (4), key position (4), key size (4), value size (4); sorted. The
//       value stands behind the key. Positions count from the element itself.
//   bucket: the value of an element with flag 1: page (8), sequence (8); where the page is 0, a
//   leaf
//       page follows in place.
//
// A page is never changed while a header names it: a writer makes new ones, then a new header. Two
// transactions later it may be used again, so the header is read again at the end.
#include "decode/bolt.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/limits.h"

namespace vigil::decode {

namespace {

constexpr uint32_t kMagic = 0xed0cdaed;
constexpr uint32_t kVersion = 2;
constexpr uint16_t kBranchPage = 0x01;
constexpr uint16_t kLeafPage = 0x02;
constexpr uint32_t kBucketElement = 0x01;
constexpr size_t kPageHeaderBytes = 16;
constexpr size_t kElementBytes = 16;
constexpr size_t kBucketHeaderBytes = 16;
constexpr size_t kChecksummedBytes = 56;
constexpr uint32_t kPageBytesMin = 1024;
constexpr uint32_t kPageBytesMax = 64 << 10;
constexpr int kDepthMax = 32;
constexpr int kTriesMax = 3;

uint64_t fnv1a(ByteView bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) sum = (sum ^ byte) * 0x100000001b3;
  return sum;
}

struct Header {
  uint32_t page_bytes = 0;
  uint64_t root_page = 0;
  uint64_t pages_count = 0;
  uint64_t transaction = 0;
};

Result<Header> parse_header(std::string_view page) {
  ByteReader reader(as_bytes(page));
  TRY(reader.skip(kPageHeaderBytes));
  const ByteView summed = TRY(reader.take(kChecksummedBytes));
  const uint64_t checksum = TRY(reader.little<uint64_t>());
  ByteReader fields(summed);
  const uint32_t magic = TRY(fields.little<uint32_t>());
  const uint32_t version = TRY(fields.little<uint32_t>());
  Header header;
  header.page_bytes = TRY(fields.little<uint32_t>());
  TRY(fields.skip(4));
  header.root_page = TRY(fields.little<uint64_t>());
  TRY(fields.skip(16));
  header.pages_count = TRY(fields.little<uint64_t>());
  header.transaction = TRY(fields.little<uint64_t>());
  const bool is_sane = header.page_bytes >= kPageBytesMin && header.page_bytes <= kPageBytesMax &&
                       (header.page_bytes & (header.page_bytes - 1)) == 0;
  if (magic != kMagic || version != kVersion || !is_sane || checksum != fnv1a(summed)) {
    return fail(ErrorCode::kMalformed, "no header of a Bolt database");
  }
  return header;
}

Result<Header> read_header(BoltReadAt read) {
  constexpr uint64_t kHeaderBytes = kPageHeaderBytes + kChecksummedBytes + sizeof(uint64_t);
  const std::string first = TRY(read(0, kHeaderBytes));
  const Result<Header> older = parse_header(first);
  // Where the second header is depends on what the first one says, or would have said.
  for (uint32_t bytes = older ? older->page_bytes : kPageBytesMin; bytes <= kPageBytesMax;
       bytes *= 2) {
    const Result<std::string> page = read(bytes, kHeaderBytes);
    const Result<Header> newer = page ? parse_header(*page) : std::unexpected(page.error());
    if (newer && newer->page_bytes == bytes &&
        (!older || newer->transaction > older->transaction)) {
      return newer;
    }
    if (older) break;
  }
  return older;
}

struct Element {
  std::string_view key;
  std::string_view value;
  uint64_t page = 0;  // Of a branch.
  bool is_bucket = false;
};

struct Node {
  bool is_leaf = false;
  std::vector<Element> elements;
};

// Its elements point into the page.
Result<Node> parse_node(std::string_view page) {
  ByteReader reader(as_bytes(page));
  TRY(reader.skip(8));
  const uint16_t flags = TRY(reader.little<uint16_t>());
  const uint16_t count = TRY(reader.little<uint16_t>());
  if (flags != kBranchPage && flags != kLeafPage) {
    return fail(ErrorCode::kMalformed, "neither a branch nor a leaf");
  }
  Node node;
  node.is_leaf = flags == kLeafPage;
  for (size_t i = 0; i < count; ++i) {
    const size_t start = kPageHeaderBytes + i * kElementBytes;
    TRY(reader.seek(start));
    Element element;
    uint32_t value_bytes = 0;
    if (node.is_leaf) element.is_bucket = (TRY(reader.little<uint32_t>()) & kBucketElement) != 0;
    const uint32_t position = TRY(reader.little<uint32_t>());
    const uint32_t key_bytes = TRY(reader.little<uint32_t>());
    if (node.is_leaf) {
      value_bytes = TRY(reader.little<uint32_t>());
    } else {
      element.page = TRY(reader.little<uint64_t>());
    }
    TRY(reader.seek(start + position));
    element.key = as_text(TRY(reader.take(key_bytes)));
    element.value = as_text(TRY(reader.take(value_bytes)));
    node.elements.push_back(element);
  }
  return node;
}

struct Bucket {
  uint64_t root_page = 0;  // 0: in place.
  std::string in_place;
};

Result<Bucket> parse_bucket(std::string_view value) {
  ByteReader reader(as_bytes(value));
  Bucket bucket;
  bucket.root_page = TRY(reader.little<uint64_t>());
  if (value.size() < kBucketHeaderBytes) return fail(ErrorCode::kMalformed, "a bucket cut short");
  if (bucket.root_page == 0) bucket.in_place = value.substr(kBucketHeaderBytes);
  return bucket;
}

class Reader {
 public:
  Reader(BoltReadAt read, const Header& header) : read_(read), header_(header) {}

  Result<Bucket> find(const Bucket& bucket, std::string_view name) const {
    std::string page = bucket.in_place;
    uint64_t number = bucket.root_page;
    for (int depth = 0; depth < kDepthMax; ++depth) {
      if (number != 0) page = TRY(read_page(number));
      const Node node = TRY(parse_node(page));
      // The last whose key is not behind the name.
      const auto after =
          std::ranges::upper_bound(node.elements, name, std::ranges::less(), &Element::key);
      if (after == node.elements.begin()) break;
      const Element& element = *std::prev(after);
      if (node.is_leaf) {
        if (element.key != name || !element.is_bucket) break;
        return parse_bucket(element.value);
      }
      number = element.page;
    }
    return fail(ErrorCode::kNotFound, "no bucket " + std::string(name));
  }

  Result<BoltEntries> entries(const Bucket& bucket) const {
    BoltEntries entries;
    std::vector<uint64_t> waiting = {bucket.root_page};
    uint64_t bytes_count = 0;  // Read and kept: pages may be named, and values overlap, often.
    while (!waiting.empty()) {
      const uint64_t number = waiting.back();
      waiting.pop_back();
      const std::string page = number == 0 ? bucket.in_place : TRY(read_page(number));
      const Node node = TRY(parse_node(page));
      bytes_count += page.size();
      for (const Element& element : node.elements) bytes_count += element.value.size();
      if (bytes_count > limits::kRuntimeFileBytesMax) {
        return fail(ErrorCode::kTooLarge, "a large bucket");
      }
      if (!node.is_leaf) {
        for (const Element& element : node.elements) waiting.push_back(element.page);
        continue;
      }
      for (const Element& element : node.elements) {
        entries.push_back({std::string(element.key),
                           element.is_bucket ? "" : std::string(element.value), element.is_bucket});
      }
    }
    std::ranges::sort(entries, {}, &BoltEntry::key);
    return entries;
  }

 private:
  Result<std::string> read_page(uint64_t number) const {
    if (number < 2 || number >= header_.pages_count) {
      return fail(ErrorCode::kMalformed, "a page outside of the file");
    }
    uint64_t offset = 0;
    if (__builtin_mul_overflow(number, uint64_t{header_.page_bytes}, &offset)) {
      return fail(ErrorCode::kMalformed, "a page outside of the file");
    }
    std::string page = TRY(read_(offset, header_.page_bytes));
    ByteReader reader(as_bytes(page));
    TRY(reader.skip(12));
    const uint64_t further = TRY(reader.little<uint32_t>());
    const uint64_t bytes = (further + 1) * header_.page_bytes;
    if (bytes > limits::kRuntimeFileBytesMax) return fail(ErrorCode::kTooLarge, "a large page");
    if (further > 0) page = TRY(read_(offset, bytes));
    return page;
  }

  BoltReadAt read_;
  Header header_;
};

Result<BoltEntries> read_with(const Reader& reader, const Header& header,
                              std::span<const std::string_view> names) {
  Bucket bucket = {header.root_page, ""};
  for (const std::string_view name : names) bucket = TRY(reader.find(bucket, name));
  return reader.entries(bucket);
}

}  // namespace

Result<BoltEntries> read_bolt_bucket(BoltReadAt read, std::span<const std::string_view> names) {
  for (int tries = 0; tries < kTriesMax; ++tries) {
    const Header header = TRY(read_header(read));
    Result<BoltEntries> entries = read_with(Reader(read, header), header, names);
    if (TRY(read_header(read)).transaction == header.transaction) return entries;
  }
  return fail(ErrorCode::kUnavailable, "it is written to all the time");
}

}  // namespace vigil::decode
