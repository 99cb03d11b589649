// Aligned columns that never pass a terminal's width. No text is cut: cells are broken into several
// lines, less important columns are left out, and where that is not enough a row becomes a list.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/severity.h"

namespace vigil::report {

enum class Colour { kNone, kBold, kDim, kRed, kBoldRed, kYellow, kBlue, kMagenta, kGreen };

// The text between the colour's escapes, or as it is where colours are off.
std::string coloured(std::string_view text, Colour colour, bool is_coloured);
// The one that a severity has everywhere.
Colour severity_colour(Severity severity);

struct Column {
  std::string_view title;
  bool is_right = false;  // Numbers.
  // Broken into lines of no less than this many cells where the terminal is narrow; 0: never.
  size_t width_min = 0;
  // Columns are left out before these lines get shorter than this.
  size_t width_readable = 15;
  // Left out where readable lines aren't enough, the highest first; 0: never.
  int drop_order = 0;
};

struct Cell {
  std::string text;  // Safe for a terminal: see terminal_text.
  Colour colour = Colour::kNone;
};
using Row = std::vector<Cell>;

struct TableStyle {
  size_t width_max = 0;  // Cells of a line; 0: no limit.
  size_t indent = 0;
  bool is_coloured = false;
};

// Lines, each with its newline and without trailing spaces; columns whose cells are all empty are
// left out. Requires: each row has one cell a column.
std::string text_table(const std::vector<Column>& columns, const std::vector<Row>& rows,
                       const TableStyle& style);

// The text broken at spaces into lines of at most `width_max` cells, all but the first behind
// `indent` spaces, which count; the first begins at `indent` already. With a newline at the end.
std::string wrapped(std::string_view text, size_t indent, size_t width_max);

// The text in pieces of at most `width` cells, broken at spaces (which go), else behind a mark as
// versions and paths have them, else anywhere. Requires: width >= 2.
std::vector<std::string> broken(std::string_view text, size_t width);

}  // namespace vigil::report
