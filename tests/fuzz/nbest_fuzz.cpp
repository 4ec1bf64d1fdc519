// JSON: nbest_predictions.json of whatever program.
#include "squad/answer_files.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({ expctl::parse_nbest(text, "fuzz.json"); })
