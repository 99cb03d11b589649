#include "match/severity_words.h"

#include <gtest/gtest.h>

namespace vigil::match {
namespace {

TEST(SeverityWordsTest, WordsThatAreNoJudgementGiveNothing) {
  EXPECT_EQ(severity_of_word("debian-12", "not yet assigned"), std::nullopt);
  EXPECT_EQ(severity_of_word("debian-12", "end-of-life"), std::nullopt);
  EXPECT_EQ(severity_of_word("ubuntu-22.04", "untriaged"), std::nullopt);
  EXPECT_EQ(severity_of_word("go", ""), std::nullopt);
  EXPECT_EQ(severity_of_word("almalinux-9", "urgent"), std::nullopt);
}

TEST(SeverityWordsTest, EachVendorHasItsOwnWords) {
  EXPECT_EQ(severity_of_word("debian-12", "unimportant"), Severity::kNegligible);
  EXPECT_EQ(severity_of_word("debian-12", "low*"), Severity::kLow);
  EXPECT_EQ(severity_of_word("debian-12", "high"), Severity::kHigh);
  // Debian has no "critical": a word that it never uses is not guessed at.
  EXPECT_EQ(severity_of_word("debian-12", "critical"), std::nullopt);
  EXPECT_EQ(severity_of_word("ubuntu-20.04", "negligible"), Severity::kNegligible);
  EXPECT_EQ(severity_of_word("almalinux-8", "Moderate"), Severity::kMedium);
  EXPECT_EQ(severity_of_word("redhat-9", "Important"), Severity::kHigh);
  EXPECT_EQ(severity_of_word("maven", "MODERATE"), Severity::kMedium);
  EXPECT_EQ(severity_of_word("bitnami", "Critical"), Severity::kCritical);
}

}  // namespace
}  // namespace vigil::match
