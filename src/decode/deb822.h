// Stanzas of fields as Debian's control files have them (deb822(5), Debian Policy §5.1), read from
// front to back without copying: values are views into the text. Hostile input; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/function_ref.h"

namespace vigil::decode {

struct Deb822Field {
  std::string_view name;
  // Without the white space around it. Continuation lines are part of it, each behind a line feed
  // and with the space they begin with.
  std::string_view value;

  bool is(std::string_view field_name) const;  // Letter case does not count.
};

class Deb822Reader {
 public:
  explicit Deb822Reader(std::string_view text) : rest_(text) {}

  // Goes to the next stanza, past what is left of the present one; false at the end of the text.
  bool next_stanza();
  // The next field of the present stanza, nothing at its end. Lines that are no field are counted
  // and passed over, and so are comments, which are not counted.
  std::optional<Deb822Field> next_field();

  uint64_t bad_lines_count() const { return bad_lines_count_; }

 private:
  std::string_view take_line();
  bool at_stanza_end() const;

  std::string_view rest_;
  bool is_in_stanza_ = false;
  uint64_t bad_lines_count_ = 0;
};

// Calls `line` with each line of a text, without its line feed (or carriage return and line feed).
void each_line(std::string_view text, FunctionRef<void(std::string_view)> line);

// Takes the first word (up to white space) off the front of `text`; "" where there is none left.
std::string_view take_word(std::string_view& text);

// Without white space (blanks, tabs, line ends) at either end.
std::string_view trimmed(std::string_view text);

}  // namespace vigil::decode
