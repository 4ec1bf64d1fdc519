#include "reports/recorded_inputs.h"

#include <fmt/core.h>

namespace expctl {

void check_recorded_input(const SubmissionView& view, Input RunSpec::*which, const std::string& sha256,
                          const std::filesystem::path& given, const char* what_it_did, Findings& findings) {
  for (const auto& entry : view.entries) {
    for (const auto& run : entry.runs()) {
      const std::string recorded = (entry.spec(run).*which).sha256;
      const std::string where = view.name_of_file(entry.paths.training(run) / kSpecFile);
      if (recorded.empty())
        findings.unproven.push_back(fmt::format("{} does not say what the run {}", where, what_it_did));
      else if (recorded != sha256)
        findings.problems.push_back(fmt::format("{}: the run {} something else than {}, by its SHA-256",
                                                where, what_it_did, given.string()));
    }
  }
}

}  // namespace expctl
