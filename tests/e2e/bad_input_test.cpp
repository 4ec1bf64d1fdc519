// What a person gets who gives expctl something wrong: one clear message, the designed exit code, and nothing
// written.
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "core/files.h"
#include "core/text.h"
#include "tests/support/support.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

struct Demo {
  TempDir dir;
  std::string expctl = (bin_dir() / "expctl").string();

  Demo() { REQUIRE(run_program({expctl, "demo", "demo"}, dir.path()).exit_code == 0); }

  ProgramResult operator()(std::vector<std::string> words) const {
    words.insert(words.begin(), expctl);
    return run_program(words, dir.path());
  }

  /// The sweep of the demo with one text of its file replaced.
  ProgramResult sweep_with(const std::string& old_text, const std::string& new_text) const {
    std::string toml = read_file(dir / "demo/demo.toml");
    const auto at = toml.find(old_text);
    REQUIRE(at != std::string::npos);
    write_file(dir / "demo/bad.toml", toml.replace(at, old_text.size(), new_text));
    return (*this)({"sweep", "demo/bad.toml"});
  }
};

/// One message of one or two lines, and no workspace made.
void check_refused(const ProgramResult& result, int exit_code, const std::string& message, const Demo& demo) {
  INFO(result.err);
  CHECK(result.exit_code == exit_code);
  CHECK_THAT(result.err, Contains(message));
  CHECK(result.out.empty());
  CHECK(split(trim(result.err), '\n').size() <= 2);
  CHECK_FALSE(fs::exists(demo.dir / "runs"));
}

}  // namespace

TEST_CASE("bad input: the sweep file", "[e2e]") {
  const Demo demo;
  check_refused(demo({"sweep", "absent.toml"}), 3, "absent.toml: No such file", demo);
  check_refused(demo.sweep_with("epochs = 3", "epochs = = 3"), 1, "bad.toml:12:10:", demo);
  check_refused(demo.sweep_with("learning_rate = [", "lerning_rate = ["), 1,
                "bad.toml:25:1: unknown key 'lerning_rate'; did you mean 'learning_rate'?", demo);
  check_refused(demo.sweep_with("[1e-3, 2e-3, 3e-3]", "[-1]"), 1,
                "learning_rate = -1: must be greater than 0", demo);
  check_refused(demo.sweep_with("[1e-3, 2e-3, 3e-3]", "[]"), 1,
                "bad.toml:25:17: 'learning_rate' has no values", demo);
  check_refused(demo.sweep_with("train.json", "absent.json"), 3, "bad.toml:5:9: ", demo);
  check_refused(demo.sweep_with("train.json", "train-v1.1.json"), 3, "expctl fetch squad --out demo gets it",
                demo);
  check_refused(demo.sweep_with("precision = \"fp32\"", "precision = \"fp16\""), 1,
                "bad.toml:20:13: precision = \"fp16\": the CPU computes", demo);
}

TEST_CASE("bad input: the model and the data are looked into before a run is started", "[e2e]") {
  const Demo demo;
  const auto sweep = [&] { return demo({"sweep", "demo/demo.toml"}); };
  const auto spoilt = [&](const std::string& name, const std::function<std::string(std::string)>& change,
                          const std::string& message) {
    const std::string good = read_file(demo.dir / name);
    write_file(demo.dir / name, change(good));
    check_refused(sweep(), 1, message, demo);
    write_file(demo.dir / name, good);
  };
  spoilt(
      "demo/model/vocab.txt", [](std::string text) { return text + "extra\n"; },
      "vocab.txt: 901 pieces, but ");
  spoilt(
      "demo/model/model.safetensors", [](const std::string& text) { return text.substr(0, text.size() / 2); },
      "model.safetensors: ");
  spoilt(
      "demo/model/config.json", [](const std::string& text) { return text.substr(0, text.size() / 2); },
      "config.json:");
  spoilt(
      "demo/train.json",
      [](std::string text) { return text.insert(text.find("\"answer_start\":") + 15, "9"); },
      "does not stand at answer_start");
  spoilt(
      "demo/dev.json", [](const std::string&) { return std::string("[]"); }, "dev.json");
}

TEST_CASE("bad input: training data that holds dev data is said", "[e2e]") {
  const Demo demo;
  const ProgramResult warned = demo({"sweep", "--dry-run", "demo/demo.toml"});
  CHECK_THAT(warned.err, !Contains("warning"));
  write_file(demo.dir / "demo/dev.json", read_file(demo.dir / "demo/train.json"));
  CHECK_THAT(demo({"sweep", "--dry-run", "demo/demo.toml"}).err,
             Contains("warning: ") && Contains(" questions and 1000 contexts"));
}

TEST_CASE("bad input: a workspace that cannot be made", "[e2e]") {
  const Demo demo;
  write_file(demo.dir / "file", "");
  const ProgramResult refused = demo({"--workspace", "file/runs", "sweep", "demo/demo.toml"});
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, Contains("file/runs"));
}

TEST_CASE("bad input: commands and ids", "[e2e]") {
  const Demo demo;
  check_refused(demo({"swep", "x"}), 2, "did you mean 'sweep'?", demo);
  check_refused(demo({"package", "--top", "0"}), 2, "--top", demo);
  check_refused(demo({"runs", "show", "run1"}), 3, "there is no registry", demo);
  check_refused(demo({"verify", "demo"}), 3, "there is no manifest.json in it", demo);
  const std::string is_file = "demo/dev.json is a file";
  check_refused(demo({"convert", "demo/dev.json", "out"}), 1, is_file, demo);
  check_refused(demo({"convert", "demo/model", "demo/dev.json"}), 1, is_file, demo);
  check_refused(demo({"demo", "demo/dev.json"}), 1, is_file, demo);
  check_refused(demo({"predict", "demo/model", "--input", "demo/dev.json", "--out", "demo/dev.json"}), 1,
                is_file, demo);
  write_file(demo.dir / "answers.json", "{\"q1\": \"blue\"}");
  check_refused(demo({"score", "answers.json", "demo/dev.json"}), 1, "the dataset comes first", demo);
  check_refused(demo({"score", "absent.json", "absent.json"}), 3, "absent.json", demo);
  check_refused(demo({"predict", "demo", "--input", "demo/dev.json"}), 3, "no config.json in it", demo);
}

TEST_CASE("every verb's help has an example", "[e2e]") {
  const std::string expctl = (bin_dir() / "expctl").string();
  const auto verbs_of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), expctl);
    words.emplace_back("--help");
    std::vector<std::string> verbs;
    bool is_list = false;
    for (const auto& line : split(run_program(words).out, '\n')) {
      if (is_list && line.starts_with("  ") && line.size() > 2 && line[2] != ' ')
        verbs.push_back(line.substr(2, line.find(' ', 2) - 2));
      is_list = is_list || line == "Run:" || line == "Subcommands:";
    }
    return verbs;
  };
  const auto verbs = verbs_of({});
  REQUIRE(verbs.size() > 20);
  for (const auto& verb : verbs) {
    std::vector<std::vector<std::string>> all = {{verb}};
    for (const auto& second : verbs_of({verb})) all.push_back({verb, second});
    for (auto words : all) {
      INFO(join(words, " "));
      words.insert(words.begin(), expctl);
      words.emplace_back("--help");
      CHECK_THAT(run_program(words).out, Catch::Contains("xample"));
    }
  }
}

TEST_CASE("bad input: words that mean nothing are named, with what they are like", "[e2e]") {
  const std::string expctl = (bin_dir() / "expctl").string();
  const TempDir dir;
  const struct {
    std::vector<std::string> words;
    std::string said;
  } cases[] = {{{"lst"}, "there is no 'expctl lst'"},
               {{"swep", "lr.toml"}, "there is no 'expctl swep'; did you mean 'sweep'?"},
               {{"init", "--help"}, "there is no 'expctl init'"},
               {{"registry", "chek"}, "there is no 'expctl registry chek'; did you mean 'check'?"},
               {{"runs", "shwo", "run1"}, "not expected: shwo run1; did you mean 'show'?"},
               {{"runs", "--limt", "3"}, "not expected: --limt 3; did you mean '--limit'?"},
               {{"runs", "--limit", "0"}, "Value 0 not in range 1 to 1000000"},
               {{"--workspace", "", "runs"}, "--workspace is empty"},
               {{"convert", "nope", "out"}, "no such folder"},
               {{"verify", "nope"}, "nope: no such folder"},
               {{"registry", "backup", "nope/b.db"}, "nope: no such folder"}};
  for (const auto& one : cases) {
    auto words = one.words;
    words.insert(words.begin(), expctl);
    const ProgramResult result = run_program(words, dir.path());
    INFO(result.err);
    CHECK((result.exit_code == 2 || result.exit_code == 3));
    CHECK_THAT(result.err, Catch::StartsWith("expctl: ") && Contains(one.said));
  }
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"runs", "--help"}, {"registry", "check", "--help"}, {"--version"}}) {
    auto all = words;
    all.insert(all.begin(), expctl);
    CHECK(run_program(all, dir.path()).exit_code == 0);
  }
}

TEST_CASE("bad input: output that cannot be written is an error", "[e2e]") {
  const Demo demo;
  const std::string score = demo.expctl + " features demo/dev.json --vocab demo/model/vocab.txt > /dev/full";
  const ProgramResult result = run_program({"/bin/sh", "-c", score}, demo.dir.path());
  CHECK(result.exit_code == 1);
  CHECK_THAT(result.err, Contains("cannot write to stdout: No space left on device"));
  const ProgramResult early =
      run_program({"/bin/sh", "-c", demo.expctl + " --help | head -1"}, demo.dir.path());
  CHECK(early.err.empty());
}
