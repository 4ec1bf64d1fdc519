// The smallest SQuAD 1.1 dataset: question q1, answered by "blue".
#pragma once

namespace expctl::test {

inline constexpr const char* kOneQuestion =
    R"({"version":"1.1","data":[{"title":"t","paragraphs":[{"context":"the sky is blue","qas":[)"
    R"({"id":"q1","question":"what?","answers":[{"text":"blue","answer_start":11}]}]}]}]})";

}  // namespace expctl::test
