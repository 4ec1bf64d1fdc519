#include "experiments/sweep_file.h"

#include <fmt/core.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "core/files.h"
#include "experiments/own_options.h"
#include "tests/support/support.h"

using namespace expctl;

namespace {

const std::string kHead = "[data]\ntrain = \"t.json\"\ndev = \"d.json\"\n[model]\ninit = \"m\"\n";

SweepSpec parse(const std::string& text) {
  return parse_sweep(text, "lr.toml", "/sweeps");
}

std::string refusal(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("sweep_file: a teacher and its part of the loss come together", "[experiments]") {
  const std::string with =
      "[data]\ntrain = \"t.json\"\ndev = \"d.json\"\nteacher = \"l.safetensors\"\n[model]\ninit = \"m\"\n";
  CHECK(parse(with + "[train]\ndistillation = 0.5\n").base.teacher.path == "/sweeps/l.safetensors");
  CHECK(refusal(with) == "lr.toml:4:11: 'data.teacher': nothing is learned from it without distillation");
  CHECK(refusal(with + "[train]\ndistillation = 0.0\n") ==
        "lr.toml:4:11: 'data.teacher': nothing is learned from it without distillation");
  CHECK(refusal(kHead + "[train]\ndistillation = 0.5\n") == "lr.toml:7:16: distillation needs a teacher");
  CHECK(refusal(kHead + "[sweep.space]\ndistillation = [0.0, 0.5]\n") ==
        "lr.toml:7:16: distillation needs a teacher");
  CHECK(refusal("[data]\nteacher = \"l.safetensors\"\n[command]\nargv = [\"x\"]\n") ==
        "lr.toml:2:11: 'data.teacher': nothing is learned from it without distillation");
  CHECK(refusal("[command]\nargv = [\"x\"]\n[sweep.space]\ndistillation = [1, 2]\n") == "accepted");

  // One without distillation has no teacher, and so is the run that it was before there were any.
  const auto runs = expand(parse(with + "[sweep.space]\ndistillation = [0.0, 0.5]\n"));
  const auto plain = expand(parse(kHead));
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].teacher.path.empty());
  CHECK(runs[1].teacher.path == "/sweeps/l.safetensors");
  CHECK(config_hash(runs[0]) == config_hash(plain[0]));
  CHECK(config_hash(runs[1]) != config_hash(plain[0]));

  SweepSpec sweep = parse(kHead);
  apply_setting(sweep, "distillation=0.5");
  CHECK_THROWS_WITH(expand(sweep), "lr.toml: distillation = 0.5: there is no teacher to learn from");
}

TEST_CASE("sweep_file: a whole file becomes typed values and absolute paths", "[experiments]") {
  const SweepSpec sweep = parse(R"(name = "lr"
[data]
train = "train.json"
dev = "/data/dev.json"
[model]
init = "../models/bert"
[train]
epochs = 3
precision = "bf16"
[sweep]
method = "grid"
seeds = [1, 2, 3]
[sweep.space]
warmup_ratio = [0.0, 0.1]
learning_rate = [2e-5, 3e-5]
[resources]
cpus = 2
timeout = "2h"
retries = 0
)");
  CHECK(sweep.name == "lr");
  CHECK(sweep.base.train_data.path == "/sweeps/train.json");
  CHECK(sweep.base.dev_data.path == "/data/dev.json");
  CHECK(sweep.base.init.path == "/models/bert");
  CHECK(sweep.base.train.epochs == 3.0);
  CHECK(sweep.base.train.precision == "bf16");
  CHECK(sweep.seeds == std::vector<int64_t>{1, 2, 3});
  REQUIRE(sweep.space.size() == 2);
  CHECK(sweep.space[0].key == "warmup_ratio");  // the order of the file, not of the alphabet
  CHECK(sweep.base.resources.timeout_s == 7200);
  CHECK(sweep.base.resources.retries == 0);
}

TEST_CASE("sweep_file: what is wrong is said with file, line and column", "[experiments]") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {kHead + "[train]\nlerning_rate = 1e-5\n",
       "lr.toml:7:1: unknown key 'lerning_rate'; did you mean 'learning_rate'?"},
      {kHead + "[train]\nlearning_rate = -1\n", "lr.toml:7:17: learning_rate = -1: must be greater than 0"},
      {kHead + "[train]\nepochs = \"two\"\n", "lr.toml:7:10: epochs = \"two\": must be a number"},
      {kHead + "[train]\nepochs = [1]\n", "lr.toml:7:10: 'epochs' must be a number, a text, true or false"},
      {kHead + "[train]\nrdrop = -1.0\n", "lr.toml:7:9: rdrop = -1.0: must be at least 0"},
      {kHead + "[sweep.space]\nlearning_rate = []\n", "lr.toml:7:17: 'learning_rate' has no values"},
      {kHead + "[sweep.space]\nlearning_rate = [1e-5, 0]\n",
       "lr.toml:7:24: learning_rate = 0: must be greater than 0"},
      {kHead + "[sweep.space]\nlearning_rate = [1e-5, 1e-5]\n",
       "lr.toml:7:24: 'learning_rate' has the value 1e-05 twice"},
      {kHead + "[sweep.space]\nwarmup = [1]\n",
       "lr.toml:7:1: unknown key 'warmup'; did you mean 'warmup_ratio'?"},
      {kHead + "[sweep.space]\nepochs = { min = 1, max = 2 }\n",
       "lr.toml:7:10: 'epochs' is a range, which a grid cannot have"},
      {kHead + "[sweep]\nmethod = \"bayes\"\n",
       "lr.toml:7:10: method = \"bayes\": this version of expctl knows grid, random, tpe"},
      {kHead + "[sweep]\nseeds = []\n", "lr.toml:7:9: 'sweep.seeds' must be a list of at least one integer"},
      {kHead + "[sweep]\nseeds = [1, 1]\n", "lr.toml:7:13: the seed 1 occurs twice"},
      {kHead + "[swep]\nseeds = [1]\n", "lr.toml:6:2: unknown key 'swep'; did you mean 'sweep'?"},
      {kHead + "[executor]\nkind = \"lsf\"\n",
       "lr.toml:7:8: kind = \"lsf\": this version of expctl knows local, slurm, pbs"},
      {kHead + "[executor]\nextra = [\"qos=low\"]\n",
       "lr.toml:7:9: 'qos=low' is not an option of the job script"},
      {kHead + "[executor]\ntime = \"inf\"\n",
       "lr.toml:7:8: 'executor.time' must be a time as \"2h\", \"90m\" or \"45s\""},
      {kHead + "[executor]\npartition = \"a b\"\n",
       "lr.toml:7:13: 'executor.partition' holds a space or a quote"},
      {kHead + "[early_stop]\nmethod = \"hyperband\"\n",
       "lr.toml:7:10: method = \"hyperband\": this version of expctl knows none, asha"},
      {kHead + "[early_stop]\nmin_fraction = 1\n",
       "lr.toml:7:16: min_fraction = 1: must be greater than 0 and less than 1"},
      {kHead + "[early_stop]\nmin_fraction = nan\n",
       "lr.toml:7:16: min_fraction = nan: must be greater than 0 and less than 1"},
      {kHead + "[early_stop]\nreduction = 1\n", "lr.toml:7:13: reduction = 1: must be at least 2"},
      {"[command]\nargv = [\"x\"]\n[early_stop]\nmethod = \"asha\"\n",
       "lr.toml:3:1: only trainings of expctl-train can be stopped early"},
      {kHead + "[resources]\ntimeout = \"soon\"\n",
       "lr.toml:7:11: 'resources.timeout' must be a time as \"2h\", \"90m\" or \"45s\""},
      {kHead + "[resources]\ngpus = -1\n", "lr.toml:7:8: gpus = -1: must be at least 0"},
      {"[data]\ntrain = \"t.json\"\ndev = \"d.json\"\n", "lr.toml: 'model.init' is missing"},
      // A name that is misspelt comes before what is missing for it.
      {"[dta]\ntrain = \"t.json\"\n", "lr.toml:1:2: unknown key 'dta'; did you mean 'data'?"},
      {"[data]\ntrian = \"t.json\"\n", "lr.toml:2:1: unknown key 'trian'; did you mean 'train'?"},
      {"[model]\nmodel_name_or_path = \"bert\"\n",
       "lr.toml:2:1: unknown key 'model_name_or_path'; did you mean 'init'?"},
      {kHead + "[resources]\nbatch_size = 8\n",
       "lr.toml:7:1: unknown key 'batch_size'; it is one of [train]"},
      {kHead + "[train]\nfp16 = true\n", "lr.toml:7:1: unknown key 'fp16'; did you mean 'precision'?"},
      {"[command]\nargv = [\"x\"]\nlogs = \"a/../../b\"\n",
       "lr.toml:3:8: 'command.logs' must lie in the run folder"},
      {"[command]\nargv = []\n", "lr.toml:1:1: 'command.argv' is missing or empty"},
      {kHead + "[command]\npredictions = \"p.json\"\n", "lr.toml:6:1: 'command.argv' is missing or empty"},
      {"name = \"x\"\nname = \"y\"\n",
       "lr.toml:2:8: not valid TOML: Error while parsing key-value pair: cannot redefine existing string "
       "'name'"},
      {std::string("[\0\0\\", 4), "lr.toml: a NUL byte in it, so it is no TOML"},
  };
  for (const auto& [text, message] : cases) {
    INFO(text);
    CHECK(refusal(text) == message);
  }
}

TEST_CASE("sweep_file: a grid expands with the last axis fastest and seeds innermost", "[experiments]") {
  SweepSpec sweep = parse(
      kHead + "[sweep]\nseeds = [7, 8]\n[sweep.space]\nepochs = [1, 2]\nlearning_rate = [1e-5, 2e-5]\n");
  const auto runs = expand(sweep);
  REQUIRE(runs.size() == 8);
  std::vector<std::tuple<double, double, int64_t>> got;
  for (const auto& run : runs) got.emplace_back(run.train.epochs, run.train.learning_rate, run.train.seed);
  CHECK(got == std::vector<std::tuple<double, double, int64_t>>{{1, 1e-5, 7},
                                                                {1, 1e-5, 8},
                                                                {1, 2e-5, 7},
                                                                {1, 2e-5, 8},
                                                                {2, 1e-5, 7},
                                                                {2, 1e-5, 8},
                                                                {2, 2e-5, 7},
                                                                {2, 2e-5, 8}});
  CHECK(runs[0].params.dump() == R"({"epochs":1,"learning_rate":1e-05})");
  CHECK(runs[0].train.seed_data == 7);
  CHECK(config_hash(runs[0]) == config_hash(runs[1]));
  CHECK(config_hash(runs[0]) != config_hash(runs[2]));
}

TEST_CASE("sweep_file: combinations that come out as the same run are one", "[experiments]") {
  const auto runs = expand(parse(kHead + "[sweep.space]\nmicro_batch = [0, 12, 6]\n"));
  REQUIRE(runs.size() == 2);
  CHECK(runs[0].train.micro_batch == 12);
  CHECK(runs[1].train.micro_batch == 6);
}

TEST_CASE("sweep_file: an impossible combination is said with the file", "[experiments]") {
  const auto sweep = parse(kHead + "[sweep.space]\nmax_seq_length = [384, 64]\n");
  CHECK_THROWS_WITH(expand(sweep), Catch::StartsWith("lr.toml: doc_stride = 128"));
}

TEST_CASE("sweep_file: without a space there is one config with the seed of [train]", "[experiments]") {
  const auto runs = expand(parse(kHead + "[train]\nseed = 5\n"));
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].train.seed == 5);
}

TEST_CASE("sweep_file: a command needs no data, and its parameters may have any name", "[experiments]") {
  const auto sweep = parse("[command]\nargv = [\"run.sh\", \"{x}\"]\n[sweep.space]\nx = [\"a\", \"b\"]\n");
  const auto runs = expand(sweep);
  REQUIRE(runs.size() == 2);
  CHECK(runs[1].params["x"] == "b");
  CHECK(runs[1].is_command());
}

TEST_CASE("sweep_file: --set changes one key, or says what is wrong with it", "[experiments]") {
  SweepSpec sweep = parse(kHead);
  apply_setting(sweep, "epochs=1.5");
  apply_setting(sweep, "precision=bf16");
  apply_setting(sweep, "seed=9");
  CHECK(sweep.base.train.epochs == 1.5);
  CHECK(sweep.base.train.precision == "bf16");
  CHECK(sweep.seeds == std::vector<int64_t>{9});
  CHECK_THROWS_WITH(apply_setting(sweep, "epoch=1"), Catch::Contains("did you mean 'epochs'?"));
  CHECK_THROWS_WITH(apply_setting(sweep, "epochs=-1"), "--set epochs = -1: must be greater than 0");
}

TEST_CASE("sweep_file: the keys that --set fixes are parameters of the run, and change no identity",
          "[experiments]") {
  SweepSpec sweep = parse(kHead + "[sweep.space]\nlearning_rate = [1e-5, 3e-5]\n");
  const auto swept = expand(sweep);
  for (const char* setting : {"learning_rate=3e-5", "epochs=3", "seed=9"}) apply_setting(sweep, setting);
  const auto runs = expand(sweep);
  REQUIRE(runs.size() == 1);
  CHECK(json_line(runs[0].params) == R"({"learning_rate":3e-05,"epochs":3.0})");
  CHECK(runs[0].train.epochs == 3);
  SweepSpec plain = parse(kHead + "[train]\nlearning_rate = 3e-5\nepochs = 3\n");
  CHECK(config_hash(expand(plain)[0]) == config_hash(runs[0]));
  CHECK(config_hash(swept[1]) != config_hash(runs[0]));
}

TEST_CASE("sweep_file: what is impossible only beside others stands at its line and column too",
          "[experiments]") {
  const auto why = [](const SweepSpec& sweep) -> std::string {
    try {
      expand(sweep);
    } catch (const Error& e) {
      return e.what();
    }
    return "possible";
  };
  CHECK_THAT(why(parse(kHead + "[train]\ndoc_stride = 600\n")),
             Catch::StartsWith("lr.toml:7:14: doc_stride = 600 leaves no room"));
  CHECK_THAT(why(parse(kHead + "[train]\ndoc_stride = 9\n[sweep.space]\ndoc_stride = [600]\n")),
             Catch::StartsWith("lr.toml:9:14: doc_stride = 600"));
  CHECK_THAT(why(parse(kHead + "[train]\nmicro_batch = 24\n")),
             Catch::StartsWith("lr.toml:7:15: micro_batch = 24 is larger"));
  SweepSpec set = parse(kHead + "[train]\ndoc_stride = 9\n");
  apply_setting(set, "doc_stride=600");
  CHECK_THAT(why(set), Catch::StartsWith("lr.toml: doc_stride = 600"));

  CHECK(at_its_place(parse(kHead), "/t.json: no such file, named by 'data.train'") ==
        "lr.toml:2:9: /t.json: no such file, named by 'data.train'");
  const auto command = parse("[command]\nargv = [\"x\",\n  \"--lr={lr}\"]\n");
  CHECK(at_its_place(command, "command argument '--lr={lr}': unknown key 'lr'") ==
        "lr.toml:3:3: command argument '--lr={lr}': unknown key 'lr'");
  CHECK(at_its_place(parse(kHead + "[resources]\ngpus = 2\n"), "gpus = 2: no GPU was found") ==
        "lr.toml:7:8: gpus = 2: no GPU was found");
  CHECK(at_its_place(parse(kHead), "anything else") == "lr.toml: anything else");
}

TEST_CASE("sweep_file: every recipe of the project parses and expands", "[experiments]") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::source_dir() / "experiments/recipes")) {
    if (entry.path().extension() != ".toml") continue;
    INFO(entry.path());
    CHECK_FALSE(expand(read_sweep(entry.path())).empty());
    ++count;
  }
  CHECK(count > 0);
}

TEST_CASE("sweep file: a range ends at integers that can be kept exactly", "[experiments]") {
  const auto parse_max = [](const std::string& max) {
    const std::string range = "n = { min = 1, max = " + max + ", type = \"int\" }\n";
    return parse_sweep(
        "[command]\nargv = [\"true\"]\n[sweep]\nmethod = \"random\"\ntrials = 2\n[sweep.space]\n" + range,
        "s.toml", "/");
  };
  CHECK(parse_max("9007199254740991").space[0].range->max == 9007199254740991);
  for (const char* max : {"9007199254740992", "9007199254740993", "9223372036854775807"}) {
    CHECK_THROWS_WITH(parse_max(max), Catch::Contains("s.toml:7:22: ") && Catch::Contains("is too large"));
  }
}

TEST_CASE("sweep file: times are numbers of seconds or texts with a unit", "[experiments]") {
  const auto timeout_of = [](const std::string& timeout) {
    return parse_sweep("[command]\nargv = [\"true\"]\n[resources]\ntimeout = " + timeout + "\n", "s.toml",
                       "/")
        .base.resources.timeout_s;
  };
  CHECK(timeout_of("90") == 90);
  CHECK(timeout_of("\"90m\"") == 5400);
  for (const char* none : {"0", "-1", "1000000000", "1.5", "true"})
    CHECK_THROWS_WITH(timeout_of(none), Catch::Contains("must be a time"));
}

TEST_CASE("sweep file: a seed that cannot be kept exactly is refused where it stands", "[experiments]") {
  CHECK_THROWS_WITH(
      parse_sweep("[command]\nargv = [\"true\"]\n[sweep]\nseeds = [1, 1718000000000000000]\n", "s.toml", "/"),
      Catch::Contains("s.toml:4:13: ") && Catch::Contains("must be at most 9007199254740991"));
}

TEST_CASE("sweep file: a command's parameters may be called as training keys and be anything",
          "[experiments]") {
  auto sweep = parse_sweep(
      "[command]\nargv = [\"true\"]\n[sweep.space]\noptimizer = [\"lion\"]\nlearning_rate = [\"high\", 7]\n",
      "s.toml", "/");
  CHECK(expand(sweep).size() == 2);
  CHECK(expand(sweep)[0].params["optimizer"] == "lion");
  apply_setting(sweep, "learning_rate=7");
  REQUIRE(expand(sweep).size() == 1);
  CHECK(expand(sweep)[0].params["learning_rate"] == 7);
  CHECK_THROWS_WITH(apply_setting(sweep, "epochs=3"), Catch::Contains("sweeps no such key"));
}

TEST_CASE("sweep file: gpus of a command are as whole a number in --set as in the file", "[experiments]") {
  auto sweep = parse("[command]\nargv = [\"true\"]\n[sweep.space]\ngpus = [0, 1]\n");
  for (const char* setting : {"gpus=two", "gpus=-3", "gpus=1.5", "gpus="}) {
    try {
      apply_setting(sweep, setting);
      FAIL(setting);
    } catch (const Error& e) {
      CHECK(e.what() == fmt::format("--set {}: gpus must be an integer of at least 0", setting));
      CHECK(e.code() == ErrorCode::kUsage);
    }
  }
  apply_setting(sweep, "gpus=2");
  REQUIRE(expand(sweep).size() == 1);
  CHECK(expand(sweep)[0].resources.gpus == 2);
}

TEST_CASE("sweep file: what expctl writes into a job script itself is not given twice", "[experiments]") {
  const auto own = [](const std::string& kind, const std::string& line) {
    ExecutorSpec executor;
    executor.kind = kind;
    executor.extra = {"--qos=low", line};
    return own_option_in(executor);
  };
  for (const char* line :
       {"--comment=x", "--array 0-3", "--arr=0-3", "-a 0-3", "-a0-3", "--clusters=b", "-Mb", "--job-name=x",
        "-Jx", "-J x", "--output=x", "-ox", "--chdir=/tmp", "-D /tmp", "--signal=TERM", "--qos=low -a0-3"}) {
    CHECK(own("slurm", line) == line);
    CHECK(own("local", line) == "");
  }
  for (const char* line : {"-N 2", "-N2", "--nodes=2", "--constraint=a100", "--mem=4G", "-C a", "-j x"})
    CHECK(own("slurm", line) == "");
  for (const char* line : {"-J 0-3", "-J0-3", "-N name", "-o /tmp", "-joe", "-j oe"})
    CHECK(own("pbs", line) == line);
  for (const char* line : {"-a 1200", "-M me@here", "-l place=excl", "-q fast"})
    CHECK(own("pbs", line) == "");
  CHECK(refusal(kHead + "[executor]\nkind = \"slurm\"\nextra = [\"-a0-3\"]\n") ==
        "lr.toml:8:9: '-a0-3' is expctl's own: it gives the job script that option itself");
  CHECK_NOTHROW(parse(kHead + "[executor]\nkind = \"slurm\"\nextra = [\"-N 2\"]\n"));
}

TEST_CASE("sweep file: the rules are a profile by name, or a file beside the sweep file", "[experiments]") {
  CHECK(parse(kHead).base.rules == "none");
  CHECK(parse(kHead + "[contest]\nrules = \"hpc-ai-2020\"\n").base.rules == "hpc-ai-2020");
  const test::TempDir folder;
  write_file(folder / "own.json", R"({"name": "own"})");
  const auto sweep = parse_sweep(kHead + "[contest]\nrules = \"own.json\"\n", "lr.toml", folder.path());
  CHECK(sweep.base.rules == (folder / "own.json").string());
  CHECK_THAT(
      refusal(kHead + "[contest]\nrules = \"hpc-ai-2021\"\n"),
      Catch::StartsWith("lr.toml:7:9: rules = \"hpc-ai-2021\": neither a profile (hpc-ai-2020, none) nor a "
                        "file; did you mean 'hpc-ai-2020'?"));
  CHECK_THAT(refusal(kHead + "[contest]\nrules = \"" + std::string(5000, 'x') + "\"\n"),
             Catch::StartsWith("lr.toml:7:9: "));
}

TEST_CASE("sweep file: ranges and what samplers need", "[experiments]") {
  const SweepSpec sweep = parse(
      kHead +
      "[sweep]\nmethod = \"tpe\"\ntrials = 20\nsampler_seed = 7\nlag = 2\nseeds = [1, 2]\n[sweep.space]\n"
      "learning_rate = { min = 1e-5, max = 1e-4, scale = \"log\" }\nbatch_size = { min = 8, max = 32 }\n"
      "optimizer = [\"adamw\", \"sgd\"]\n[sweep.space.warmup_ratio]\nmin = 0\nmax = 0.2\n");
  CHECK(sweep.method == SweepMethod::kTpe);
  CHECK(sweep.trials == 20);
  CHECK(sweep.sampler_seed == 7);
  CHECK(sweep.lag == 2);
  REQUIRE(sweep.space.size() == 4);
  CHECK(sweep.space[0].range->is_log);
  CHECK_FALSE(sweep.space[0].range->is_integer);
  CHECK(sweep.space[0].range->min == 1e-5);
  CHECK(sweep.space[1].range->is_integer);  // as the key is
  CHECK(sweep.space[2].values.size() == 2);
  CHECK(sweep.space[3].key == "warmup_ratio");
  CHECK(sweep.space[3].range->max == 0.2);
  const SweepSpec plain = parse(
      kHead + "[sweep]\nmethod = \"random\"\ntrials = 2\n[sweep.space]\nepochs = { min = 1, max = 3 }\n");
  CHECK(plain.method == SweepMethod::kRandom);
  CHECK(plain.sampler_seed == 0);
  CHECK(parse(kHead).lag == 4);
}

TEST_CASE("sweep file: what is wrong with a range or a sampler is said where it stands", "[experiments]") {
  const auto space = [](const std::string& line) {
    return kHead + "[sweep]\nmethod = \"random\"\ntrials = 3\n[sweep.space]\n" + line + "\n";
  };
  const std::string epochs = "[sweep.space]\nepochs = [1, 2]\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {kHead + "[sweep]\nmethod = \"random\"\n" + epochs, "lr.toml:7:10: method = \"random\" needs 'trials'"},
      {kHead + "[sweep]\nmethod = \"tpe\"\ntrails = 9\n" + epochs,
       "lr.toml:8:1: unknown key 'trails'; did you mean 'trials'?"},
      {kHead + "[sweep]\nmethod = \"tpe\"\n" + epochs, "lr.toml:7:10: method = \"tpe\" needs 'trials'"},
      {kHead + "[sweep]\nmethod = \"tpe\"\ntrials = 0\n" + epochs,
       "lr.toml:8:10: trials = 0: must be at least 1"},
      {kHead + "[sweep]\nmethod = \"tpe\"\ntrials = 5\nlag = 0\n" + epochs,
       "lr.toml:9:7: lag = 0: must be at least 1"},
      {kHead + "[sweep]\nmethod = \"tpe\"\ntrials = 5\ntrails = 5\n" + epochs,
       "lr.toml:9:1: unknown key 'trails'; did you mean 'trials'?"},
      {kHead + "[sweep]\nmethod = \"random\"\ntrials = 5\nlag = 2\n" + epochs,
       "lr.toml:9:7: 'lag' is for tpe; random looks at no results"},
      {kHead + "[sweep]\nmethod = \"random\"\ntrials = 5\n",
       "lr.toml:7:10: method = \"random\" has no keys to search"},
      {kHead + "[sweep]\ntrials = 5\n" + epochs, "lr.toml:7:10: 'trials' is for samplers; a grid has none"},
      {kHead + "[sweep]\nsampler_seed = 5\n",
       "lr.toml:7:16: 'sampler_seed' is for samplers; a grid has none"},
      {kHead + "[sweep]\nlag = 5\n", "lr.toml:7:7: 'lag' is for samplers; a grid has none"},
      {"[command]\nargv = [\"x\"]\n[sweep]\nmethod = \"tpe\"\ntrials = 5\n[sweep.space]\nx = [1, 2]\n",
       "lr.toml:4:10: method = \"tpe\" needs scores, and 'data.dev' is missing"},
      {space("epochs = 3"), "lr.toml:10:10: 'epochs' must be a list of values or a range"},
      {space("epochs = { min = 1 }"), "lr.toml:10:10: the range of 'epochs' has no max"},
      {space("epochs = { min = 2, max = 2 }"),
       "lr.toml:10:27: 'sweep.space.epochs.max' must be greater than min = 2.0"},
      {space("epochs = { min = 1, max = 2, step = 1 }"), "lr.toml:10:30: unknown key 'step'"},
      {space("epochs = { min = 1, max = 2, scale = \"ln\" }"),
       "lr.toml:10:38: scale = \"ln\": this version of expctl knows linear, log"},
      {space("epochs = { min = 1, max = inf }"),
       "lr.toml:10:27: 'sweep.space.epochs.max' must be a finite number"},
      {"[command]\nargv = [\"true\"]\n[sweep]\nmethod = \"random\"\ntrials = 2\n[sweep.space]\n"
       "x = { min = -1e308, max = 1e308 }\n",
       "lr.toml:7:5: the range of 'x' is too wide"},
      {space("epochs = { min = 0, max = 2 }"), "lr.toml:10:18: epochs = 0: must be greater than 0"},
      {space("warmup_ratio = { min = 0, max = 2 }"), "lr.toml:10:33: warmup_ratio = 2: must be at most 1"},
      {space("warmup_ratio = { min = 0.0, max = 0.2, scale = \"log\" }"),
       "lr.toml:10:24: 'sweep.space.warmup_ratio.min' must be greater than 0 on a log scale"},
      {space("batch_size = { min = 8.5, max = 32 }"),
       "lr.toml:10:22: 'sweep.space.batch_size.min' must be an integer: the range is one of integers"},
      {space("batch_size = { min = 8, max = 32, type = \"float\" }"),
       "lr.toml:10:42: 'batch_size' takes integers: type = \"int\""},
      {space("optimizer = { min = 8, max = 32 }"),
       "lr.toml:10:13: 'optimizer' is no number, so it has no range"},
      {space("gpus = { min = -1, max = 2 }"), "lr.toml:10:16: gpus must be an integer of at least 0"},
      {space("seed = { min = 1, max = 2 }"), "lr.toml:10:1: seeds are given by [sweep] seeds = [1, 2, 3]"},
      {space("epoch = { min = 1, max = 2 }"), "lr.toml:10:1: unknown key 'epoch'; did you mean 'epochs'?"},
  };
  for (const auto& [text, message] : cases) {
    INFO(text);
    CHECK(refusal(text) == message);
  }
}

TEST_CASE("sweep file: --set fixes keys of a search, and once all are it is one config", "[experiments]") {
  const std::string text =
      "[sweep]\nmethod = \"random\"\ntrials = 30\n[sweep.space]\nx = { min = 1, max = 2 }\n";
  SweepSpec command = parse("[command]\nargv = [\"true\", \"{x}\"]\n" + text + "y = [1, 2]\n");
  apply_setting(command, "x=1.25");
  CHECK(command.method == SweepMethod::kRandom);
  CHECK(expand(command).size() == 2);
  apply_setting(command, "y=2");
  REQUIRE(expand(command).size() == 1);
  CHECK(expand(command)[0].params.dump() == R"({"x":1.25,"y":2})");
  SweepSpec native = parse(kHead + "[sweep]\nmethod = \"tpe\"\ntrials = 30\n[sweep.space]\n" +
                           "epochs = { min = 1, max = 2 }\n");
  apply_setting(native, "epochs=1.5");
  CHECK(native.method == SweepMethod::kGrid);
  CHECK(expand(native).size() == 1);
}

TEST_CASE("sweep file: the samples of a space show both ends of ranges and every value", "[experiments]") {
  const auto samples = sample_configs(
      parse(kHead + "[sweep]\nmethod = \"random\"\ntrials = 2\n[sweep.space]\nmax_seq_length = [384, 64]\n"
                    "batch_size = { min = 4, max = 8 }\nepochs = { min = 1, max = 2.5 }\n"));
  std::vector<std::string> got;
  for (const auto& run : samples)
    got.push_back(fmt::format("{} {} {}", run.train.max_seq_length, run.train.batch_size, run.train.epochs));
  // 64 leaves no room for the stride
  CHECK(got == std::vector<std::string>{"384 4 1", "384 4 1", "384 8 1", "384 4 1", "384 4 2.5"});
}
