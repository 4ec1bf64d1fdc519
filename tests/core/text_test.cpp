#include "core/text.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace expctl;

TEST_CASE("text: numbers are written as Python's repr writes them", "[core]") {
  const std::vector<std::pair<double, std::string>> cases = {
      {86.20624408703878, "86.20624408703878"},
      {100.0, "100.0"},
      {0.0, "0.0"},
      {-0.0, "-0.0"},
      {3e-5, "3e-05"},
      {1e-4, "0.0001"},
      {0.1, "0.1"},
      {1e16, "1e+16"},
      {123456789012345680.0, "1.2345678901234568e+17"},
      {1e15, "1000000000000000.0"},
      {5e-324, "5e-324"},
      {2.5, "2.5"},
      {std::numeric_limits<double>::infinity(), "inf"},
  };
  for (const auto& [value, text] : cases) CHECK(format_number(value) == text);
}

TEST_CASE("text: the nearest word is offered only where it is near", "[core]") {
  const std::vector<std::string> keys = {"learning_rate", "epochs", "batch_size"};
  CHECK(nearest("lerning_rate", keys) == "learning_rate");
  CHECK(did_you_mean("epoch", keys) == "; did you mean 'epochs'?");
  CHECK(nearest("learning", keys) == "learning_rate");
  CHECK(did_you_mean("zzzzzzzz", keys).empty());
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("text: another program's name of a key leads to ours, and a word of two letters to nothing near",
          "[core]") {
  const std::vector<std::string> keys = {"learning_rate", "epochs", "batch_size", "warmup_ratio", "id"};
  CHECK(nearest("lr", keys) == "learning_rate");
  CHECK(nearest("num_train_epochs", keys) == "epochs");
  CHECK(nearest("per-device-train-batch-size", keys) == "batch_size");
  CHECK(nearest("warmup_proportion", keys) == "warmup_ratio");
  CHECK(nearest("lr", {"epochs", "id"}).empty());
  CHECK(nearest("bs", keys).empty());
}

TEST_CASE("text: one is counted in the singular", "[core]") {
  CHECK(counted(1, "run") == "1 run");
  CHECK(counted(0, "run") == "0 runs");
  CHECK(counted(2, "entry", "entries") == "2 entries");
}

TEST_CASE("text: durations as people say them", "[core]") {
  CHECK(bytes_text(0) == "0 bytes");
  CHECK(bytes_text(1) == "1 byte");
  CHECK(bytes_text(1023) == "1023 bytes");
  CHECK(bytes_text(1024) == "1.0 KiB");
  CHECK(bytes_text(int64_t{440} << 20) == "440.0 MiB");
  CHECK(bytes_text(int64_t{5} << 50) == "5120.0 TiB");
  CHECK(duration_text(0.4) == "0 s");
  CHECK(duration_text(59.4) == "59 s");
  CHECK(duration_text(59.6) == "1 min 0 s");
  CHECK(duration_text(3599) == "59 min 59 s");
  CHECK(duration_text(7500) == "2 h 5 min");
}

TEST_CASE("text: a number is the whole text, or there is none", "[core]") {
  CHECK(parse_number<int>("-12") == -12);
  CHECK(parse_number<double>("1e-5") == 1e-5);
  CHECK(parse_number<size_t>("0") == 0U);
  for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x10", "1.5", "99999999999"})
    CHECK_FALSE(parse_number<int>(text));
  CHECK_FALSE(parse_number<unsigned>("-1"));
}

TEST_CASE("text: a duration has a unit", "[core]") {
  CHECK(parse_duration("45s") == 45.0);
  CHECK(parse_duration("1.5m") == 90.0);
  CHECK(parse_duration("2h") == 7200.0);
  for (const char* text : {"", "2", "h", "0s", "-1h", "+2h", " 2h", "2 h", "2d", "infs", "nanh", "1h30m"})
    CHECK_FALSE(parse_duration(text));
}

TEST_CASE("text: split, join and trim", "[core]") {
  CHECK(split("a,b,,c", ',') == std::vector<std::string>{"a", "b", "", "c"});
  CHECK(join({"a", "b"}, ", ") == "a, b");
  CHECK(trim("  x y\n") == "x y");
  CHECK(trim(" \n").empty());
}

TEST_CASE("text: a shell reads a quoted word as it was", "[core]") {
  CHECK(shell_quote("plain-1.0/x") == "plain-1.0/x");
  CHECK(shell_quote("") == "''");
  CHECK(shell_quote("a b") == "'a b'");
  CHECK(shell_quote("it's") == "'it'\\''s'");
}

TEST_CASE("text: the last lines of a text", "[core]") {
  CHECK(tail_lines("a\nb\nc\n", 2) == "b\nc\n");
  CHECK(tail_lines("a\nb\nc", 5) == "a\nb\nc");
  CHECK(tail_lines("", 3).empty());
}
