// A TensorFlow checkpoint: two bytes say how long its index is, two data files of like size follow it.
// Checksums are not looked at: a fuzzer cannot make them.
#include "formats/tf_checkpoint.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  if (text.size() < 2) return 0;
  const size_t wanted = static_cast<uint8_t>(text[0]) + 256u * static_cast<uint8_t>(text[1]);
  const auto index = text.substr(2, wanted);
  const auto data = std::as_bytes(std::span(text.substr(2 + index.size())));
  const auto half = data.size() / 2;
  const auto file = expctl::TfCheckpoint::parse(index, {data.first(half), data.subspan(half)}, "fuzz",
                                                expctl::Checksums::kIgnore);
  for (const auto& name : file.names()) {
    try {
      file.at(name);
    } catch (const expctl::Error&) {
    }
  }
})
