#include "report/text_table.h"

#include <algorithm>

#include "base/check.h"
#include "report/display_width.h"

namespace vigil::report {

namespace {

constexpr size_t kSpaceBetween = 2;
// Without a limit longer cells are written whole, but don't push those of other rows apart.
constexpr size_t kAlignedWidthMax = 80;
constexpr std::string_view kMarks = "-+.:~/,_@=";  // A long word is broken behind one.

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

enum class Narrow { kReadably, kFully };

// Takes cells from the widest column that may be broken until the line fits or none has more to
// give.
void narrow(std::vector<size_t>& widths, const std::vector<Column>& columns,
            const TableStyle& style, Narrow how_far) {
  while (line_width(widths, style.indent) > style.width_max) {
    size_t* widest = nullptr;
    for (size_t i = 0; i < widths.size(); ++i) {
      const Column& column = columns[i];
      if (widths[i] == kLeftOut || column.width_min == 0) continue;
      const size_t least = how_far == Narrow::kFully
                               ? column.width_min
                               : std::max(column.width_min, column.width_readable);
      if (widths[i] <= least) continue;
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
    narrow(widths, columns, style, Narrow::kReadably);
    if (line_width(widths, style.indent) <= style.width_max) return widths;
  }
  narrow(widths, columns, style, Narrow::kFully);
  return widths;
}

// A hostile name must not push everything else out of sight. No honest one is so long.
std::vector<std::string> lines_of_cell(std::string_view text, size_t width) {
  constexpr size_t kLinesMax = 12;
  std::vector<std::string> lines = broken(text, width);
  if (lines.size() > kLinesMax) {
    lines.resize(kLinesMax);
    lines.back() = "…";
  }
  return lines;
}

// One row: as many lines as its longest cell needs.
std::string lines_of(const std::vector<Column>& columns, const Row& row,
                     const std::vector<size_t>& widths, const TableStyle& style) {
  std::vector<std::vector<std::string>> cells(row.size());
  size_t lines_count = 1;
  for (size_t i = 0; i < row.size(); ++i) {
    if (widths[i] == kLeftOut || row[i].text.empty()) continue;
    const bool is_broken = style.width_max != 0 && display_width(row[i].text) > widths[i];
    cells[i] = is_broken ? lines_of_cell(row[i].text, widths[i]) : std::vector{row[i].text};
    lines_count = std::max(lines_count, cells[i].size());
  }
  std::string out;
  for (size_t line = 0; line < lines_count; ++line) {
    size_t owed = style.indent;  // Spaces before the next text.
    for (size_t i = 0; i < row.size(); ++i) {
      if (widths[i] == kLeftOut) continue;
      const std::string text = line < cells[i].size() ? cells[i][line] : "";
      const size_t padding = widths[i] - std::min(widths[i], display_width(text));
      if (columns[i].is_right) owed += padding;
      if (!text.empty()) {
        out.append(owed, ' ');
        out += coloured(text, row[i].colour, style.is_coloured);
        owed = 0;
      }
      if (!columns[i].is_right) owed += padding;
      owed += kSpaceBetween;
    }
    out += '\n';
  }
  return out;
}

// A row as a list, where no table fits: the first cell, and the others below it with their titles.
std::string listed(const std::vector<Column>& columns, const Row& row, const TableStyle& style) {
  std::string out;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i].text.empty()) continue;
    const bool is_first = out.empty();
    const size_t indent = std::min(style.indent + (is_first ? 0 : 2), style.width_max / 2);
    std::string text = row[i].text;
    if (!is_first && !columns[i].title.empty()) text = std::string(columns[i].title) + " " + text;
    const size_t room = std::max<size_t>(style.width_max - indent, 2);
    for (const std::string& line : lines_of_cell(text, room)) {
      out += std::string(indent, ' ') + coloured(line, row[i].colour, style.is_coloured) + "\n";
    }
  }
  return out;
}

}  // namespace

std::string coloured(std::string_view text, Colour colour, bool is_coloured) {
  if (!is_coloured || colour == Colour::kNone || text.empty()) return std::string(text);
  return std::string(escape_of(colour)) + std::string(text) + "\x1b[0m";
}

Colour severity_colour(Severity severity) {
  switch (severity) {
    case Severity::kCritical:
      return Colour::kBoldRed;
    case Severity::kHigh:
      return Colour::kRed;
    case Severity::kMedium:
      return Colour::kYellow;
    case Severity::kLow:
      return Colour::kBlue;
    case Severity::kNegligible:
      return Colour::kDim;
    case Severity::kUnknown:
      return Colour::kMagenta;
  }
  return Colour::kNone;
}

std::string text_table(const std::vector<Column>& columns, const std::vector<Row>& rows,
                       const TableStyle& style) {
  const std::vector<size_t> widths = fitting_widths(columns, rows, style);
  std::string out;
  if (style.width_max != 0 && line_width(widths, style.indent) > style.width_max) {
    for (const Row& row : rows) out += listed(columns, row, style);
    return out;
  }
  Row titles;
  bool has_title = false;
  for (const Column& column : columns) {
    titles.push_back({std::string(column.title), Colour::kBold});
    has_title = has_title || !column.title.empty();
  }
  if (has_title && !rows.empty()) out += lines_of(columns, titles, widths, style);
  for (const Row& row : rows) out += lines_of(columns, row, widths, style);
  return out;
}

std::vector<std::string> broken(std::string_view text, size_t width) {
  CHECK(width >= 2);
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = 0;      // Of what fits.
    size_t at_mark = 0;  // Of what fits and ends behind a mark.
    size_t at_space = 0;
    size_t used = 0;
    for (size_t at = 0; at < text.size(); end = at) {
      const size_t start = at;
      const char32_t c = next_character(text, at);
      used += character_width(c);
      if (c == U' ' && start > 0) at_space = start;
      if (used > width) break;
      if (c < 0x80 && kMarks.find(static_cast<char>(c)) != std::string_view::npos) at_mark = at;
    }
    if (end < text.size()) {
      if (at_space > 0) {
        end = at_space;
      } else if (at_mark > width / 3) {
        end = at_mark;
      }
    }
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const size_t last = line.find_last_not_of(' ');
    if (last != std::string_view::npos) lines.emplace_back(line.substr(0, last + 1));
  }
  return lines;
}

std::string wrapped(std::string_view text, size_t indent, size_t width_max) {
  if (width_max == 0) return std::string(text) + "\n";
  const size_t room = width_max > indent + 2 ? width_max - indent : 2;
  std::string out;
  for (const std::string& line : broken(text, room)) {
    out += (out.empty() ? "" : "\n" + std::string(indent, ' ')) + line;
  }
  return out + "\n";
}

}  // namespace vigil::report
