#include "cli/complete.h"

#include "cli/cli11.h"
#include "tests/support/support.h"

using namespace expctl;

namespace {

using Words = std::vector<std::string>;

/// A program of the form of expctl's.
struct SmallProgram {
  CLI::App app{"small", "small"};
  std::string text;
  bool flag = false;

  SmallProgram() {
    app.add_option("--workspace", text);
    app.add_flag("--json", flag);
    auto* runs = app.add_subcommand("runs");
    runs->add_subcommand("list")->add_option("--where", text);
    runs->add_subcommand("show")->add_option("ID", text);
    app.add_subcommand("resume")->add_option("ID", text);
    app.add_subcommand("stop")->add_option("ID", text, "run3, or sweep1 for its runs");
    app.add_subcommand("sweep")->add_option("FILE", text);
    app.add_subcommand("job")->group("");
  }

  Words complete(const Words& words) const {
    return completions(app, words, [](bool with_sweeps) {
      return with_sweeps ? Words{"run1", "run2", "best", "@", "sweep1"} : Words{"run1", "run2", "best", "@"};
    });
  }
};

}  // namespace

TEST_CASE("complete: verbs, their own, and not the hidden ones", "[cli]") {
  const SmallProgram small;
  CHECK(small.complete({""}) == Words{"resume", "runs", "stop", "sweep"});
  CHECK(small.complete({"r"}) == Words{"resume", "runs"});
  CHECK(small.complete({"j"}).empty());
  CHECK(small.complete({"runs", ""}) == Words{"list", "show"});
  CHECK(small.complete({"--json", "runs", "l"}) == Words{"list"});
  CHECK(small.complete({}).empty());
}

TEST_CASE("complete: runs where a verb takes one, else nothing, so that the shell offers files", "[cli]") {
  const SmallProgram small;
  CHECK(small.complete({"resume", ""}) == Words{"@", "best", "run1", "run2"});
  CHECK(small.complete({"runs", "show", "run"}) == Words{"run1", "run2"});
  CHECK(small.complete({"stop", ""}) == Words{"@", "best", "run1", "run2", "sweep1"});
  CHECK(small.complete({"sweep", ""}).empty());
  CHECK(small.complete({"runs", "list", ""}).empty());
}

TEST_CASE("complete: options of the verb and of the program, and no guess at their values", "[cli]") {
  const SmallProgram small;
  CHECK(small.complete({"runs", "list", "--w"}) == Words{"--where", "--workspace"});
  CHECK(small.complete({"resume", "--j"}) == Words{"--json"});
  CHECK(small.complete({"--workspace", ""}).empty());
  CHECK(small.complete({"--workspace", "x", "ru"}) == Words{"runs"});
  CHECK(small.complete({"--workspace=x", "ru"}) == Words{"runs"});
  CHECK(small.complete({"--workspace", "runs", ""}) ==
        Words{"resume", "runs", "stop", "sweep"});  // a value, no verb
}
