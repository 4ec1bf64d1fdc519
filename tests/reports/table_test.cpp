#include "reports/table.h"

#include <catch2/catch.hpp>

using namespace expctl;

TEST_CASE("table: numbers flush right, texts flush left, no trailing spaces", "[reports]") {
  CHECK(render_table({"id", "F1", "name"},
                     {{"run1", "9.5", "x"}, {"run10", "80.25", "longer"}, {"ens1", "-", ""}}) ==
        "id        F1  name\n"
        "run1     9.5  x\n"
        "run10  80.25  longer\n"
        "ens1       -\n");
}

TEST_CASE("table: widths are of code points, not bytes", "[reports]") {
  CHECK(render_table({"a", "b"}, {{"\xC3\xA9\xC3\xA9", "x"}, {"abc", "y"}}) ==
        "a    b\n\xC3\xA9\xC3\xA9   x\nabc  y\n");
}

TEST_CASE("table: a header alone", "[reports]") {
  CHECK(render_table({"id", "F1"}, {}) == "id  F1\n");
}

TEST_CASE("a table that is too wide has its last column broken at spaces", "[reports]") {
  const std::vector<std::vector<std::string>> rows = {{"run1", "one two three four five six"}, {"run2", ""}};
  CHECK(render_table({"id", "what"}, rows, {.columns = 26}) ==
        "id    what\nrun1  one two three four\n      five six\nrun2\n");
  CHECK(render_table({"id", "what"}, rows, {.columns = 33}) == render_table({"id", "what"}, rows));
  // A word that is too long stays whole; what has no room beside the other columns stands below them.
  const std::string path(40, 'x');
  CHECK(render_table({"id", "what"}, {{"run1", "at " + path}}, {.columns = 30}) ==
        "id    what\nrun1  at\n      " + path + "\n");
  CHECK(render_table({"id", "what"}, rows, {.columns = 24}) ==
        "id\n    what\nrun1\n    one two three four\n    five six\nrun2\n");
  CHECK(render_table({"id", "what"}, rows, {.columns = 12}) ==
        "id\n    what\nrun1\n    one two three\n    four five six\nrun2\n");
}

TEST_CASE("a table: lines in a cell and rows of spaces do not break it", "[reports]") {
  CHECK(render_table({"id", "what"}, {{"run1", "a\nb"}}) == "id    what\nrun1  a b\n");
  CHECK(render_table({"id", "what"}, {{"run1", "one  two   three four five six"}}, {.columns = 26}) ==
        "id    what\nrun1  one two three four\n      five six\n");
}

TEST_CASE("a table colours states, whatever else is called so", "[reports]") {
  CHECK(render_table({"id", "state", "name"}, {{"run1", "failed: timed_out", "failed"}}, {0, true}) ==
        "\x1b[1mid\x1b[0m    \x1b[1mstate\x1b[0m              \x1b[1mname\x1b[0m\n"
        "run1  \x1b[31mfailed: timed_out\x1b[0m  failed\n");
}

TEST_CASE("a table's colours do not count as width", "[reports]") {
  CHECK(render_table({"id", "state", "F1"}, {{"run1", "failed", "-"}, {"run2", "succeeded", "88.5"}},
                     {.columns = 0, .is_coloured = true}) ==
        "\x1b[1mid\x1b[0m    \x1b[1mstate\x1b[0m        \x1b[1mF1\x1b[0m\n"
        "run1  \x1b[31mfailed\x1b[0m        -\n"
        "run2  \x1b[32msucceeded\x1b[0m  88.5\n");
}
