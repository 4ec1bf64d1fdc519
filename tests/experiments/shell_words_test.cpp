#include "experiments/shell_words.h"

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/text.h"

using namespace expctl;

namespace {

/// Words between '|', commands between ' / '.
std::string read(const std::string& text) {
  std::vector<std::string> commands;
  for (const auto& command : read_shell(text, "r.sh").commands) commands.push_back(join(command.words, "|"));
  return join(commands, " / ");
}

}  // namespace

TEST_CASE("shell_words: words, quotes and continuations as a shell has them", "[experiments]") {
  CHECK(read("a b  c\td\n") == "a|b|c|d");
  CHECK(read("a \\\n  b \\\r\n  c\r\n") == "a|b|c");
  CHECK(read("a 'b $c' \"d e\" f\\ g \"h\\\"i\" j'k'\"l\"") == "a|b $c|d e|f g|h\"i|jkl");
  CHECK(read("a \"\" b") == "a||b");
  CHECK(read("# a comment\na # another\nb#c") == "a / b#c");
  CHECK(read("") == "");
}

TEST_CASE("shell_words: commands end where a shell ends them, redirections are no words", "[experiments]") {
  CHECK(read("a 2>&1 | tee $LOG; b && c || d & (e)") == "a / tee|$LOG / b / c / d / e");
  CHECK(read("a x |& tee log") == "a|x / tee|log");
  CHECK(read("a > out.txt b >>more 2> err c &> all d < in") == "a|b|c|d");
  const auto script = read_shell("\n\na \\\n b\nc", "r.sh");
  REQUIRE(script.commands.size() == 2);
  CHECK(script.commands[0].line == 3);
  CHECK(script.commands[1].line == 5);
}

TEST_CASE("shell_words: variables that the text sets", "[experiments]") {
  CHECK(read("export D=/data/bert\nA=1 B=\"x y\"\nrun $D/vocab.txt ${D}_2 \"$B\" $B '$A'") ==
        "export / run|/data/bert/vocab.txt|/data/bert_2|x y|x|y|$A");
  CHECK(read("CMD=\"python run.py\"\nCMD+=\" --x=1\"\n$CMD --y") == "python|run.py|--x=1|--y");
  CHECK(read("run ${1:-\"8\"} ${X-4} ${Y} $Z/a $(date +%s) `pwd`") == "run|8|4|${Y}|$Z/a|$(date +%s)|`pwd`");
  CHECK(read_shell("CUDA_VISIBLE_DEVICES=0,1 run", "r.sh").variables.at("CUDA_VISIBLE_DEVICES") == "0,1");
  CHECK(read("run a=b -x NCCL_DEBUG=INFO") == "run|a=b|-x|NCCL_DEBUG=INFO");
  CHECK(read("E=\nrun $E \"$E\" b") == "run||b");
}

TEST_CASE("shell_words: what is not closed, and what grows beyond reason, is refused with its line",
          "[experiments]") {
  CHECK_THROWS_WITH(read("a\nb 'c\nd"), "r.sh:2: a ' that is not closed");
  CHECK_THROWS_WITH(read("b \"c"), "r.sh:1: a \" that is not closed");
  CHECK_THROWS_WITH(read("b ${c"), "r.sh:1: a ${ that is not closed");
  CHECK_THROWS_WITH(read("b $(c"), "r.sh:1: a $( that is not closed");
  CHECK_THROWS_WITH(read(std::string("a\0b", 3)), Catch::Contains("a NUL byte"));
  std::string doubling = "A=xxxxxxxx\n";
  for (int i = 0; i < 40; ++i) doubling += "A=$A$A\n";
  CHECK_THROWS_WITH(read(doubling), Catch::Contains("more than 64 KiB"));
}
