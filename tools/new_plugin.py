#!/usr/bin/env python3
"""Writes the empty set of files for a new part, which builds, and passes its own test.

usage: tools/new_plugin.py KIND NAME

KIND: cataloger, feed, matcher, scheme, source, format or command; NAME: lower_case. What comes next
stands in docs/add_a_KIND.md (add_a_version_scheme.md, add_an_image_source.md).
"""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")

# In the texts NAME is the name and TITLE its CamelCase form.

CATALOGER = """// NAME: where its database comes from, and the specification of its format.
#include "base/limits.h"
#include "catalog/cataloger.h"
#include "catalog/gap_list.h"

namespace vigil::catalog {

namespace {

constexpr image::Claim kDatabases[] = {
    {image::ClaimKind::kPath, "var/lib/NAME/installed", limits::kPackageListBytesMax},
};

Result<CatalogOutput> catalog_NAME(const CatalogInput& input) {
  CatalogOutput output;
  GapList gaps{std::string(input.path)};
  gaps.add(GapKind::kUnsupported, "not read yet");
  output.gaps = gaps.finish();
  return output;
}

}  // namespace

extern const Cataloger NAME_cataloger;
const Cataloger NAME_cataloger = {
    .name = "NAME",
    .version = 1,
    .databases = kDatabases,
    .support = {},
    .catalog = catalog_NAME,
};

}  // namespace vigil::catalog
"""

CATALOGER_TEST = """#include <gtest/gtest.h>

#include "catalog/cataloger.h"
#include "catalog/fake_fs.h"

namespace vigil::catalog {

extern const Cataloger NAME_cataloger;

namespace {

TEST(TITLECataloger, AnEmptyDatabaseHasNoPackages) {
  const FakeFs fs;
  const auto output = NAME_cataloger.catalog(
      {.path = "var/lib/NAME/installed", .content = "", .fs = fs, .files_wanted = true});
  ASSERT_TRUE(output.has_value());
  EXPECT_EQ(output->packages, std::vector<Package>());
}

}  // namespace
}  // namespace vigil::catalog
"""

CATALOGER_FUZZ = """#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "catalog/cataloger.h"
#include "catalog/fake_fs.h"

namespace vigil::catalog {
extern const Cataloger NAME_cataloger;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const vigil::catalog::FakeFs fs;
  const auto output =
      vigil::catalog::NAME_cataloger.catalog({.path = "var/lib/NAME/installed",
                                              .content = vigil::as_text({data, size}),
                                              .fs = fs,
                                              .files_wanted = true});
  CHECK(output.has_value());
  for (const vigil::OwnedFile& file : output->files) CHECK(file.package < output->packages.size());
  return 0;
}
"""

FEED = """// NAME: who publishes it, in which format, and what its statements mean (docs/feeds.md).
#include "advisory/feed.h"
#include "base/limits.h"
#include "decode/archive.h"

namespace vigil::advisory {

namespace {

constexpr std::string_view kPatterns[] = {"NAME/*.json"};

Status parse(const FeedFile& file, AdvisorySink& sink) {
  TRY(decode::read_maybe_compressed(file.absolute_path, limits::kDocumentBytesMax));
  sink.add_source("NAME", "NAME", file.coverage, file.as_of);
  return {};
}

}  // namespace

extern const Feed NAME_feed;
const Feed NAME_feed = {
    .name = "NAME",
    .patterns = kPatterns,
    .addresses = {},
    .coverage = {.is_fixed_only = true, .is_subset = false},
    .licence = "",
    .attribution = "",
    .is_embeddable = false,
    .parse = parse,
};

}  // namespace vigil::advisory
"""

FEED_TEST = """#include <gtest/gtest.h>

#include "advisory/feed_files.h"
#include "advisory/recording_sink.h"

namespace vigil::advisory {
namespace {

TEST(TITLEFeedTest, AFileWithoutRecordsStillSpeaksForItsShard) {
  const TemporaryFeed file("{}");
  RecordingSink sink;
  ASSERT_TRUE(find_feed("NAME")->parse(file.at("NAME/all.json"), sink).has_value());
  EXPECT_EQ(sink.sources.size(), 1u);
}

}  // namespace
}  // namespace vigil::advisory
"""

FEED_FUZZ = """// A feed is read from a file, so the input goes through one in memory.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "advisory/feed.h"
#include "advisory/recording_sink.h"
#include "base/check.h"

namespace vigil::advisory {
extern const Feed NAME_feed;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int fd = memfd_create("NAME_fuzz", MFD_CLOEXEC);
  CHECK(fd >= 0 && write(fd, data, size) == static_cast<ssize_t>(size));
  vigil::advisory::FeedFile file;
  file.path = "NAME/all.json";
  file.absolute_path = "/proc/self/fd/" + std::to_string(fd);
  vigil::advisory::RecordingSink sink;
  static_cast<void>(vigil::advisory::NAME_feed.parse(file, sink));
  close(fd);
  return 0;
}
"""

MATCHER = """// NAME: the names that its advisories use, which has the last word (docs/matching.md).
#include "match/rules.h"

namespace vigil::match {

namespace {

bool owns(const Package& package, const Distro& distro) {
  return package.kind == PackageKind::kRpm && distro.id == "NAME";
}

Plan plan(const Package& package, const Distro& distro) { return rpm_plan(package, distro, {}); }

}  // namespace

extern const Matcher NAME_matcher;
const Matcher NAME_matcher = {
    .name = "NAME",
    .packages = "rpm packages of NAME",
    .owns = owns,
    .plan = plan,
    .decide = decide_rpm,
    .settle = settle_plain,
};

}  // namespace vigil::match
"""

MATCHER_TEST = """#include <gtest/gtest.h>

#include "match/matcher.h"

namespace vigil::match {

extern const Matcher NAME_matcher;

namespace {

TEST(TITLEMatcher, OwnsItsPackagesOnly) {
  Package package;
  package.kind = PackageKind::kRpm;
  Distro distro;
  EXPECT_FALSE(NAME_matcher.owns(package, distro));
  distro.id = "NAME";
  EXPECT_TRUE(NAME_matcher.owns(package, distro));
}

}  // namespace
}  // namespace vigil::match
"""

SCHEME = """// NAME: the specification of its order, and what becomes of other text.
#include "version/text.h"
#include "version/version.h"

namespace vigil::version {

namespace {

bool is_valid(std::string_view version) { return !take_digits(version).empty(); }

}  // namespace

extern const Scheme NAME_scheme;
const Scheme NAME_scheme = {.name = "NAME",
                            .reference = "the specification",
                            .is_valid = is_valid,
                            .compare = compare_number_lists};

}  // namespace vigil::version
"""

SCHEME_TEST = """#include <gtest/gtest.h>

#include "version/version.h"

namespace vigil::version {

extern const Scheme NAME_scheme;

namespace {

TEST(TITLEScheme, Order) {
  const std::string_view sorted[] = {"1.0", "1.2", "1.10"};
  for (size_t i = 1; i < std::size(sorted); ++i) {
    EXPECT_TRUE(NAME_scheme.compare(sorted[i - 1], sorted[i]) < 0) << sorted[i];
    EXPECT_TRUE(NAME_scheme.compare(sorted[i], sorted[i - 1]) > 0) << sorted[i];
  }
}

}  // namespace
}  // namespace vigil::version
"""

SOURCE = """// NAME: what writes such images, and the specification of their layout.
#include "image/image.h"

namespace vigil::image {

namespace {

bool recognises(FileAccess&) { return false; }

Result<std::unique_ptr<Image>> open(FileAccess&, const ImageRef&, const OpenOptions&) {
  return fail(ErrorCode::kUnsupported, "NAME images are not read yet");
}

}  // namespace

// Give it a TargetKind of its own in model/sbom.h.
extern const ImageSource NAME_source;
constexpr ImageSource NAME_source = {"NAME", TargetKind::kDirectory, recognises, open};

}  // namespace vigil::image
"""

SOURCE_TEST = """#include <gtest/gtest.h>

#include <algorithm>

#include "image/image.h"

namespace vigil::image {

extern const ImageSource NAME_source;

namespace {

TEST(TITLESource, IsListed) {
  EXPECT_EQ(std::ranges::count(all_sources(), &NAME_source), 1);
}

}  // namespace
}  // namespace vigil::image
"""

FORMAT = """// NAME: the specification or the program whose output it follows.
#include "report/format.h"

namespace vigil::report {

namespace {

Result<std::string> write_report(const Report& report, const WriteOptions&) {
  return "NAME " + report.tool_version + "\\n";
}

}  // namespace

extern const Format NAME_format;
const Format NAME_format = {
    .name = "NAME",
    .summary = "one line for help",
    .reference = "the specification",
    .write_report = write_report,
    .write_sbom = nullptr,
};

}  // namespace vigil::report
"""

FORMAT_TEST = """#include <gtest/gtest.h>

#include "report/format.h"

namespace vigil::report {

extern const Format NAME_format;

namespace {

TEST(TITLEFormat, AnEmptyReport) {
  Report report;
  report.tool_version = "1";
  EXPECT_EQ(NAME_format.write_report(report, {}).value_or("failed"), "NAME 1\\n");
}

}  // namespace
}  // namespace vigil::report
"""

COMMAND = """#include "cli/command.h"

namespace vigil::cli {

namespace {

Result<ExitCode> run(const Arguments&) {
  TRY(print("NAME\\n"));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command NAME_command;
const Command NAME_command = {
    .name = "NAME",
    .operands = "",
    .summary = "One line for the help.",
    .details = "",
    .flags = {},
    .run = run,
};

}  // namespace vigil::cli
"""

COMMAND_TEST = """#include <gtest/gtest.h>

#include "cli/command.h"

namespace vigil::cli {
namespace {

TEST(TITLECommand, Passes) {
  const std::string words[] = {"NAME"};
  EXPECT_EQ(run_command_line(words), 0);
}

}  // namespace
}  // namespace vigil::cli
"""

# Kind: folder, .def file, what is written.
KINDS = {
    "cataloger": ("catalog/catalogers", "catalog/catalogers.def",
                  {".cc": CATALOGER, "_test.cc": CATALOGER_TEST, "_fuzz.cc": CATALOGER_FUZZ}),
    "feed": ("advisory/feeds", "advisory/feeds.def",
             {".cc": FEED, "_test.cc": FEED_TEST, "_fuzz.cc": FEED_FUZZ}),
    "matcher": ("match/matchers", "match/matchers.def",
                {".cc": MATCHER, "_test.cc": MATCHER_TEST}),
    "scheme": ("version/schemes", "version/schemes.def",
               {".cc": SCHEME, "_test.cc": SCHEME_TEST}),
    "source": ("image/sources", "image/sources.def", {".cc": SOURCE, "_test.cc": SOURCE_TEST}),
    "format": ("report/formats", "report/formats.def",
               {".cc": FORMAT, "_test.cc": FORMAT_TEST}),
    "command": ("cli/commands", "cli/commands.def",
                {".cc": COMMAND, "_test.cc": COMMAND_TEST}),
}


def add_line(def_path, name, is_sorted):
    """Puts NAME's line into a .def file, in the form its other lines have."""
    with open(def_path) as file:
        lines = file.read().splitlines()
    places = [i for i, line in enumerate(lines) if re.fullmatch(r"[A-Z_]+\(\w+\)", line)]
    macro = lines[places[0]].split("(")[0]
    at = places[-1] + 1
    if is_sorted:
        at = next((i for i in places if lines[i] > f"{macro}({name})"), at)
    lines.insert(at, f"{macro}({name})")
    with open(def_path, "w") as file:
        file.write("\n".join(lines) + "\n")


def write(root, kind, name):
    """Writes the set into the tree at `root`; returns the paths written, relative to it."""
    folder, def_path, files = KINDS[kind]
    title = "".join(word.capitalize() for word in name.split("_"))
    written = {}
    for ending, text in files.items():
        written[f"src/{folder}/{name}{ending}"] = text.replace("NAME", name).replace("TITLE", title)
    if "_fuzz.cc" in files:
        # A first seed; put real files of small size beside it.
        written[f"src/{folder}/testdata/{name}_fuzz/one"] = "{}\n"
    for path in written:
        if os.path.exists(os.path.join(root, path)):
            raise FileExistsError(f"{path} is already there")
    for path, text in written.items():
        os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
        with open(os.path.join(root, path), "w") as file:
            file.write(text)
    add_line(os.path.join(root, "src", def_path), name, kind != "command")
    return [*written, f"src/{def_path}"]


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in KINDS or not re.fullmatch(r"[a-z][a-z0-9_]*",
                                                                            arguments[1]):
        print(__doc__.strip(), file=sys.stderr)
        return 1
    try:
        for path in write(ROOT, *arguments):
            print(path)
    except FileExistsError as error:
        print(f"new_plugin: {error}", file=sys.stderr)
        return 1
    print("next: run clang-format-19 -i on them, and add a line to CHANGELOG.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
