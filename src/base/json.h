// JSON. Reading is simdjson's DOM behind a view (this is the only file that includes it); writing
// is a streaming writer, so that a report of any size needs no tree, and any bytes of an image come
// out as valid UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/result.h"

namespace vigil {

// A place in a JsonDocument, or nothing: looking into nothing gives nothing, so a chain of look-ups
// needs one test at its end. Valid while the document lives. Duplicate keys: the first one counts.
class JsonView {
 public:
  JsonView() = default;

  bool exists() const { return handle_[0] != 0; }
  explicit operator bool() const { return exists(); }
  bool is_object() const;
  bool is_array() const;
  bool is_string() const;
  bool is_number() const;
  bool is_null() const;

  JsonView operator[](std::string_view key) const;

  // The value, or the fallback where it is absent or of another type.
  std::string_view text(std::string_view fallback = "") const;
  double number(double fallback = 0) const;
  int64_t integer(int64_t fallback = 0) const;
  bool boolean(bool fallback = false) const;

  // The elements of an array, or the members of an object, in order; nothing for other types.
  std::vector<JsonView> items() const;
  void each(FunctionRef<void(JsonView)> visit) const;
  void each_member(FunctionRef<void(std::string_view key, JsonView value)> visit) const;
  size_t size() const;

 private:
  friend class JsonDocument;
  uint64_t handle_[2] = {0, 0};
};

// A parsed document. Use one parser for many documents: `parse` keeps the buffers, and replaces
// what the last call held. One thread. Depth is bounded by limits::kJsonDepthMax.
class JsonDocument {
 public:
  JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  Result<JsonView> parse(std::string_view text);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Writes JSON into a string, two spaces of indent a level, or none at all (kCompact).
class JsonWriter {
 public:
  enum class Style { kIndented, kCompact };
  explicit JsonWriter(Style style = Style::kIndented) : style_(style) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);  // Shortest form that reads back; not finite: null.
  JsonWriter& value(int64_t number);
  JsonWriter& value(uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<int64_t>(number)); }
  JsonWriter& value(unsigned number) { return value(static_cast<uint64_t>(number)); }
  JsonWriter& value(bool flag);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // JSON text as it is.

  template <typename T>
  JsonWriter& member(std::string_view name, const T& content) {
    return key(name).value(content);
  }
  // Leaves the member out where the text is empty.
  JsonWriter& member_if(std::string_view name, std::string_view text) {
    return text.empty() ? *this : key(name).value(text);
  }

  // The text so far. Requires: everything begun is ended.
  const std::string& text() const { return out_; }
  std::string take();

 private:
  void before_value();
  void newline();

  Style style_;
  std::string out_;
  std::vector<bool> has_members_;
  bool after_key_ = false;
};

}  // namespace vigil
