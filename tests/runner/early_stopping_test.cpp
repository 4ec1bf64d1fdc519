// Reports are written as expctl-train writes them; what is decided on them is experiments/halving_test.cpp's.
#include "runner/early_stopping.h"

#include <fmt/core.h>

#include <fstream>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

constexpr bool kAtWork = true;

struct Sweep {
  Sweep() {
    spec.early_stop = {"asha", 0.2, 3};
    make_folder(workspace.folder("sweep1"));
  }

  RunRecord run(const std::string& id, int attempt = 1) const {
    RunRecord record;
    record.id = id;
    record.sweep_id = "sweep1";
    record.attempts = attempt;
    make_folder(workspace.folder(id));
    return record;
  }

  void report(const std::string& id, int rung, double f1) const {
    write(id, fmt::format(R"({{"event":"eval","step":{},"f1":{},"exact_match":1.0,"time":5,"rung":{}}})"
                          "\n",
                          40 * (rung + 1), f1, rung));
  }

  void write(const std::string& id, const std::string& text) const {
    make_folder(workspace.folder(id));
    std::ofstream(RunPaths{workspace.folder(id)}.metrics(), std::ios::app) << text;
  }

  bool is_asked_to_end(const std::string& id) const {
    return std::filesystem::exists(RunPaths{workspace.folder(id)}.prune_request());
  }

  TempDir folder;
  WorkspacePaths workspace{folder.path()};
  RunSpec spec;
};

}  // namespace

TEST_CASE("a run that is not among the best of its rung is asked to end, with the reason on record") {
  Sweep sweep;
  EarlyStopping stopping(sweep.workspace);
  sweep.report("run1", 0, 60);
  sweep.report("run2", 0, 50);
  CHECK(stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 7).at(0).goes_on);
  const auto decided = stopping.look(sweep.run("run2"), sweep.spec, kAtWork, 8);
  REQUIRE(decided.size() == 1);
  CHECK(decided[0] == RungDecision{{"run2", 0, 40, 50}, 3, 2, 2, false});
  CHECK_FALSE(sweep.is_asked_to_end("run1"));
  CHECK(read_file(RunPaths{sweep.workspace.folder("run2")}.prune_request()) ==
        "at step 40, F1 50.00: number 2 of the 2 that have come there");
  CHECK(stopping.look(sweep.run("run2"), sweep.spec, kAtWork, 9).empty());
  CHECK(read_decisions(sweep.workspace, "sweep1").size() == 2);
}

TEST_CASE("only whole lines of metrics are read, each once") {
  Sweep sweep;
  EarlyStopping stopping(sweep.workspace);
  sweep.write("run1", "{\"step\":1,\"loss\":2.5}\n{\"event\":\"eval\",\"step\":40,\"f1\":60.0,");
  CHECK(stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 7).empty());
  sweep.write("run1", "\"rung\":0}\n");
  CHECK(stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 8).size() == 1);
  sweep.write("run1", "{\"event\":\"eval\",\"step\":50,\"f1\":61.0}\n");  // of eval_every
  CHECK(stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 9).empty());
  sweep.report("run1", 1, 70);
  CHECK(stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 9).size() == 1);
}

TEST_CASE("another scheduler goes on from what was decided, and asks again a run that should have ended") {
  Sweep sweep;
  sweep.report("run1", 0, 60);
  sweep.report("run2", 0, 50);
  {
    EarlyStopping stopping(sweep.workspace);
    stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 7);
    stopping.look(sweep.run("run2"), sweep.spec, kAtWork, 7);
  }
  std::filesystem::remove(RunPaths{sweep.workspace.folder("run2")}.prune_request());
  // Killed while it wrote the next line.
  std::ofstream(sweep.workspace.decisions("sweep1"), std::ios::app) << "{\"run\":\"run3\",";
  EarlyStopping stopping(sweep.workspace);
  CHECK(stopping.look(sweep.run("run2", 2), sweep.spec, kAtWork, 8).empty());
  CHECK(sweep.is_asked_to_end("run2"));
  sweep.report("run3", 0, 55);
  const auto third = stopping.look(sweep.run("run3"), sweep.spec, kAtWork, 9);
  REQUIRE(third.size() == 1);
  CHECK(third[0].rank == 2);
  CHECK(third[0].seen == 3);
  CHECK(fault_of_decisions(read_decisions(sweep.workspace, "sweep1")).empty());
}

TEST_CASE("a run that has ended is counted and not asked") {
  Sweep sweep;
  EarlyStopping stopping(sweep.workspace);
  sweep.report("run1", 0, 60);
  sweep.report("run2", 0, 50);
  stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 7);
  CHECK(stopping.look(sweep.run("run2"), sweep.spec, !kAtWork, 7).size() == 1);
  CHECK_FALSE(sweep.is_asked_to_end("run2"));
}

TEST_CASE("without early stopping nothing is read or written") {
  Sweep sweep;
  sweep.spec.early_stop = {};
  sweep.report("run1", 0, 60);
  CHECK(EarlyStopping(sweep.workspace).look(sweep.run("run1"), sweep.spec, kAtWork, 7).empty());
  CHECK_FALSE(std::filesystem::exists(sweep.workspace.decisions("sweep1")));
}

TEST_CASE("a decision that somebody has changed is found") {
  Sweep sweep;
  EarlyStopping stopping(sweep.workspace);
  for (const auto& [id, f1] : {std::pair{"run1", 60.0}, {"run2", 50.0}, {"run3", 65.0}}) {
    sweep.report(id, 0, f1);
    stopping.look(sweep.run(id), sweep.spec, kAtWork, 7);
  }
  CHECK(fault_of_decisions(read_decisions(sweep.workspace, "sweep1")).empty());
  const auto path = sweep.workspace.decisions("sweep1");
  std::string text = read_file(path);
  text.replace(text.find("\"goes_on\":false"), 15, "\"goes_on\":true");
  write_file(path, text);
  CHECK_THAT(fault_of_decisions(read_decisions(sweep.workspace, "sweep1")),
             Catch::Contains("run2 at rung 0 does not follow"));
  write_file(path, "{\"run\":\"run1\"}\n");
  CHECK_THROWS_WITH(read_decisions(sweep.workspace, "sweep1"), Catch::Contains("decisions.jsonl:1"));
}

TEST_CASE("what a run reports while it ends is not decided on, and a line that is no report is passed over") {
  Sweep sweep;
  EarlyStopping stopping(sweep.workspace);
  sweep.report("run1", 0, 60);
  stopping.look(sweep.run("run1"), sweep.spec, kAtWork, 7);
  sweep.report("run2", 0, 50);
  sweep.report("run2", 1, 99);
  CHECK(stopping.look(sweep.run("run2"), sweep.spec, kAtWork, 7).size() == 1);
  sweep.report("run2", 2, 99);
  CHECK(stopping.look(sweep.run("run2"), sweep.spec, kAtWork, 8).empty());
  sweep.write("run3", "{\"rung\":0}\n{\"rung\":\"0\",\"step\":40,\"f1\":70}\n[\"rung\"]\n");
  CHECK(stopping.look(sweep.run("run3"), sweep.spec, kAtWork, 9).empty());
  CHECK(read_decisions(sweep.workspace, "sweep1").size() == 2);
}
