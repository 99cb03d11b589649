// Berkeley DB as rpm used it up to 4.15: one file "Packages", a hash (in principle also a btree)
// from a package's number to its header. The layout is that of Berkeley DB's dbinc/db_page.h;
// numbers are in the byte order of the machine that wrote the file.
//
// The pages are read one after the other rather than by following buckets: every pair stands in
// exactly one hash or leaf page, so nothing is missed, and no chain of bucket pages can run in a
// circle. Overflow chains do follow pointers; each overflow page is taken once.
#include <algorithm>

#include "base/limits.h"
#include "decode/rpmdb.h"

namespace vigil::decode {

namespace {

constexpr uint32_t kHashMagic = 0x061561;
constexpr uint32_t kBtreeMagic = 0x053162;
constexpr size_t kPageHeaderBytes = 26;
constexpr uint8_t kMetaFlagChecksum = 1;

enum PageType : uint8_t {
  kPageHashUnsorted = 2,
  kPageLeafBtree = 5,
  kPageOverflow = 7,
  kPageHash = 13,
  kPageTypeMax = 13,
};
// Items of hash pages and of btree leaves share these numbers.
enum ItemType : uint8_t {
  kItemInline = 1,
  kItemDuplicates = 2,
  kItemOverflow = 3,
  kItemOverflowDuplicates = 4,
};
constexpr uint8_t kItemDeletedBit = 0x80;

struct Page {
  uint32_t next = 0;
  uint16_t entries_count = 0;
  uint16_t high_offset = 0;  // In overflow pages: bytes of content.
  uint8_t type = 0;
  ByteView bytes;
};

class BdbFile {
 public:
  explicit BdbFile(ByteView bytes) : bytes_(bytes) {}

  Status read_meta() {
    for (const bool is_big : {true, false}) {
      is_big_ = is_big;
      const uint32_t magic = TRY(number<uint32_t>(bytes_, 12));
      if (magic == kHashMagic || magic == kBtreeMagic) break;
      if (!is_big) return fail(ErrorCode::kMalformed, "not a Berkeley DB hash or btree");
    }
    page_bytes_ = TRY(number<uint32_t>(bytes_, 20));
    if (page_bytes_ < 512 || page_bytes_ > 65536 || (page_bytes_ & (page_bytes_ - 1)) != 0) {
      return fail(ErrorCode::kMalformed, "a Berkeley DB page size that is none");
    }
    const uint8_t encryption = TRY(number<uint8_t>(bytes_, 24));
    const uint8_t meta_flags = TRY(number<uint8_t>(bytes_, 26));
    if (encryption != 0 || (meta_flags & kMetaFlagChecksum) != 0) {
      return fail(ErrorCode::kUnsupported, "a Berkeley DB file with encryption or checksums");
    }
    last_page_ = TRY(number<uint32_t>(bytes_, 32));
    is_overflow_taken_.assign(bytes_.size() / page_bytes_, false);
    return {};
  }

  uint32_t pages_count() const { return static_cast<uint32_t>(bytes_.size() / page_bytes_); }
  bool is_cut() const { return last_page_ >= pages_count(); }

  Result<Page> page(uint32_t index) const {
    if (index == 0 || index >= pages_count()) {
      return fail(ErrorCode::kMalformed, "a page number outside the file");
    }
    Page page;
    page.bytes = bytes_.subspan(size_t{index} * page_bytes_, page_bytes_);
    page.next = TRY(number<uint32_t>(page.bytes, 16));
    page.entries_count = TRY(number<uint16_t>(page.bytes, 20));
    page.high_offset = TRY(number<uint16_t>(page.bytes, 22));
    page.type = TRY(number<uint8_t>(page.bytes, 25));
    return page;
  }

  // Item `index` of a hash page ends where the item before it begins.
  Result<ByteView> hash_item(const Page& page, size_t index) const {
    const size_t start = TRY(item_offset(page, index));
    const size_t end = index == 0 ? page.bytes.size() : TRY(item_offset(page, index - 1));
    if (start >= end) return fail(ErrorCode::kMalformed, "items out of order");
    return page.bytes.subspan(start, end - start);
  }

  Result<std::vector<std::string>> hash_values(ByteView item) {
    std::vector<std::string> values;
    switch (TRY(number<uint8_t>(item, 0))) {
      case kItemInline:
        values.emplace_back(as_text(item.subspan(1)));
        break;
      case kItemOverflow:
        values.push_back(TRY(overflow_at(item, 4)));
        break;
      case kItemDuplicates: {  // Length, bytes, length again; repeated.
        for (size_t at = 1; at < item.size();) {
          const size_t count = TRY(number<uint16_t>(item, at));
          if (count > item.size() - at - 2)
            return fail(ErrorCode::kMalformed, "a duplicate cut short");
          values.emplace_back(as_text(item.subspan(at + 2, count)));
          at += count + 4;
        }
        break;
      }
      case kItemOverflowDuplicates:
        return fail(ErrorCode::kUnsupported, "duplicates on pages of their own");
      default:
        return fail(ErrorCode::kMalformed, "an item of no known type");
    }
    return values;
  }

  // A btree leaf's item: its length stands before it. Deleted items come back as nothing.
  Result<std::vector<std::string>> leaf_values(const Page& page, size_t index) {
    const size_t start = TRY(item_offset(page, index));
    const size_t count = TRY(number<uint16_t>(page.bytes, start));
    const uint8_t type = TRY(number<uint8_t>(page.bytes, start + 2));
    std::vector<std::string> values;
    if ((type & kItemDeletedBit) != 0) return values;
    if (type == kItemInline) {
      if (count > page.bytes.size() - start - 3)
        return fail(ErrorCode::kMalformed, "an item cut short");
      values.emplace_back(as_text(page.bytes.subspan(start + 3, count)));
    } else if (type == kItemOverflow) {
      values.push_back(TRY(overflow_at(page.bytes, start + 4)));
    } else {
      return fail(ErrorCode::kUnsupported, "duplicates on pages of their own");
    }
    return values;
  }

  Result<uint32_t> key_number(std::string_view key) const {
    if (key.size() != 4) return fail(ErrorCode::kMalformed, "a key that is no package number");
    return number<uint32_t>(as_bytes(key), 0);
  }

 private:
  template <typename T>
  Result<T> number(ByteView bytes, size_t offset) const {
    ByteReader reader(bytes);
    TRY(reader.seek(offset));
    return is_big_ ? reader.big<T>() : reader.little<T>();
  }

  Result<size_t> item_offset(const Page& page, size_t index) const {
    const size_t offset = TRY(number<uint16_t>(page.bytes, kPageHeaderBytes + 2 * index));
    if (offset < kPageHeaderBytes || offset >= page.bytes.size()) {
      return fail(ErrorCode::kMalformed, "an item outside its page");
    }
    return offset;
  }

  // `offset`: where the first page's number and the size of the value stand.
  Result<std::string> overflow_at(ByteView bytes, size_t offset) {
    const uint32_t first = TRY(number<uint32_t>(bytes, offset));
    const uint32_t bytes_count = TRY(number<uint32_t>(bytes, offset + 4));
    if (bytes_count > bytes_.size())
      return fail(ErrorCode::kMalformed, "a value larger than the file");
    std::string value;
    value.reserve(bytes_count);
    for (uint32_t index = first; value.size() < bytes_count;) {
      const Page chained = TRY(page(index));
      if (chained.type != kPageOverflow) {
        return fail(ErrorCode::kMalformed, "a chain that leaves the overflow pages");
      }
      if (is_overflow_taken_[index])
        return fail(ErrorCode::kMalformed, "an overflow page used twice");
      is_overflow_taken_[index] = true;
      const size_t count = chained.high_offset;
      if (count == 0 || count > chained.bytes.size() - kPageHeaderBytes) {
        return fail(ErrorCode::kMalformed, "an overflow page with an impossible size");
      }
      value += as_text(chained.bytes.subspan(kPageHeaderBytes, count));
      index = chained.next;
    }
    value.resize(bytes_count);
    return value;
  }

  ByteView bytes_;
  bool is_big_ = false;
  uint32_t page_bytes_ = 0;
  uint32_t last_page_ = 0;
  std::vector<bool> is_overflow_taken_;
};

Result<std::vector<std::string>> item_values(BdbFile& file, const Page& page, size_t index) {
  if (page.type == kPageLeafBtree) return file.leaf_values(page, index);
  const ByteView item = TRY(file.hash_item(page, index));
  return file.hash_values(item);
}

// The pairs of one page; what is wrong with one of them does not hide the others.
void read_page(BdbFile& file, const Page& page, uint64_t& bytes_left, RpmdbProblems& problems,
               RpmBlobVisitor visit) {
  for (size_t i = 0; i + 1 < page.entries_count && problems.size() < kRpmdbProblemsMax; i += 2) {
    const auto read_pair = [&]() -> Status {
      const std::vector<std::string> keys = TRY(item_values(file, page, i));
      const std::vector<std::string> values = TRY(item_values(file, page, i + 1));
      if (keys.empty()) return {};
      const uint32_t package = TRY(file.key_number(keys[0]));
      if (package == 0) return {};  // Where rpm keeps the last number it gave.
      for (const std::string& value : values) {
        if (value.size() > bytes_left) return fail(ErrorCode::kMalformed, "packages that overlap");
        bytes_left -= value.size();
        visit(package, as_bytes(value));
      }
      return {};
    };
    if (const Status status = read_pair(); !status) problems.push_back(status.error().text());
  }
}

}  // namespace

Result<RpmdbProblems> read_rpmdb_bdb(ByteView bytes, RpmBlobVisitor visit) {
  BdbFile file(bytes);
  TRY(file.read_meta());
  RpmdbProblems problems;
  if (file.is_cut()) problems.push_back("the file is cut short");
  uint64_t bytes_left = bytes.size();
  for (uint32_t i = 1; i < file.pages_count() && problems.size() < kRpmdbProblemsMax; ++i) {
    const Page page = TRY(file.page(i));
    if (page.type == kPageHash || page.type == kPageHashUnsorted || page.type == kPageLeafBtree) {
      read_page(file, page, bytes_left, problems, visit);
    } else if (page.type > kPageTypeMax) {
      problems.push_back("page " + std::to_string(i) + " is of no known type");
    }
  }
  return problems;
}

}  // namespace vigil::decode
