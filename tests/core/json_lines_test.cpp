#include "core/json_lines.h"

#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("json lines: objects are seen in order, what is none or not whole is left out", "[core]") {
  std::vector<std::optional<double>> steps;
  for_each_json_object("{\"step\": 1}\n\n[2]\nno JSON\n{\"step\": \"3\"}\n{\"st", [&](const Json& line) {
    steps.push_back(number_in(line, "step"));
    CHECK_FALSE(number_in(line, "loss"));
  });
  CHECK(steps == std::vector<std::optional<double>>{1, std::nullopt});
}
