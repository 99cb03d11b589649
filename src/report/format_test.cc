#include "report/format.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "report/display_width.h"
#include "report/report_reader.h"
#include "report/sample_report.h"
#include "report/sbom_reader.h"
#include "report/text_table.h"

namespace vigil::report {
namespace {

std::string expected_path(const std::string& name) {
  return std::string(VIGIL_SOURCE_DIR) + "/src/report/testdata/expected/" + name;
}

// Compares with the file, or writes it where VIGIL_UPDATE_EXPECTED is set.
void expect_file(const std::string& text, const std::string& name) {
  if (std::getenv("VIGIL_UPDATE_EXPECTED") != nullptr) {
    std::ofstream(expected_path(name), std::ios::binary) << text;
    return;
  }
  std::ifstream in(expected_path(name), std::ios::binary);
  EXPECT_TRUE(in) << name;
  EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(in), {})) << name;
}

std::string written(const std::string& format, const Report& report,
                    const WriteOptions& options = {}) {
  const Format* found = find_format(format);
  EXPECT_NE(found, nullptr) << format;
  const auto text = found->write_report(report, options);
  EXPECT_TRUE(text) << format;
  return text.value_or("");
}

std::string written_sbom(const std::string& format, const Report& report) {
  const auto text = find_format(format)->write_sbom(report, {});
  EXPECT_TRUE(text) << format;
  return text.value_or("");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Without the colours that the table itself writes.
std::string without_colours(std::string text) {
  for (size_t at = 0; (at = text.find("\x1b[", at)) != std::string::npos;) {
    text.erase(at, text.find('m', at) - at + 1);
  }
  return text;
}

TEST(TerminalText, MakesControlCharactersVisible) {
  struct Case {
    std::string text;
    std::string safe;
  };
  const std::vector<Case> cases = {
      {"plain \xc3\xa4 \xe5\xb1\x80 \xf0\x9f\x90\x9f",
       "plain \xc3\xa4 \xe5\xb1\x80 \xf0\x9f\x90\x9f"},
      {"\x1b[2J", "\\x1b[2J"},
      {std::string("a\0b\n\t\x7f", 6), "a\\x00b\\x0a\\x09\\x7f"},
      {"\xc2\x9b"
       "31m",
       "\\u009b31m"},  // CSI as one character of C1.
      {"\x9b"
       "31m",
       "\ufffd31m"},  // And as a byte.
      {"\xe2\x80\xae"
       "gpj",
       "\\u202egpj"},  // Right-to-left override.
      {"\xe2\x81\xa6"
       "x\xe2\x80\x8bz",
       "\\u2066x\\u200bz"},
      {"\xf3\xa0\x81\x81", "\\U000e0041"},  // A tag character.
      {"\xff\xc3(\xe2\x82", "\ufffd\ufffd(\ufffd\ufffd"},
      {"\xc0\x9b\xed\xa0\x80", "\ufffd\ufffd\ufffd\ufffd\ufffd"},  // Overlong; a surrogate.
  };
  for (const Case& test : cases) EXPECT_EQ(terminal_text(test.text), test.safe);
}

TEST(DisplayWidth, CountsCells) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("\xe5\xb1\x80\xe9\x83\xa8"), 4u);
  EXPECT_EQ(display_width("e\xcc\x81"), 1u);
}

TEST(TextTable, BreaksBehindSpacesAndMarks) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(broken("", 5), Lines{});
  EXPECT_EQ(broken("abcdef", 6), Lines{"abcdef"});
  EXPECT_EQ(broken("abcdef", 4), (Lines{"abcd", "ef"}));
  EXPECT_EQ(broken("abc def", 3), (Lines{"abc", "def"}));
  EXPECT_EQ(broken("libpython3.11 and 7 more", 15), (Lines{"libpython3.11", "and 7 more"}));
  EXPECT_EQ(broken("3.11.2-6+deb12u7", 15), (Lines{"3.11.2-6+", "deb12u7"}));
  EXPECT_EQ(broken("a   b  ", 2), (Lines{"a", "b"}));
  EXPECT_EQ(broken("    ", 2), Lines{});
  EXPECT_EQ(broken("\xe5\xb1\x80\xe9\x83\xa8x", 3), (Lines{"\xe5\xb1\x80", "\xe9\x83\xa8x"}));
}

TEST(TextTable, LosesNoTextAtAnyWidth) {
  const std::vector<Column> columns = {{.title = "NAME", .width_min = 8},
                                       {.title = "VERSION", .width_min = 8},
                                       {.title = "ID"},
                                       {.title = "EXTRA", .drop_order = 1}};
  const std::vector<Row> rows = {{{"a-long-name-of-a-package"},
                                  {"1:2.3.4-5+deb12u6~bpo1"},
                                  {"CVE-2024-12345"},
                                  {"dispensable"}},
                                 {{"short"}, {"1"}, {"GHSA-xxxx-yyyy-zzzz"}, {""}}};
  for (size_t width = 8; width < 100; ++width) {
    const std::string text =
        text_table(columns, rows, {.width_max = width, .indent = 2, .is_coloured = false});
    // All characters of each column, in their order, whatever is between them.
    for (const Row& row : rows) {
      for (size_t i = 0; i < 3; ++i) {
        size_t at = 0;
        for (const char c : row[i].text) {
          at = text.find(c, at);
          ASSERT_NE(at, std::string::npos) << row[i].text << " at " << width << "\n" << text;
          ++at;
        }
      }
    }
    for (const std::string& line : lines_of(text)) EXPECT_LE(display_width(line), width) << text;
  }
}

TEST(Formats, WriteTheExpectedFiles) {
  const Report report = sample_report();
  for (const Format* format : all_formats()) {
    const std::string name(format->name);
    const std::string end = name == "table" ? ".txt" : ".json";
    WriteOptions options;
    options.with_files = true;
    const std::string text = written(name, report, options);
    expect_file(text, name + end);
    EXPECT_EQ(text, written(name, report, options)) << name << " is not deterministic";
    if (format->write_sbom != nullptr) {
      expect_file(written_sbom(name, report), name + "-sbom" + end);
    }
  }
}

TEST(Formats, CarryWhatWasSeenInUse) {
  const Report report = sample_exposure();
  for (const std::string name :
       {"cyclonedx", "grype-json", "json", "openvex", "sarif", "spdx", "trivy-json"}) {
    expect_file(written(name, report), name + "-exposure.json");
  }
  for (const size_t columns : {0, 80, 120}) {
    WriteOptions options;
    options.columns = columns;
    expect_file(written("table", report, options),
                "table-exposure-" + std::to_string(columns) + ".txt");
  }
}

TEST(Formats, TellWhatChangedInARunningRoot) {
  const Report report = sample_live_root();
  for (const std::string name : {"cyclonedx", "json", "sarif", "spdx"}) {
    expect_file(written(name, report), name + "-live.json");
  }
  for (const size_t columns : {0, 80, 120}) {
    WriteOptions options;
    options.columns = columns;
    expect_file(written("table", report, options),
                "table-live-" + std::to_string(columns) + ".txt");
  }
}

// A document without a statement is none (OpenVEX's schema wants one), and the format says so.
TEST(Formats, WriteNoOpenVexWithoutFindings) {
  Report report = sample_report();
  report.findings.clear();
  EXPECT_EQ(written("openvex", report), "");
  for (const Format* format : all_formats()) {
    EXPECT_EQ(written(std::string(format->name), report).empty(), !format->why_empty.empty())
        << format->name;
  }
}

TEST(Formats, WriteJsonFromAnyBytes) {
  Report report = sample_report();
  for (Package& package : report.sbom.packages) {
    package.name = std::string("\x00\xff\"\\</script>\xed\xa0\x80", 16);
    package.purl = package.version = package.licence = package.source.name = package.name;
  }
  for (Finding& finding : report.findings) {
    finding.id = finding.vendor_severity = report.sbom.packages[0].name;
  }
  JsonDocument document;
  for (const Format* format : all_formats()) {
    if (format->name == "table") continue;
    const std::string text = written(std::string(format->name), report);
    EXPECT_TRUE(document.parse(text)) << format->name;  // Refuses what is not UTF-8.
  }
}

TEST(Table, IsNeverWiderThanTheTerminal) {
  for (const Report& report :
       {sample_report(), large_report(600), sample_exposure(), sample_live_root()}) {
    for (const size_t columns : {20, 40, 80, 100, 120, 200}) {
      for (const bool is_coloured : {false, true}) {
        WriteOptions options;
        options.columns = columns;
        options.is_coloured = is_coloured;
        const std::string text = without_colours(written("table", report, options));
        for (const std::string& line : lines_of(text)) {
          EXPECT_LE(display_width(line), columns) << line;
          EXPECT_FALSE(line.ends_with(' ')) << line;
        }
        EXPECT_EQ(text, terminal_text(text).empty() ? "" : text);
        for (const std::string& line : lines_of(text)) EXPECT_EQ(line, terminal_text(line));
      }
    }
  }
}

TEST(TextTable, AHostileNameStaysSmall) {
  const std::vector<Row> rows = {{{std::string(100'000, 'x')}, {"CVE-1"}}};
  const std::vector<Column> columns = {{.title = "NAME", .width_min = 8}, {.title = "ID"}};
  for (const size_t width : {8, 40}) {
    const std::string text =
        text_table(columns, rows, {.width_max = width, .indent = 2, .is_coloured = false});
    EXPECT_LT(lines_of(text).size(), 20u);
    EXPECT_NE(text.find("…"), std::string::npos);
  }
}

// A hostile name must not make every other line as long as itself.
TEST(Table, StaysSmallInAPipe) {
  Report report = large_report(600);
  const size_t before = written("table", report).size();
  report.sbom.packages[0].name = std::string(4096, 'x');
  const std::string text = written("table", report);
  EXPECT_NE(text.find(report.sbom.packages[0].name), std::string::npos);
  EXPECT_LT(text.size(), 2 * before);
}

TEST(Table, LooksRightOnTerminals) {
  for (const size_t columns : {80, 120, 200}) {
    WriteOptions options;
    options.columns = columns;
    expect_file(written("table", large_report(600), options),
                "table-600-" + std::to_string(columns) + ".txt");
  }
  WriteOptions options;
  options.columns = 100;
  options.is_coloured = true;
  expect_file(written("table", sample_report(), options), "table-colour-100.txt");
}

TEST(Table, TellsOnTheFirstScreenWhatToDoFirst) {
  WriteOptions options;
  options.columns = 80;
  const std::vector<std::string> lines = lines_of(written("table", large_report(600), options));
  const auto heading = std::ranges::find_if(
      lines, [](const std::string& line) { return line.starts_with("What to do first"); });
  const auto findings = std::ranges::find(lines, "Findings, most urgent first");
  ASSERT_NE(findings, lines.end());
  EXPECT_LT(heading, findings);
  EXPECT_LE(findings - lines.begin(), 24);  // A screen of 24 lines holds all of it.
  EXPECT_LE(lines.size(), 60u);             // And what is behind it doesn't push it far away.
  // A pipe gets all.
  EXPECT_GT(lines_of(written("table", large_report(600))).size(), 600u);
}

TEST(Table, IsShortInAPipeWhereItIsAskedTo) {
  WriteOptions options;
  options.is_short = true;
  EXPECT_LT(lines_of(written("table", large_report(600), options)).size(), 60u);
  options.lists_all = true;
  EXPECT_GT(lines_of(written("table", large_report(600), options)).size(), 600u);
}

TEST(Table, CallsNothingCleanThatWasNotChecked) {
  Report report = sample_report();
  report.findings.clear();
  const auto findings = [&] {
    for (const std::string& line : lines_of(written("table", report))) {
      if (line.starts_with("Findings ")) return line;
    }
    return std::string();
  };
  const size_t packages = report.verdicts.size();
  ASSERT_GT(packages, 1u);
  report.verdicts.assign(packages, {PackageState::kClean, ""});
  EXPECT_EQ(findings(), "Findings   none");
  report.verdicts[0] = {PackageState::kNotCheckable, "no advisories"};
  EXPECT_EQ(findings(), "Findings   none, but 1 package could not be checked");
  report.verdicts.assign(packages, {PackageState::kNotCheckable, "no advisories"});
  EXPECT_EQ(findings(), "Findings   not known: nothing could be checked");
}

TEST(Json, RoundTripIsExact) {
  WriteOptions options;
  options.with_files = true;
  const Report report = sample_report();
  const std::string text = written("json", report, options);
  const auto read = read_report(text);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, report);
  EXPECT_EQ(written("json", *read, options), text);

  const Report exposure = sample_exposure();
  const auto read_exposure = read_report(written("json", exposure, options));
  ASSERT_TRUE(read_exposure) << read_exposure.error().text();
  EXPECT_EQ(*read_exposure, exposure);

  const Report live_root = sample_live_root();
  const auto read_live_root = read_report(written("json", live_root, options));
  ASSERT_TRUE(read_live_root) << read_live_root.error().text();
  EXPECT_EQ(*read_live_root, live_root);

  Report inventory;
  inventory.tool_version = report.tool_version;
  inventory.created_at = report.created_at;
  inventory.sbom = report.sbom;
  const auto read_inventory = read_report(written_sbom("json", inventory));
  ASSERT_TRUE(read_inventory);
  EXPECT_EQ(*read_inventory, inventory);
}

// What documents of others must keep of a package.
Package kept(const Package& package) {
  Package out;
  out.kind = package.kind;
  out.name = package.name;
  out.version = package.version;
  out.arch = package.arch;
  out.source = package.source;
  out.licence = package.licence;
  out.location.layer = package.location.layer;
  out.purl = package.purl;
  return out;
}

TEST(Sboms, AreReadBackWithTheirPackages) {
  Report report = sample_report();
  Package rpm;
  rpm.kind = PackageKind::kRpm;
  rpm.name = "openssl-libs";
  rpm.version = "1:1.1.1k-12.el8";
  rpm.arch = "x86_64";
  rpm.source = {"openssl", "1:1.1.1k-12.el8"};
  rpm.purl =
      "pkg:rpm/redhat/openssl-libs@1.1.1k-12.el8"
      "?arch=x86_64&distro=redhat-8&epoch=1&upstream=openssl-1.1.1k-12.el8.src.rpm";
  // In the place of the package whose kind is not known, and of which documents keep less.
  report.sbom.packages[0] = rpm;
  sort_packages(report.sbom.packages);
  for (const std::string name : {"cyclonedx", "spdx", "syft-json", "json"}) {
    const auto sbom = read_sbom(written_sbom(name, report));
    ASSERT_TRUE(sbom) << name << sbom.error().text();
    EXPECT_EQ(sbom->distro.text(), report.sbom.distro.text()) << name;
    EXPECT_EQ(sbom->target.kind, TargetKind::kSbom) << name;
    EXPECT_EQ(sbom->target.name, "shop.tar") << name;
    ASSERT_EQ(sbom->packages.size(), report.sbom.packages.size()) << name;
    for (size_t i = 0; i < sbom->packages.size(); ++i) {
      EXPECT_EQ(kept(sbom->packages[i]), kept(report.sbom.packages[i]))
          << name << ": " << report.sbom.packages[i].name;
    }
  }
}

TEST(Json, IsRefusedWhereItIsWrong) {
  struct Case {
    std::string from;
    std::string to;
    ErrorCode code;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"vigil/1", "vigil/2", ErrorCode::kUnsupported,
       "a report of schema vigil/2; this program reads vigil/1"},
      {"vigil/1", "other", ErrorCode::kMalformed, "not a JSON report of vigil"},
      {"\"index\": 5", "\"index\": 6", ErrorCode::kMalformed,
       "findings[3]: package.index is no index of the document"},
      {"\"layer\": 1", "\"layer\": 2", ErrorCode::kMalformed,
       "packages[5]: location.layer is no index of the document"},
      {"\"state\": \"clean\"", "\"state\": \"dirty\"", ErrorCode::kMalformed,
       "packages[1]: verdict.state has no meaning 'dirty'"},
  };
  const std::string text = written("json", sample_report());
  for (const Case& test : cases) {
    std::string changed = text;
    ASSERT_NE(changed.find(test.from), std::string::npos) << test.from;
    changed.replace(changed.find(test.from), test.from.size(), test.to);
    const auto read = read_report(changed);
    ASSERT_FALSE(read) << test.to;
    EXPECT_EQ(read.error().code, test.code);
    EXPECT_EQ(read.error().text(), test.message);
  }
}

}  // namespace
}  // namespace vigil::report
