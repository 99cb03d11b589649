#include "decode/yaml.h"

#include <gtest/gtest.h>

namespace vigil::decode {
namespace {

ErrorCode failure_of(const std::string& text) {
  const Result<Yaml> parsed = parse_yaml(text);
  EXPECT_FALSE(parsed.has_value());
  return parsed ? ErrorCode::kCancelled : parsed.error().code;
}

// The tree as one line: scalars quoted, null as ~.
std::string line_of(const Yaml& node) {
  switch (node.kind) {
    case Yaml::Kind::kNull:
      return "~";
    case Yaml::Kind::kScalar:
      return "'" + node.scalar + "'";
    case Yaml::Kind::kList: {
      std::string out = "[";
      for (const Yaml& child : node.list) out += line_of(child) + " ";
      return out + "]";
    }
    case Yaml::Kind::kMap: {
      std::string out = "{";
      for (const auto& [key, child] : node.map) out += key + ": " + line_of(child) + " ";
      return out + "}";
    }
  }
  return "";
}

std::string parsed_line(const std::string& text) {
  const Result<Yaml> parsed = parse_yaml(text);
  return parsed ? line_of(*parsed) : "error: " + parsed.error().text();
}

TEST(YamlTest, MalformedTextIsAnError) {
  EXPECT_EQ(failure_of("a: [1, 2"), ErrorCode::kMalformed);
  EXPECT_EQ(failure_of("a: *nowhere\n"), ErrorCode::kMalformed);
  EXPECT_EQ(failure_of("a: b: c\n"), ErrorCode::kMalformed);
  EXPECT_EQ(failure_of("\"open"), ErrorCode::kMalformed);
}

TEST(YamlTest, ErrorsNameTheLine) {
  const Result<Yaml> parsed = parse_yaml("a: 1\nb: [\n");
  ASSERT_FALSE(parsed.has_value());
  EXPECT_NE(parsed.error().message.find("line 3"), std::string::npos) << parsed.error().message;
}

TEST(YamlTest, DepthIsBounded) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + "x" + std::string(depth, ']');
  };
  EXPECT_TRUE(parse_yaml(nested(64)).has_value());
  EXPECT_EQ(failure_of(nested(65)), ErrorCode::kTooLarge);
  EXPECT_FALSE(parse_yaml(nested(100'000)).has_value());
}

TEST(YamlTest, BillionLaughsIsTooLarge) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += last + ", ";
    text += last + "]\n";
  }
  EXPECT_EQ(failure_of(text), ErrorCode::kTooLarge);
}

TEST(YamlTest, RepeatedCopiesOfLongTextAreTooLarge) {
  std::string text = "long: &long \"" + std::string(1'000'000, 'x') + "\"\nlist:\n";
  for (int i = 0; i < 100; ++i) text += "  - *long\n";
  EXPECT_EQ(failure_of(text), ErrorCode::kTooLarge);
}

TEST(YamlTest, AliasInsideItsOwnNodeIsMalformed) {
  EXPECT_EQ(failure_of("a: &a [*a]\n"), ErrorCode::kMalformed);
}

TEST(YamlTest, UnsupportedForms) {
  EXPECT_EQ(failure_of("a: 1\n---\nb: 2\n"), ErrorCode::kUnsupported);
  EXPECT_EQ(failure_of("? [a, b]\n: c\n"), ErrorCode::kUnsupported);
}

TEST(YamlTest, EmptyTextIsNull) {
  EXPECT_EQ(parsed_line(""), "~");
  EXPECT_EQ(parsed_line("---\n"), "~");
  EXPECT_EQ(parsed_line("# only a comment\n"), "~");
}

TEST(YamlTest, ScalarsKeepTheirText) {
  EXPECT_EQ(parsed_line("[1.10, '0', \"a\\tb\", true, ~, null, 2020-01-01]"),
            "['1.10' '0' 'a\tb' 'true' ~ ~ '2020-01-01' ]");
}

TEST(YamlTest, BlocksAndAliases) {
  EXPECT_EQ(parsed_line("---\nx: &x\n  k: [a]\ny: *x\n"
                        "z:\n- |\n  two\n  lines\n- >-\n  one\n  line\n"),
            "{x: {k: ['a' ] } y: {k: ['a' ] } z: ['two\nlines\n' 'one line' ] }");
}

TEST(YamlTest, LookUpTakesTheFirstOfEqualKeys) {
  const Result<Yaml> parsed = parse_yaml("a: {b: 1, b: 2}\n");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ((*parsed)["a"]["b"].scalar, "1");
  EXPECT_FALSE((*parsed)["a"]["c"]["d"]);
}

}  // namespace
}  // namespace vigil::decode
