// What the commands that run a model print, and those that go on from there. Scores and probabilities follow
// the processor's arithmetic, so they and the room they take in a table are not compared.
#include "tests/e2e/golden.h"
#include "tests/e2e/short_sweep.h"
#include "tests/support/fetch_server.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

/// Two short runs of the demo, their ensemble and a submission of the three.
struct TrainedWorkspace : GoldenFolder {
  TrainedWorkspace() {
    for (const auto& words : std::vector<std::vector<std::string>>{{"demo", "demo"}, {"sweep", "s.toml"}}) {
      const ProgramResult result = run(words);
      INFO(result.err);
      REQUIRE(result.exit_code == 0);
      if (words[0] == "demo") write_file(dir / "s.toml", kSweep);
    }
    write_file(dir / "quick.toml",
               "name = \"quick\"\n[data]\ndev = \"demo/dev.json\"\n[command]\nargv = [\"/bin/true\"]\n"
               "[sweep]\nseeds = [1]\n[resources]\ngpus = 0\n");
  }

  std::function<void()> without(const std::string& made) const {
    return [this, made] { fs::remove_all(dir / made); };
  }

  std::vector<Golden> cases() const {
    return {
        {"demo", {"demo", "another"}, 0, "", without("another")},
        {"sweep_runs", {"--workspace", "others", "sweep", "quick.toml"}, 0, "sweep", without("others")},
        {"train_two", {"train", "s.toml"}, 2},
        {"train_again", {"train", "s.toml", "--set", "seed=1"}, 0, "sweep"},
        {"ensemble", {"ensemble", "run1", "run2"}, 0, "ensemble"},
        {"ensemble_one", {"ensemble", "run1"}, 2},
        {"evaluate", {"evaluate", "run1", "--set", "eval_max_seq_length=64"}, 0, "evaluate"},
        {"predict",
         {"predict", "run2", "--input", "demo/dev.json", "--out", "answers"},
         0,
         "predict",
         without("answers")},
        {"convert", {"convert", "demo/model", "converted"}, 0, "convert", without("converted")},
        {"package", {"package", "--top", "3", "--average", "2"}, 0, "package", without("submission")},
        {"package_again", {"package", "--top", "3"}, 1},
        {"verify", {"verify", "submission", "--dev", "demo/dev.json"}, 0, "verify"},
        {"evaluate_no_key", {"evaluate", "run1", "--set", "eval_max_answer_length=4"}, 2},
        {"stop", {"stop", "run1"}, 1},
        {"resume", {"resume", "run1"}, 1},
        {"completion", {"completion", "bash"}},
    };
  }
};

std::string without_scores(std::string text) {
  text = std::regex_replace(text, std::regex("[0-9]+\\.[0-9] ms"), "N ms");
  text = std::regex_replace(text, std::regex("[-+]?[0-9]+\\.[0-9]{4,}"), "SCORE");
  text = std::regex_replace(text, std::regex("  +"), "  ");
  return std::regex_replace(text, std::regex("(run[0-9]  )(run|ens)[0-9]"), "$1ID");
}

}  // namespace

TEST_CASE("golden: what commands over models print", "[e2e]") {
  const TrainedWorkspace workspace;
  check_golden(workspace, workspace.cases(), without_scores);
  if (checking_python().empty()) return;
  auto cases = workspace.cases();
  cases.push_back({"replay", {"runs", "replay", "run1", "--check"}, 0, "runs replay"});
  check_schemas(workspace, cases);
}

TEST_CASE("golden: what fetch prints", "[e2e]") {
  const FetchServer server;
  write_file(server.folder() / "train-v1.1.json", varied_text(5000));
  GoldenFolder folder;
  folder.environment.push_back("EXPCTL_FETCH_BASE=" + server.address("plain"));
  folder.environment.push_back("no_proxy=*");
  check_golden(folder,
               {{"fetch_wrong",
                 {"fetch", "squad", "--out", "data"},
                 1,
                 "",
                 [&] { fs::remove_all(folder.dir / "data"); }}},
               [&](std::string text) {
                 return std::regex_replace(text, std::regex("127\\.0\\.0\\.1:[0-9]+"), "SERVER");
               });
}
