#include "squad/overlap.h"

#include <catch2/catch.hpp>

using namespace expctl;

namespace {

Dataset one(const std::string& context, const std::string& id) {
  return {"1.1", {{"T", {{context, {{id, "q", {}}}}}}}};
}

}  // namespace

TEST_CASE("overlap: nothing is shared where contexts and ids differ", "[squad]") {
  const auto overlap = find_overlap(one("a b", "q1"), one("a c", "q2"));
  CHECK_FALSE(overlap.any());
  CHECK(overlap.example.empty());
}

TEST_CASE("overlap: a shared id and a shared context are counted and shown", "[squad]") {
  const auto by_id = find_overlap(one("a b", "q1"), one("a c", "q1"));
  CHECK(by_id.questions == 1);
  CHECK(by_id.contexts == 0);
  CHECK(by_id.example == "q1");
  const auto by_context = find_overlap(one("a b \n", "q1"), one("a b", "q2"));
  CHECK(by_context.questions == 0);
  CHECK(by_context.contexts == 1);
  CHECK(by_context.example == "a b");
}

TEST_CASE("overlap: a long context is shown in part, cut between code points", "[squad]") {
  std::string text = "A";
  for (int i = 0; i < 100; ++i) text += "\xC3\xA9";
  const auto overlap = find_overlap(one(text, "q1"), one(text, "q2"));
  CHECK(overlap.example == text.substr(0, 1 + 59 * 2) + "...");
}
