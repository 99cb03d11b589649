#include "sensor/mountinfo.h"

#include <algorithm>

#include "base/limits.h"

namespace vigil::sensor {

namespace {

bool is_octal(char digit) {
  return digit >= '0' && digit <= '7';
}

// \040 is a blank, \011 a tab, \012 a newline, \134 a backslash.
std::string without_escapes(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' && is_octal(text[i + 1]) &&
        is_octal(text[i + 2]) && is_octal(text[i + 3])) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Cuts off what stands before the separator.
std::string_view next_word(std::string_view& rest, char separator) {
  const size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

std::optional<Mount> parse_line(std::string_view line) {
  const size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return std::nullopt;
  std::string_view front = line.substr(0, dash);
  std::string_view back = line.substr(dash + 3);
  next_word(front, ' ');  // The mount's number, its parent's.
  next_word(front, ' ');
  Mount mount;
  mount.device = next_word(front, ' ');
  mount.root = without_escapes(next_word(front, ' '));
  mount.mount_point = without_escapes(next_word(front, ' '));
  mount.type = next_word(back, ' ');
  next_word(back, ' ');  // What was mounted.
  mount.options = next_word(back, ' ');
  if (!mount.mount_point.starts_with('/')) return std::nullopt;
  return mount;
}

// The folders of "a:b\:c::d", where a backslash takes away a colon's meaning, and two colons stand
// before folders that hold contents only.
void split_folders(std::string_view text, std::vector<std::string>& folders) {
  std::string folder;
  const auto add = [&] {
    if (!folder.empty() && folders.size() < limits::kLayersMax) folders.push_back(folder);
    folder.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      folder += text[++i];
    } else if (text[i] == ':') {
      add();
    } else {
      folder += text[i];
    }
  }
  add();
}

}  // namespace

void each_mount(std::string_view text, const std::function<void(const Mount&)>& take) {
  while (!text.empty()) {
    const std::optional<Mount> mount = parse_line(next_word(text, '\n'));
    if (mount) take(*mount);
  }
}

std::optional<Mount> root_mount(std::string_view text) {
  std::optional<Mount> root;
  each_mount(text, [&](const Mount& mount) {
    if (mount.mount_point == "/") root = mount;
  });
  return root;
}

OverlayFolders overlay_folders(std::string_view options) {
  OverlayFolders folders;
  while (!options.empty()) {
    // A comma in a folder's name is written "\," and the backslash of that as "\134".
    std::string option;
    while (!options.empty()) {
      option += next_word(options, ',');
      const bool is_escaped = option.ends_with('\\') || option.ends_with("\\134");
      if (!is_escaped || options.empty()) break;
      option.resize(option.size() - (option.ends_with('\\') ? 1 : 4));
      option += ',';
    }
    const size_t equals = option.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = option.substr(0, equals);
    const std::string value = without_escapes(std::string_view(option).substr(equals + 1));
    if (name == "lowerdir" || name == "lowerdir+" || name == "datadir+") {
      split_folders(value, folders.lower);
    }
    if (name == "upperdir") folders.upper = value;
  }
  return folders;
}

}  // namespace vigil::sensor
