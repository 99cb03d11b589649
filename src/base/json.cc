#include "base/json.h"

#include <simdjson.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "base/limits.h"

namespace vigil {

namespace dom = simdjson::dom;

namespace {

static_assert(sizeof(dom::element) == 16 && std::is_trivially_copyable_v<dom::element>);

dom::element element_of(const uint64_t (&handle)[2]) {
  dom::element element;
  std::memcpy(static_cast<void*>(&element), handle, sizeof(element));
  return element;
}

}  // namespace

struct JsonDocument::State {
  dom::parser parser;
};

namespace {
template <typename View>
void store(View& handle, const dom::element& element) {
  std::memcpy(handle, &element, sizeof(element));
}
}  // namespace

#define VIGIL_ELEMENT element_of(handle_)

bool JsonView::is_object() const {
  return exists() && VIGIL_ELEMENT.is_object();
}
bool JsonView::is_array() const {
  return exists() && VIGIL_ELEMENT.is_array();
}
bool JsonView::is_string() const {
  return exists() && VIGIL_ELEMENT.is_string();
}
bool JsonView::is_number() const {
  return exists() && VIGIL_ELEMENT.is_number();
}
bool JsonView::is_null() const {
  return exists() && VIGIL_ELEMENT.is_null();
}

JsonView JsonView::operator[](std::string_view key) const {
  JsonView found;
  dom::object object;
  if (!exists() || VIGIL_ELEMENT.get(object) != simdjson::SUCCESS) return found;
  dom::element element;
  if (object.at_key(key).get(element) == simdjson::SUCCESS) store(found.handle_, element);
  return found;
}

std::string_view JsonView::text(std::string_view fallback) const {
  std::string_view text;
  return exists() && VIGIL_ELEMENT.get(text) == simdjson::SUCCESS ? text : fallback;
}

double JsonView::number(double fallback) const {
  double number = 0;
  return exists() && VIGIL_ELEMENT.get(number) == simdjson::SUCCESS ? number : fallback;
}

int64_t JsonView::integer(int64_t fallback) const {
  int64_t number = 0;
  return exists() && VIGIL_ELEMENT.get(number) == simdjson::SUCCESS ? number : fallback;
}

bool JsonView::boolean(bool fallback) const {
  bool flag = false;
  return exists() && VIGIL_ELEMENT.get(flag) == simdjson::SUCCESS ? flag : fallback;
}

void JsonView::each(FunctionRef<void(JsonView)> visit) const {
  dom::array array;
  if (!exists() || VIGIL_ELEMENT.get(array) != simdjson::SUCCESS) return;
  for (const dom::element element : array) {
    JsonView item;
    store(item.handle_, element);
    visit(item);
  }
}

std::vector<JsonView> JsonView::items() const {
  std::vector<JsonView> out;
  each([&](JsonView item) { out.push_back(item); });
  return out;
}

void JsonView::each_member(FunctionRef<void(std::string_view, JsonView)> visit) const {
  dom::object object;
  if (!exists() || VIGIL_ELEMENT.get(object) != simdjson::SUCCESS) return;
  for (const dom::key_value_pair pair : object) {
    JsonView value;
    store(value.handle_, pair.value);
    visit(pair.key, value);
  }
}

size_t JsonView::size() const {
  size_t count = 0;
  each([&](JsonView) { ++count; });
  each_member([&](std::string_view, JsonView) { ++count; });
  return count;
}

JsonDocument::JsonDocument() : state_(std::make_unique<State>()) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Result<JsonView> JsonDocument::parse(std::string_view text) {
  // simdjson 3.0 wants room behind the text; it copies, which the DOM's speed bears.
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto allocated =
      state_->parser.allocate(std::max<size_t>(text.size(), 4096), limits::kJsonDepthMax);
  if (allocated != simdjson::SUCCESS) return fail(ErrorCode::kTooLarge, "JSON too large");
  dom::element root;
  const auto error = state_->parser.parse(text.data(), text.size(), true).get(root);
  if (error != simdjson::SUCCESS) {
    return fail(error == simdjson::DEPTH_ERROR ? ErrorCode::kTooLarge : ErrorCode::kMalformed,
                std::string("not JSON: ") + simdjson::error_message(error));
  }
  JsonView view;
  store(view.handle_, root);
  CHECK(view.exists());
  return view;
}

#undef VIGIL_ELEMENT

namespace {

// Bytes of the UTF-8 sequence at the front of `text`, or 0 where it is not one (RFC 3629).
size_t utf8_sequence_bytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  size_t count = 0;
  uint8_t low = 0x80;
  uint8_t high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    count = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    count = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    count = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  } else {
    return 0;
  }
  if (text.size() < count || byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < count; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  return count;
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// The character in front where a terminal would act on it instead of showing it: C1 controls, line
// separators, marks and overrides of direction. Else 0.
uint32_t leading_control(std::string_view text) {
  const auto byte = [&](size_t at) {
    return at < text.size() ? static_cast<uint8_t>(text[at]) : uint32_t{0};
  };
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) return byte(1);
  if (byte(0) == 0xd8 && byte(1) == 0x9c) return 0x61c;
  if (byte(0) != 0xe2 || (byte(1) != 0x80 && byte(1) != 0x81)) return 0;
  const uint32_t character = 0x2000 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
  const bool is_control =
      (byte(2) & 0xc0) == 0x80 && ((character >= 0x200b && character <= 0x200f) ||
                                   (character >= 0x2028 && character <= 0x202e) ||
                                   (character >= 0x2060 && character <= 0x206f));
  return is_control ? character : 0;
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  while (!text.empty()) {
    const char c = text[0];
    size_t used = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      out += "\\u00";
      out += kDigits[static_cast<uint8_t>(c) >> 4];
      out += kDigits[c & 15];
    } else if (const uint32_t control = leading_control(text); control != 0) {
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[control >> shift & 15];
      used = control < 0x800 ? 2 : 3;
    } else if (const size_t count = utf8_sequence_bytes(text); count > 0) {
      out += text.substr(0, count);
      used = count;
    } else {
      out += kReplacement;
    }
    text.remove_prefix(used);
  }
}

}  // namespace

void JsonWriter::newline() {
  if (style_ == Style::kCompact) return;
  out_ += '\n';
  out_.append(2 * has_members_.size(), ' ');
}

void JsonWriter::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_members_.empty()) return;
  if (has_members_.back()) out_ += ',';
  has_members_.back() = true;
  newline();
}

JsonWriter& JsonWriter::begin_object() {
  before_value();
  out_ += '{';
  has_members_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  before_value();
  out_ += '[';
  has_members_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  CHECK(!has_members_.empty() && !after_key_);
  const bool had = has_members_.back();
  has_members_.pop_back();
  if (had) newline();
  out_ += '}';
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  CHECK(!has_members_.empty() && !after_key_);
  const bool had = has_members_.back();
  has_members_.pop_back();
  if (had) newline();
  out_ += ']';
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  CHECK(!has_members_.empty() && !after_key_);
  before_value();
  out_ += '"';
  append_escaped(out_, name);
  out_ += style_ == Style::kCompact ? "\":" : "\": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  before_value();
  out_ += '"';
  append_escaped(out_, text);
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  before_value();
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), number);
  out_.append(buffer, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::value(int64_t number) {
  before_value();
  out_ += std::to_string(number);
  return *this;
}

JsonWriter& JsonWriter::value(uint64_t number) {
  before_value();
  out_ += std::to_string(number);
  return *this;
}

JsonWriter& JsonWriter::value(bool flag) {
  before_value();
  out_ += flag ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  before_value();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

std::string JsonWriter::take() {
  CHECK(has_members_.empty());
  return std::move(out_);
}

}  // namespace vigil
