// JSON: a checkpoint's config.json.
#include "formats/bert_config.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET(expctl::bert_config_from_json(expctl::parse_json(text, "config.json"), "config.json"))
