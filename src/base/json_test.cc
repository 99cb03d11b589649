#include "base/json.h"

#include <gtest/gtest.h>

namespace vigil {
namespace {

std::string written(std::string_view text) {
  JsonWriter json(JsonWriter::Style::kCompact);
  json.value(text);
  return json.take();
}

TEST(JsonText, WhatATerminalActsOnIsEscaped) {
  EXPECT_EQ(written("a\x1b[31m\x7f"), R"("a\u001b[31m\u007f")");
  EXPECT_EQ(written("\xc2\x9b"
                    "31m"),
            R"("\u009b31m")");
  EXPECT_EQ(written("\xe2\x80\xae|\xe2\x80\xa8|\xe2\x81\xa6|\xd8\x9c"),
            R"("\u202e|\u2028|\u2066|\u061c")");
}

TEST(JsonText, TextStaysAsItIs) {
  // A no-break space, a letter, a bullet, an emoji, an Arabic letter.
  const std::string text = "\xc2\xa0\xc3\xa9\xe2\x80\xa2\xf0\x9f\x98\x80\xd8\xa7";
  EXPECT_EQ(written(text), "\"" + text + "\"");
}

TEST(JsonText, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(written("a\xff\xe2\x80"), "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace vigil
