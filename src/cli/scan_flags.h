// What scan, sbom and explain share: flags, where results go, what is told beside them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "report/display_filter.h"
#include "report/format.h"
#include "scan/scan.h"

namespace vigil::cli {

constexpr Flag kPlatformFlag = {"platform", 0, "OS/ARCH[/VARIANT]",
                                "Which image of an index: linux/arm64/v8. Default: linux on this\n"
                                "machine's architecture."};
constexpr Flag kDistroFlag = {
    "distro", 0, "NAME-RELEASE",
    "Take the packages as this distribution's, whatever the target says:\n"
    "debian-12, alpine:3.17, ubuntu:jammy."};
constexpr Flag kFilesFlag = {"files", 0, "", "Write the files each package owns, too (json)."};
constexpr Flag kThreadsFlag = {"threads", 0, "N",
                               "Threads to work with. Default: one per processor. Results are the\n"
                               "same with any number."};
constexpr Flag kVerifyFlag = {"verify-diff-ids", 0, "",
                              "Hash what is inside the layers, too, and compare it with what the\n"
                              "image claims. Costs one SHA-256 over the unpacked layers."};
constexpr Flag kCacheFlag = {"cache-dir", 0, "DIR",
                             "Where inventories are kept. Default: /var/cache/vigil for root,\n"
                             "$XDG_CACHE_HOME/vigil or ~/.cache/vigil for others."};
constexpr Flag kNoCacheFlag = {"no-cache", 0, "", "Neither read nor write the cache."};
constexpr Flag kStatsFlag = {
    "stats", 0, "",
    "Say on standard error how long each phase took, what was read, how much memory it took, and "
    "which protections of the parsing child were on."};
constexpr Flag kSeverityFlag = {
    "severity", 0, "LIST",
    "Show findings of these severities only, whatever the gates are: high,critical."};
constexpr Flag kOnlyFixedFlag = {"only-fixed", 0, "", "Show findings with a fix only."};
constexpr Flag kOnlyNotFixedFlag = {"only-notfixed", 0, "", "Show findings without a fix only."};
constexpr Flag kIgnoreStatesFlag = {
    "ignore-states", 0, "LIST",
    "Don't show findings whose fix is in one of these states: affected, fixed, will_not_fix, "
    "fix_deferred, end_of_life, under_investigation, or as Grype calls them."};
constexpr Flag kShowSuppressedFlag = {
    "show-suppressed", 0, "",
    "Show what ignore rules set aside, too (table, sarif, cyclonedx; the other formats have a "
    "place for it)."};
constexpr Flag kAllFlag = {"all", 0, "", "List all findings on a terminal, too."};
constexpr Flag kShortFlag = {"short", 0, "", "List the most urgent only, in a pipe, too."};
constexpr Flag kQuietFlag = {"quiet", 'q', "", "Nothing on standard error but errors."};

// From the flags above, those that the command has.
Result<scan::ScanOptions> scan_options(const Arguments& arguments);
// The one operand; an Error says what a target may be.
Result<std::string> target_operand(const Arguments& arguments);

// What is shown, from --severity, --only-fixed, --only-notfixed and --ignore-states.
Result<report::DisplayFilter> display_filter(const Arguments& arguments);

// For what goes to standard output: its width and colours, where it is a terminal.
report::WriteOptions terminal_options();

enum class Content { kReport, kSbom };

// One -o FORMAT[=FILE].
struct Output {
  const report::Format* format = nullptr;
  std::string file;  // "": standard output.
};
// The table on standard output where none is given; at most one goes there.
Result<std::vector<Output>> outputs_of(const Arguments& arguments, Content content);
Status write_outputs(std::span<const Output> outputs, Content content, const Report& report,
                     const Arguments& arguments);

// Notes and --stats, on standard error.
void tell(const scan::ScanOutcome& outcome, const Arguments& arguments);

}  // namespace vigil::cli
