// `expctl verify DIR`: checks a submission from its files alone.
#include "reports/verify.h"

#include <fmt/core.h>

#include "cli/terminal.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "reports/table.h"

namespace expctl {
namespace {

int verify(const Program& program, const std::filesystem::path& folder, const VerifyOptions& options) {
  const Verification verification = verify_submission(folder, options);
  if (program.json) {
    fmt::print("{}", json_text({{"schema_version", 1},
                                {"submission", folder.string()},
                                {"rules", verification.rules},
                                {"checks", checks_json(verification.checks)}}));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& check : verification.checks)
      rows.push_back({check.rule, std::string(name_of(check.result)), check.why});
    fmt::print("{}", render_table({"rule", "result", "why"}, rows, stdout_style()));
    if (!verification.rules.empty())
      say(program, fmt::format("held to the rules '{}'; --rules says to what else", verification.rules));
  }
  return any_failed(verification.checks) ? static_cast<int>(ErrorCode::kCheckFailed) : 0;
}

}  // namespace

void add_verify(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand(
      "verify", "Check a submission: files, records, scores, ranks, n-best, checkpoints, a contest's rules");
  verb->footer("Example: expctl verify submission --dev dev-v1.1.json --train train-v1.1.json");
  struct Options {
    std::filesystem::path folder;
    VerifyOptions given;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("DIR", options->folder, "The submission folder")->required();
  verb->add_option("--dev", options->given.dev,
                   "The SQuAD file that the entries were scored on; without it scores are unproven");
  verb->add_option("--train", options->given.train, "The SQuAD file that the runs were trained on");
  verb->add_option("--init", options->given.init, "The folder of weights that the runs began from");
  verb->add_option("--unseen", options->given.unseen, "The judges' questions, where the entries answer some");
  verb->add_option("--rules", options->given.rules,
                   "A contest's rules, by name or file (default: those it was made under)");
  on_call(verb, program, [&program, options] { return verify(program, options->folder, options->given); });
}

}  // namespace expctl
