#include "base/glob.h"

#include <gtest/gtest.h>

namespace vigil {
namespace {

TEST(Glob, MatchesWholeTexts) {
  struct Case {
    std::string_view pattern;
    std::string_view text;
    bool fits;
  };
  const Case cases[] = {
      {"", "", true},
      {"", "a", false},
      {"zlib1g", "zlib1g", true},
      {"zlib", "zlib1g", false},
      {"g++", "g++", true},
      {"lib*", "libssl3", true},
      {"lib*3", "libssl3", true},
      {"lib*4", "libssl3", false},
      {"*", "", true},
      {"*", "a/b", false},
      {"?", "/", false},
      {"a?c", "abc", true},
      {"usr/*/x", "usr/lib/x", true},
      {"usr/*/x", "usr/lib/a/x", false},
      {"usr/**", "usr/lib/a/x", true},
      {"usr/**", "usr/", true},
      {"usr/**", "usr", false},
      {"**/x", "x", true},
      {"**/x", "a/b/x", true},
      {"**/x", "a/bx", false},
      {"a/**/x", "a/x", true},
      {"a/**/x", "a/b/c/x", true},
      {"a/**/x", "a/bx", false},
      {"**/node_modules/**", "app/node_modules/a/package.json", true},
      {"**", "anything/at all", true},
      {"a**b", "a/x/b", true},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(glob_matches(one.pattern, one.text), one.fits) << one.pattern << " on " << one.text;
  }
}

TEST(Glob, TimeFollowsFromTheLengths) {
  std::string pattern;
  for (int i = 0; i < 300; ++i) pattern += "*a";
  // A search that tries every way would not end.
  EXPECT_FALSE(glob_matches(pattern, std::string(1000, 'a') + "b"));
}

TEST(Glob, RefusesWhatOthersGiveAMeaning) {
  EXPECT_TRUE(check_glob("usr/**/*.js?"));
  EXPECT_EQ(check_glob("a{b,c}").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(check_glob("[a-z]").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(check_glob(std::string(2000, 'a')).error().code, ErrorCode::kTooLarge);
}

}  // namespace
}  // namespace vigil
