// Values of our own documents, read back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vigil::report {

// The value of the enumeration whose word it is. Words are those of to_string; the values of our
// enumerations are small and without holes from 0 to `last`.
template <typename Enum>
Result<Enum> read_word(JsonView view, std::string_view name, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (to_string(static_cast<Enum>(i)) == view.text()) return static_cast<Enum>(i);
  }
  return fail(ErrorCode::kMalformed,
              std::string(name) + " has no meaning '" + std::string(view.text()) + "'");
}

inline std::string text_of(JsonView view) {
  return std::string(view.text());
}

inline std::vector<std::string> texts_of(JsonView view) {
  std::vector<std::string> texts;
  view.each([&](JsonView one) { texts.emplace_back(one.text()); });
  return texts;
}

inline uint64_t count_of(JsonView view) {
  const int64_t count = view.integer();
  return count < 0 ? 0 : static_cast<uint64_t>(count);
}

// Each element of an array; the first error ends the walk and gets the element's place.
template <typename T, typename Read>
Result<std::vector<T>> read_each(JsonView array, std::string_view name, Read read) {
  std::vector<T> out;
  std::optional<Error> error;
  array.each([&](JsonView one) {
    if (error) return;
    const std::string place = std::string(name) + "[" + std::to_string(out.size()) + "]";
    Result<T> value = with_context(Result<T>(read(one)), place);
    if (value) {
      out.push_back(*std::move(value));
    } else {
      error = std::move(value).error();
    }
  });
  if (error) return std::unexpected(*std::move(error));
  return out;
}

}  // namespace vigil::report
