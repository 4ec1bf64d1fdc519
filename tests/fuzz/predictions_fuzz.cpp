// JSON: predictions.json.
#include "squad/scoring.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  for (const auto& [id, answer] : expctl::parse_predictions(text, "fuzz.json"))
    expctl::normalize_answer(answer);
})
