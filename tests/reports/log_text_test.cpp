#include "reports/log_text.h"

#include <catch2/catch.hpp>

using namespace expctl;

TEST_CASE("log text: colours, titles of windows and control characters are left out", "[reports]") {
  CHECK(log_text("\x1b[1;31mred\x1b[0m \x1b]0;title\x07yes\x1b]8;;http://x\x1b\\!\n") == "red yes!\n");
  CHECK(log_text(std::string_view("a\0b\x07\tc\x7f\n", 8)) == "ab\tc\n");
  CHECK(log_text("caf\xc3\xa9 \xff") == "caf\xc3\xa9 \xff");
}

TEST_CASE("log text: an escape sequence without an end takes nothing more than itself", "[reports]") {
  CHECK(log_text("a\x1b") == "a");
  CHECK(log_text("a\x1b[12") == "a");
  CHECK(log_text("a\x1b]0;no end\nnext\n") == "a0;no end\nnext\n");
}

TEST_CASE("log text: of a progress bar the last state stays", "[reports]") {
  CHECK(log_text("begin\n 10 %\r 20 %\r100 %\nend\r\n") == "begin\n100 %\nend\n");
  CHECK(log_text("\r 10 %\r 20 %\r") == " 20 %");
}

TEST_CASE("log text: a cut tail begins with a line, unless it has none", "[reports]") {
  CHECK(from_line_begin("lf a line\nwhole\n", true) == "whole\n");
  CHECK(from_line_begin("a line\nwhole\n", false) == "a line\nwhole\n");
  CHECK(from_line_begin("one endless line", true) == "one endless line");
}
