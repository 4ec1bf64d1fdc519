// What each command prints: in a file, in terminals of two widths, coloured and not, beside the texts in
// tests/data/golden (EXPCTL_UPDATE_GOLDEN=1 writes them anew, to be read before they are committed); and with
// --json, beside its schema.
#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdlib>
#include <regex>

#include "tests/e2e/command_sweep.h"
#include "tests/support/command_output.h"
#include "tests/support/terminal.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

/// A workspace in which nothing depends on when and where it was made: two runs that have succeeded, one that
/// has failed, one that is queued for ever, and an import.
class FixedWorkspace {
 public:
  FixedWorkspace() {
    write_file(folder_ / "dev.json", kOneQuestion);
    write_file(folder_ / "lr.toml",
               "[data]\ndev = \"dev.json\"\n[command]\nargv = [\"/bin/sh\", \"-c\", \"echo {mode}; "
               "{mode}\"]\npredictions = \"predictions.json\"\n[sweep]\nseeds = [1]\n[sweep.space]\n"
               "mode = [\"echo '{\\\"q1\\\": \\\"blue\\\"}' > predictions.json\", "
               "\"echo '{\\\"q1\\\": \\\"blue sky\\\"}' > predictions.json\", \"exit 3\"]\n"
               "learning_rate = [3e-5]\nwarmup_ratio = [0.125]\nbatch_size = [32]\n"
               "[resources]\ngpus = 0\nretries = 0\n");
    write_file(folder_ / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nwhat\n?\nthe\nsky\nis\nblue\n");
    write_file(folder_ / "theirs.json", R"({"q1": "the sky"})");
    write_file(folder_ / "recipe.sh",
               "python run_qa.py --learning_rate 3e-5 --per_device_train_batch_size 12 --num_train_epochs 2 "
               "--max_seq_length 384 --doc_stride 128\n");
    REQUIRE(run({"sweep", "lr.toml"}).exit_code == 4);
    REQUIRE(run({"import", "theirs.json", "--dev", "dev.json", "--name", "theirs"}).exit_code == 0);
    REQUIRE(run({"tag", "run1", "best"}).exit_code == 0);
    {
      SQLite::Database db((folder_ / "runs/registry.db").string(), SQLite::OPEN_READWRITE);
      db.exec(
          "UPDATE runs SET created = 1e9 + 60 * position, started = 1e9 + 60 * position + 1, "
          "ended = 1e9 + 60 * position + 31; "
          "UPDATE attempts SET started = 1e9 + 1, ended = 1e9 + 31; UPDATE sweeps SET created = 1e9");
    }
    REQUIRE(run({"registry", "check", "--mend"}).exit_code == 0);
  }

  std::vector<std::string> argv(const std::vector<std::string>& words) const {
    std::vector<std::string> all = {"/usr/bin/env", "-C", folder_.path().string(), "TZ=UTC",
                                    (bin_dir() / "expctl").string()};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  ProgramResult run(const std::vector<std::string>& words) const { return run_program(argv(words)); }

  /// What differs from one machine and moment to the next, by words of its own.
  std::string fixed(std::string text) const {
    const auto replace = [&](const std::string& what, const std::string& by) {
      for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
        text.replace(at, what.size(), by);
    };
    replace(folder_.path().string(), "FOLDER");
    replace("\x1b", "\\e");
    text = std::regex_replace(text, std::regex("[0-9a-f]{64}"), "SHA256");
    return text;
  }

 private:
  TempDir folder_;
};

struct Golden {
  std::string name;                ///< of the file
  std::vector<std::string> words;  ///< after "expctl"
  int exit_code = 0;
  std::string schema = "";  ///< of --json; "": it prints none
};

const std::vector<Golden> kGolden = {
    {"sweep_dry_run", {"sweep", "lr.toml", "--dry-run"}, 0, "sweep --dry-run"},
    {"sweep_again", {"sweep", "lr.toml"}, 4, "sweep"},
    {"runs", {"runs"}, 0, "runs"},
    {"runs_where",
     {"runs", "list", "--where", "f1 > 50", "--sort", "f1", "--reverse", "--limit", "2"},
     0,
     "runs"},
    {"runs_by_config", {"runs", "list", "--by-config"}, 0, "runs --by-config"},
    {"runs_csv", {"runs", "list", "--csv"}},
    {"runs_show", {"runs", "show", "best"}, 0, "runs show"},
    {"runs_show_failed", {"runs", "show", "run3"}, 0, "runs show"},
    {"compare", {"compare", "run1", "run2"}, 0, "compare"},
    {"logs", {"logs", "run3"}},
    {"rm_dry_run", {"rm", "run3", "--dry-run"}, 0, "rm"},
    {"gc", {"gc"}, 0, "gc"},
    {"score", {"score", "dev.json", "theirs.json"}, 0, "score"},
    {"features", {"features", "dev.json", "--vocab", "vocab.txt"}, 0, "features"},
    {"import_again", {"import", "theirs.json", "--dev", "dev.json", "--name", "theirs"}, 0, "import"},
    {"import_recipe", {"import-recipe", "recipe.sh"}, 0, "import-recipe"},
    {"registry_check", {"registry", "check"}, 0, "registry check"},
    {"no_such_run", {"runs", "show", "run9"}, 3},
    {"no_such_column", {"runs", "list", "--where", "f2 > 50"}, 2},
    {"no_such_file", {"sweep", "rl.toml"}, 3},
    {"no_such_option", {"runs", "list", "--wher", "f1 > 50"}, 2},
    {"no_such_command", {"swep"}, 2},
};

/// The command's output in all ways of printing.
std::string printed(const FixedWorkspace& workspace, const Golden& golden) {
  const ProgramResult in_file = workspace.run(golden.words);
  CHECK(in_file.exit_code == golden.exit_code);
  std::string text = "== stdout\n" + in_file.out + "== stderr\n" + in_file.err;
  for (const unsigned short columns : std::vector<unsigned short>{80, 140}) {
    for (const char* colour : {"NO_COLOR=1", "NO_COLOR="}) {
      const std::string there = in_terminal(workspace.argv(golden.words), columns, {colour, "TERM=xterm"});
      text += "== a terminal of " + std::to_string(columns) + " columns, " + colour + "\n" + there;
    }
  }
  return workspace.fixed(text);
}

}  // namespace

TEST_CASE("golden: what commands print, in a file and in terminals", "[e2e]") {
  const FixedWorkspace workspace;
  const char* update = std::getenv("EXPCTL_UPDATE_GOLDEN");
  for (const auto& golden : kGolden) {
    INFO(golden.name);
    const fs::path file = source_dir() / "tests/data/golden" / (golden.name + ".txt");
    const std::string text = printed(workspace, golden);
    if (update != nullptr && *update != '\0') write_file(file, text);
    CHECK(text == read_file(file));
  }
}

TEST_CASE("golden: what commands print with --json is as their schema says", "[e2e]") {
  SKIP_UNLESS(!checking_python().empty(), "no Python with fastjsonschema (scripts/setup.sh --with-tests)");
  const FixedWorkspace workspace;
  auto cases = kGolden;
  cases.push_back({"backup", {"registry", "backup", "copy.db"}, 0, "registry backup"});
  cases.push_back({"export", {"export", "--mlflow", "mlflow"}, 0, "export"});
  cases.push_back({"doctor", {"doctor"}, 0, "doctor"});
  cases.push_back({"rebuild", {"registry", "rebuild", "--force"}, 0, "registry rebuild"});
  for (const auto& golden : cases) {
    if (golden.schema.empty()) continue;
    INFO(golden.name);
    std::vector<std::string> words = {"--json"};
    words.insert(words.end(), golden.words.begin(), golden.words.end());
    const ProgramResult result = workspace.run(words);
    CHECK(result.exit_code == golden.exit_code);
    check_output(golden.schema, result.out);
  }
}
