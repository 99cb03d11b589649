#include "report/text_table.h"

#include <algorithm>

#include "base/check.h"
#include "report/display_width.h"

namespace vigil::report {

namespace {

constexpr size_t kSpaceBetween = 2;
// Without a limit longer cells are written whole, but don't push those of other rows apart.
constexpr size_t kAlignedWidthMax = 80;
constexpr size_t kReadableWidth = 16;  // What a cut column keeps before others are left out.

std::string_view escape_of(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kBold:
      return "\x1b[1m";
    case Colour::kDim:
      return "\x1b[2m";
    case Colour::kRed:
      return "\x1b[31m";
    case Colour::kBoldRed:
      return "\x1b[1;31m";
    case Colour::kYellow:
      return "\x1b[33m";
    case Colour::kBlue:
      return "\x1b[34m";
    case Colour::kMagenta:
      return "\x1b[35m";
    case Colour::kGreen:
      return "\x1b[32m";
  }
  return "";
}

// Widths of the columns; kLeftOut for those that are not shown.
constexpr size_t kLeftOut = static_cast<size_t>(-1);

size_t line_width(const std::vector<size_t>& widths, size_t indent) {
  size_t total = indent;
  bool is_first = true;
  for (const size_t width : widths) {
    if (width == kLeftOut) continue;
    total += width + (is_first ? 0 : kSpaceBetween);
    is_first = false;
  }
  return total;
}

// Takes cells from the widest column that may be cut until the line fits or all are at `floor`.
void cut(std::vector<size_t>& widths, const std::vector<Column>& columns, const TableStyle& style,
         size_t floor) {
  while (line_width(widths, style.indent) > style.width_max) {
    size_t* widest = nullptr;
    for (size_t i = 0; i < widths.size(); ++i) {
      const size_t least = std::max(columns[i].width_min, floor);
      if (widths[i] == kLeftOut || columns[i].width_min == 0 || widths[i] <= least) continue;
      if (widest == nullptr || widths[i] > *widest) widest = &widths[i];
    }
    if (widest == nullptr) return;
    --*widest;
  }
}

std::vector<size_t> natural_widths(const std::vector<Column>& columns,
                                   const std::vector<Row>& rows) {
  std::vector<size_t> widths(columns.size(), 0);
  for (const Row& row : rows) {
    CHECK(row.size() == columns.size());
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i].text));
    }
  }
  for (size_t i = 0; i < columns.size(); ++i) {
    widths[i] = widths[i] == 0 ? kLeftOut : std::max(widths[i], display_width(columns[i].title));
  }
  return widths;
}

std::vector<size_t> fitting_widths(const std::vector<Column>& columns, const std::vector<Row>& rows,
                                   const TableStyle& style) {
  const std::vector<size_t> natural = natural_widths(columns, rows);
  if (style.width_max == 0) {
    std::vector<size_t> aligned = natural;
    for (size_t& width : aligned) {
      if (width != kLeftOut) width = std::min(width, kAlignedWidthMax);
    }
    return aligned;
  }
  int last_drop = 0;
  for (const Column& column : columns) last_drop = std::max(last_drop, column.drop_order);
  std::vector<size_t> widths;
  for (int keep_below = last_drop + 1; keep_below > 0; --keep_below) {
    widths = natural;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].drop_order >= keep_below) widths[i] = kLeftOut;
    }
    cut(widths, columns, style, kReadableWidth);
    if (line_width(widths, style.indent) <= style.width_max) return widths;
  }
  cut(widths, columns, style, 0);
  return widths;
}

// One line. What does not fit even with all columns cut ends at the terminal's edge.
std::string line_of(const std::vector<Column>& columns, const Row& row,
                    const std::vector<size_t>& widths, const TableStyle& style) {
  std::string out(style.indent, ' ');
  size_t used = style.indent;
  size_t owed = 0;  // Spaces before the next text.
  for (size_t i = 0; i < row.size(); ++i) {
    if (widths[i] == kLeftOut) continue;
    std::string text = style.width_max == 0 ? row[i].text : fitted(row[i].text, widths[i]);
    const size_t padding = widths[i] - std::min(widths[i], display_width(text));
    if (columns[i].is_right) owed += padding;
    if (!text.empty()) {
      if (style.width_max != 0) {
        text = fitted(text, style.width_max - std::min(style.width_max, used + owed));
      }
      out.append(text.empty() ? 0 : owed, ' ');
      out += coloured(text, row[i].colour, style.is_coloured);
      used += owed + display_width(text);
      owed = 0;
    }
    if (!columns[i].is_right) owed += padding;
    owed += kSpaceBetween;
  }
  return out + "\n";
}

}  // namespace

std::string coloured(std::string_view text, Colour colour, bool is_coloured) {
  if (!is_coloured || colour == Colour::kNone || text.empty()) return std::string(text);
  return std::string(escape_of(colour)) + std::string(text) + "\x1b[0m";
}

std::string text_table(const std::vector<Column>& columns, const std::vector<Row>& rows,
                       const TableStyle& style) {
  const std::vector<size_t> widths = fitting_widths(columns, rows, style);
  Row titles;
  bool has_title = false;
  for (const Column& column : columns) {
    titles.push_back({std::string(column.title), Colour::kBold});
    has_title = has_title || !column.title.empty();
  }
  std::string out = has_title && !rows.empty() ? line_of(columns, titles, widths, style) : "";
  for (const Row& row : rows) out += line_of(columns, row, widths, style);
  return out;
}

std::string wrapped(std::string_view text, size_t indent, size_t width_max) {
  if (width_max == 0) return std::string(text) + "\n";
  const size_t room = width_max > indent + 1 ? width_max - indent : 1;
  std::string out;
  size_t used = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string word = fitted(text.substr(0, end), room);
    text.remove_prefix(std::min(end + 1, text.size()));
    const size_t width = display_width(word);
    if (used > 0 && used + 1 + width > room) {
      out += "\n" + std::string(indent, ' ');
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width;
  }
  return out + "\n";
}

}  // namespace vigil::report
