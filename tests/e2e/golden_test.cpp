// What commands over a registry print, and what wrong ones do.
#include "tests/e2e/golden.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;
namespace fs = std::filesystem;

namespace {

/// A workspace in which nothing depends on when and where it was made: two runs that have succeeded, one that
/// has failed, one that is queued for ever, and an import.
struct FixedWorkspace : GoldenFolder {
  FixedWorkspace() {
    write_file(dir / "dev.json", kOneQuestion);
    write_file(dir / "lr.toml",
               "[data]\ndev = \"dev.json\"\n[command]\nargv = [\"/bin/sh\", \"-c\", \"echo {mode}; "
               "{mode}\"]\npredictions = \"predictions.json\"\n[sweep]\nseeds = [1]\n[sweep.space]\n"
               "mode = [\"echo '{\\\"q1\\\": \\\"blue\\\"}' > predictions.json\", "
               "\"echo '{\\\"q1\\\": \\\"blue sky\\\"}' > predictions.json\", \"exit 3\"]\n"
               "learning_rate = [3e-5]\nwarmup_ratio = [0.125]\nbatch_size = [32]\n"
               "[resources]\ngpus = 0\nretries = 0\n");
    write_file(dir / "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\nwhat\n?\nthe\nsky\nis\nblue\n");
    write_file(dir / "theirs.json", R"({"q1": "the sky"})");
    write_file(dir / "recipe.sh",
               "python run_qa.py --learning_rate 3e-5 --per_device_train_batch_size 12 --num_train_epochs 2 "
               "--max_seq_length 384 --doc_stride 128\n");
    REQUIRE(run({"sweep", "lr.toml"}).exit_code == 4);
    REQUIRE(run({"import", "theirs.json", "--dev", "dev.json", "--name", "theirs"}).exit_code == 0);
    REQUIRE(run({"tag", "run1", "best"}).exit_code == 0);
    {
      SQLite::Database db((dir / "runs/registry.db").string(), SQLite::OPEN_READWRITE);
      db.exec(
          "UPDATE runs SET created = 1e9 + 60 * position, started = 1e9 + 60 * position + 1, "
          "ended = 1e9 + 60 * position + 31; "
          "UPDATE attempts SET started = 1e9 + 1, ended = 1e9 + 31; UPDATE sweeps SET created = 1e9");
    }
    REQUIRE(run({"registry", "check", "--mend"}).exit_code == 0);
  }
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

}  // namespace

TEST_CASE("golden: what commands print, in a file and in terminals", "[e2e]") {
  check_golden(FixedWorkspace(), kGolden);
}

TEST_CASE("doctor: programs that only some commands need are told, and none of them has to be there",
          "[e2e]") {
  const TempDir folder;
  fs::create_symlink("/bin/true", folder / "sbatch");
  const ProgramResult result = run_program({(bin_dir() / "expctl").string(), "--json", "doctor"},
                                           folder.path(), {"PATH=" + folder.path().string()});
  for (const auto& check : Json::parse(result.out)["checks"]) {
    if (check["name"] != "programs") continue;
    CHECK(check["ok"] == true);
    CHECK(check["what"] ==
          "mpirun is not, a run on several GPUs would need it; curl is not, expctl fetch would need it; "
          "sbatch is "
          "there; qsub is not, --executor pbs would need it");
  }
}

TEST_CASE("golden: what commands print with --json is as their schema says", "[e2e]") {
  SKIP_UNLESS(!checking_python().empty(), "no Python with fastjsonschema (scripts/setup.sh --with-tests)");
  auto cases = kGolden;
  cases.push_back({"backup", {"registry", "backup", "copy.db"}, 0, "registry backup"});
  cases.push_back({"export", {"export", "--mlflow", "mlflow"}, 0, "export"});
  cases.push_back({"doctor", {"doctor"}, 0, "doctor"});
  cases.push_back({"rebuild", {"registry", "rebuild", "--force"}, 0, "registry rebuild"});
  check_schemas(FixedWorkspace(), cases);
}
