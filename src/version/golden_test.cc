// The order of 57,467 pairs (57,616 lines with comments and empty ones) from google/osv-scalibr,
// most of them made with each ecosystem's own program. Exceptions: none. Where the files themselves
// say that apk 2 and apk 3 differ, schemes/alpine.cc tells which is followed.
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "version/text.h"
#include "version/version.h"

namespace vigil::version {
namespace {

const std::string kArchive = VIGIL_SOURCE_DIR "/../shared/feeds/goldens/version-order.zip";

struct Unpacked {
  std::string text;
  int exit_status = -1;
};

Unpacked run(const std::string& command) {
  Unpacked out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[1 << 16];
  for (size_t size = 0; (size = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    out.text.append(buffer, size);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) out.exit_status = WEXITSTATUS(status);
  return out;
}

char sign_of(std::strong_ordering order) {
  return order < 0 ? '<' : order > 0 ? '>' : '=';
}
char opposite(char sign) {
  return sign == '<' ? '>' : sign == '>' ? '<' : '=';
}

struct Pair {
  std::string_view a;
  std::string_view b;
  char sign = '=';
};

// "a < b"; nothing for comments and empty lines.
bool read_line(std::string_view line, Pair& out) {
  line = trimmed(line);
  if (line.empty() || line.starts_with("#") || line.starts_with("//")) return false;
  const auto is_inside = [](char c) { return c != ' '; };
  out.a = take_while(line, is_inside);
  if (line.size() < 4) ADD_FAILURE() << "line not understood";
  out.sign = line[1];
  out.b = line.substr(3);
  return true;
}

struct GoldenFile {
  const char* scheme;
  const char* file;
  int pairs;
};

class GoldenOrder : public testing::TestWithParam<GoldenFile> {};

TEST_P(GoldenOrder, EveryLine) {
  if (!std::filesystem::exists(kArchive)) {
    GTEST_SKIP() << kArchive << " is not here: the order of its pairs was not compared";
  }
  ASSERT_EQ(std::system("command -v unzip >/dev/null"), 0) << "unzip is not installed";
  const std::string name = "version-order/" + std::string(GetParam().file);
  const Unpacked file = run("unzip -p '" + kArchive + "' " + name);
  ASSERT_EQ(file.exit_status, 0) << name;
  const Scheme* scheme = find_scheme(GetParam().scheme);
  ASSERT_NE(scheme, nullptr);
  int pairs = 0;
  int line_number = 0;
  std::string wrong;
  std::string_view rest = file.text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    ++line_number;
    Pair pair;
    if (!read_line(line, pair)) continue;
    ++pairs;
    const char forth = sign_of(scheme->compare(pair.a, pair.b));
    const char back = sign_of(scheme->compare(pair.b, pair.a));
    if (forth != pair.sign || back != opposite(pair.sign)) {
      wrong += name + ":" + std::to_string(line_number) + ": " + std::string(line) + ", got " +
               forth + ", the other way round " + back + "\n";
    }
  }
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(pairs, GetParam().pairs) << "the file has other lines than it had";
}

INSTANTIATE_TEST_SUITE_P(
    VersionOrder, GoldenOrder,
    testing::Values(GoldenFile{"alpine", "alpine-versions.txt", 623},
                    GoldenFile{"alpine", "alpine-versions-generated.txt", 11187},
                    GoldenFile{"cran", "cran-versions.txt", 16},
                    GoldenFile{"cran", "cran-versions-generated.txt", 45},
                    GoldenFile{"debian", "debian-versions.txt", 25},
                    GoldenFile{"debian", "debian-versions-generated.txt", 11577},
                    GoldenFile{"hackage", "hackage-versions.txt", 9},
                    GoldenFile{"maven", "maven-versions.txt", 87},
                    GoldenFile{"maven", "maven-versions-generated.txt", 11733},
                    GoldenFile{"nuget", "nuget-versions.txt", 32},
                    GoldenFile{"packagist", "packagist-versions.txt", 81},
                    GoldenFile{"packagist", "packagist-versions-generated.txt", 8543},
                    GoldenFile{"pub", "pub-versions.txt", 83},
                    GoldenFile{"pypi", "pypi-versions.txt", 32},
                    GoldenFile{"pypi", "pypi-versions-generated.txt", 9880},
                    GoldenFile{"redhat", "redhat-versions.txt", 126},
                    GoldenFile{"rubygems", "rubygems-versions.txt", 18},
                    GoldenFile{"rubygems", "rubygems-versions-generated.txt", 3304},
                    GoldenFile{"semver", "semver-versions.txt", 66}),
    [](const testing::TestParamInfo<GoldenFile>& one) {
      std::string name = one.param.file;
      name = name.substr(0, name.find('.'));
      std::erase(name, '-');
      return name;
    });

}  // namespace
}  // namespace vigil::version
