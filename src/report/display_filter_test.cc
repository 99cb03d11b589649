#include "report/display_filter.h"

#include <gtest/gtest.h>

namespace vigil::report {
namespace {

Finding finding(std::string id, Severity severity, FixState state) {
  Finding one;
  one.id = std::move(id);
  one.severity = severity;
  one.state = state;
  if (state == FixState::kFixed) one.fixed_versions = {"2"};
  return one;
}

Report sample() {
  Report report;
  report.findings = {finding("A", Severity::kCritical, FixState::kFixed),
                     finding("B", Severity::kHigh, FixState::kWillNotFix),
                     finding("C", Severity::kUnknown, FixState::kAffected),
                     finding("D", Severity::kHigh, FixState::kFixed)};
  report.findings[3].fixed_versions.clear();  // In no version that is known: affected.
  report.notices = {finding("N", Severity::kUnknown, FixState::kAffected)};
  return report;
}

std::string shown(const DisplayFilter& filter) {
  std::string ids;
  for (const Finding& one : filtered(sample(), filter).findings) ids += one.id;
  return ids;
}

TEST(DisplayFilter, WordsThatMeanNothingAreRefused) {
  EXPECT_FALSE(parse_severities("high,severe"));
  EXPECT_FALSE(parse_severities(""));
  EXPECT_FALSE(parse_severities("high,"));
  EXPECT_FALSE(parse_fix_states("open"));
  EXPECT_EQ(parse_severities("HIGH,critical").value(),
            (std::vector{Severity::kHigh, Severity::kCritical}));
  EXPECT_EQ(parse_fix_states("fixed,wont-fix").value(),
            (std::vector{FixState::kFixed, FixState::kWillNotFix, FixState::kEndOfLife}));
}

TEST(DisplayFilter, ShowsWhatFitsAndCountsTheRest) {
  EXPECT_EQ(shown({}), "ABCD");
  EXPECT_EQ(shown({.severities = {Severity::kHigh}, .ignored_states = {}}), "BD");
  EXPECT_EQ(shown({.severities = {Severity::kUnknown, Severity::kCritical}, .ignored_states = {}}),
            "AC");
  EXPECT_EQ(shown({.severities = {}, .ignored_states = {FixState::kFixed}}), "BCD");
  EXPECT_EQ(shown({.severities = {}, .ignored_states = {FixState::kAffected}}), "AB");
  const Report report = filtered(sample(), {.severities = {Severity::kHigh}, .ignored_states = {}});
  EXPECT_EQ(report.not_shown_count, 2u);
  EXPECT_EQ(report.notices.size(), 1u);
}

}  // namespace
}  // namespace vigil::report
