// The pickled dictionary in pytorch_model.bin.
#include "formats/pickled_state.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({ expctl::parse_pickled_state(text, "fuzz"); })
