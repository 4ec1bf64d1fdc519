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
