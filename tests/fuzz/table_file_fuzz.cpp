// The sorted table that a TensorFlow checkpoint's index is, with its checksums looked at and not.
#include "formats/table_file.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  try {
    expctl::read_table(text, "fuzz", expctl::Checksums::kVerify);
  } catch (const expctl::Error&) {
  }
  expctl::read_table(text, "fuzz", expctl::Checksums::kIgnore);
})
