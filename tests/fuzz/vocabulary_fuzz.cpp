// vocab.txt, and the tokenizer on any text.
#include "squad/tokenizer.h"
#include "tests/fuzz/fuzz.h"

FUZZ_TARGET({
  static const auto known = expctl::Vocabulary::parse("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\nc\n.", "vocab");
  expctl::tokenize(text, known);
  const auto vocabulary = expctl::Vocabulary::parse(text, "vocab.txt");
  expctl::tokenize(text, vocabulary);
})
