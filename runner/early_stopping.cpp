#include "runner/early_stopping.h"

#include <fmt/core.h>

#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "core/json_lines.h"
#include "core/text.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// What has been added to a file since `read_bytes`, in whole lines; moves `read_bytes` behind them.
std::string new_lines(const fs::path& path, int64_t& read_bytes) {
  std::string text = file_tail(path, read_bytes, std::numeric_limits<int64_t>::max());
  text.resize(text.rfind('\n') + 1);  // npos + 1 is 0
  read_bytes += static_cast<int64_t>(text.size());
  return text;
}

/// Ends the line that a crash may have cut short, so that the next stands alone.
void append_line(const fs::path& path, const std::string& line) {
  const std::string before = fs::exists(path) ? read_file(path) : "";
  std::string whole = before.substr(0, before.rfind('\n') + 1);
  write_file(path, {whole, line, "\n"});
}

}  // namespace

std::vector<RungDecision> read_decisions(const WorkspacePaths& workspace, const std::string& sweep_id) {
  const fs::path path = workspace.decisions(sweep_id);
  std::vector<RungDecision> decisions;
  if (!fs::exists(path)) return decisions;
  const std::string text = read_file(path);
  const auto lines = split(text.substr(0, text.rfind('\n') + 1), '\n');
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    const std::string source = fmt::format("{}:{}", path.string(), i + 1);
    decisions.push_back(decision_from_line(parse_json(lines[i], source), source));
  }
  return decisions;
}

std::string fault_of_decisions(const std::vector<RungDecision>& decisions) {
  Halving halving;
  for (const auto& decision : decisions) {
    if (halving.decide(decision.report, decision.reduction) == decision) continue;
    return fmt::format("what was decided on {} at rung {} does not follow from the scores before",
                       decision.report.run_id, decision.report.rung);
  }
  return "";
}

Halving& EarlyStopping::halving_of(const std::string& sweep_id) {
  const auto [found, is_new] = halvings_.try_emplace(sweep_id);
  if (is_new) {
    for (const auto& decision : read_decisions(workspace_, sweep_id)) found->second.restore(decision);
  }
  return found->second;
}

std::vector<RungReport> EarlyStopping::new_reports(const RunRecord& run) {
  Reader& reader = readers_[run.id];
  // Another attempt cuts the file back to the state that it goes on from.
  if (reader.attempt != run.attempts) reader = {run.attempts, 0};
  const fs::path metrics = workspace_.run(run.id).metrics();
  if (file_bytes(metrics) < reader.read_bytes) reader.read_bytes = 0;
  std::vector<RungReport> reports;
  for_each_json_object(new_lines(metrics, reader.read_bytes), [&](const Json& line) {
    const auto rung = number_in(line, "rung"), step = number_in(line, "step"), f1 = number_in(line, "f1");
    if (rung && step && f1)
      reports.push_back({run.id, static_cast<int64_t>(*rung), static_cast<int64_t>(*step), *f1});
  });
  return reports;
}

std::vector<RungDecision> EarlyStopping::look(const RunRecord& run, const RunSpec& spec, bool is_at_work,
                                              double now_s) {
  std::vector<RungDecision> decided;
  if (!spec.early_stop.is_wanted()) return decided;
  Halving& halving = halving_of(run.sweep_id);
  for (const auto& report : new_reports(run)) {
    if (halving.has_stopped(run.id) && !halving.knows(report)) continue;
    const bool is_new = !halving.knows(report);
    const RungDecision decision = halving.decide(report, spec.early_stop.reduction);
    if (is_new) {
      append_line(workspace_.decisions(run.sweep_id), json_line(decision_line(decision, now_s)));
      decided.push_back(decision);
    }
    if (is_at_work && !decision.goes_on)
      write_file(workspace_.run(run.id).prune_request(), decision_text(decision));
  }
  return decided;
}

}  // namespace expctl
