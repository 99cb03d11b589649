#include "decode/deb822.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace vigil::decode {
namespace {

using Stanza = std::vector<std::pair<std::string, std::string>>;

struct Document {
  std::vector<Stanza> stanzas;
  uint64_t bad_lines_count = 0;
  bool operator==(const Document&) const = default;
};

Document read(std::string_view text) {
  Document document;
  Deb822Reader reader(text);
  while (reader.next_stanza()) {
    Stanza& stanza = document.stanzas.emplace_back();
    while (const auto field = reader.next_field()) stanza.emplace_back(field->name, field->value);
  }
  document.bad_lines_count = reader.bad_lines_count();
  return document;
}

TEST(Deb822, CountsLinesThatAreNoField) {
  EXPECT_EQ(read("no colon\nA: 1\n: nameless\n"), (Document{{{{"A", "1"}}}, 2}));
  EXPECT_EQ(read(" begins with a blank: x\nA: 1\n"), (Document{{{{"A", "1"}}}, 1}));
}

TEST(Deb822, NothingInNothing) {
  EXPECT_EQ(read(""), Document{});
  EXPECT_EQ(read("\n\n\r\n"), Document{});
}

TEST(Deb822, ReadsStanzas) {
  EXPECT_EQ(read("A: 1\nB:2\n\n\nC:\t3 \n# comment\nD:"),
            (Document{{{{"A", "1"}, {"B", "2"}}, {{"C", "3"}, {"D", ""}}}, 0}));
}

TEST(Deb822, KeepsContinuationLines) {
  EXPECT_EQ(read("A: 1\n two\n .\n \n\tthree\nB:\n x\n"),
            (Document{{{{"A", "1\n two\n .\n \n\tthree"}, {"B", "x"}}}, 0}));
}

TEST(Deb822, ReadsLinesThatEndAsOnWindows) {
  EXPECT_EQ(read("A: 1\r\nB: 2\r\n\r\nC: 3\r\n"),
            (Document{{{{"A", "1"}, {"B", "2"}}, {{"C", "3"}}}, 0}));
}

TEST(Deb822, SkipsWhatIsLeftOfAStanza) {
  Deb822Reader reader("A: 1\nB: 2\n\nC: 3");
  ASSERT_TRUE(reader.next_stanza());
  ASSERT_TRUE(reader.next_stanza());
  EXPECT_TRUE(reader.next_field()->is("c"));
  EXPECT_FALSE(reader.next_field());
  EXPECT_FALSE(reader.next_stanza());
}

TEST(Deb822, AHugeFieldIsAView) {
  const std::string text = "A: " + std::string(100 << 20, 'x');
  Deb822Reader reader(text);
  ASSERT_TRUE(reader.next_stanza());
  EXPECT_EQ(reader.next_field()->value.data(), text.data() + 3);
}

TEST(Deb822, TakesWordsAndLines) {
  std::string_view text = "  one\ttwo ";
  EXPECT_EQ(take_word(text), "one");
  EXPECT_EQ(take_word(text), "two");
  EXPECT_EQ(take_word(text), "");
  std::vector<std::string> lines;
  each_line("a\r\n\nb", [&](std::string_view line) { lines.emplace_back(line); });
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "", "b"}));
}

}  // namespace
}  // namespace vigil::decode
