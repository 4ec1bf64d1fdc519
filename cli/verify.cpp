// `expctl verify DIR`: checks a submission from its files alone.
#include "reports/verify.h"

#include <fmt/core.h>

#include "cli/program.h"
#include "core/error.h"
#include "reports/table.h"

namespace expctl {
namespace {

int verify(const Program& program, const std::filesystem::path& folder, const std::filesystem::path& dev) {
  const auto checks = verify_submission(folder, dev);
  if (program.json) {
    fmt::print("{}", json_text(checks_json(folder, checks)));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const auto& check : checks)
      rows.push_back({check.rule, std::string(name_of(check.result)), check.why});
    fmt::print("{}", render_table({"rule", "result", "why"}, rows, stdout_style()));
  }
  return any_failed(checks) ? static_cast<int>(ErrorCode::kCheckFailed) : 0;
}

}  // namespace

void add_verify(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand(
      "verify", "Check a submission: files, hashes, ids, scores, ranks, n-best, checkpoints");
  verb->footer("Example: expctl verify submission --dev dev-v1.1.json");
  struct Options {
    std::filesystem::path folder, dev;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("DIR", options->folder, "The submission folder")->required();
  verb->add_option("--dev", options->dev,
                   "The SQuAD file that the entries were scored on; without it scores are unproven");
  verb->callback([&program, options] {
    program.action = [&program, options] { return verify(program, options->folder, options->dev); };
  });
}

}  // namespace expctl
