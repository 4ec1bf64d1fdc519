#include "experiments/halving.h"

#include <fmt/core.h>

#include <algorithm>

namespace expctl {

RungDecision Halving::decide(const RungReport& report, int64_t reduction) {
  const auto before = decided_.find({report.run_id, report.rung});
  if (before != decided_.end()) return before->second;
  const auto& others = scores_[report.rung];
  const auto better =
      std::count_if(others.begin(), others.end(), [&](double score) { return score >= report.score; });
  RungDecision decision{report, reduction, better + 1, static_cast<int64_t>(others.size()) + 1};
  decision.goes_on = decision.rank <= std::max<int64_t>(1, decision.seen / reduction);
  restore(decision);
  return decision;
}

void Halving::restore(const RungDecision& decision) {
  const RungReport& report = decision.report;
  if (decided_.insert({{report.run_id, report.rung}, decision}).second)
    scores_[report.rung].push_back(report.score);
  if (!decision.goes_on) stopped_.insert(report.run_id);
}

std::string decision_text(const RungDecision& decision) {
  return fmt::format("at step {}, F1 {:.2f}: number {} of the {} that have come there", decision.report.step,
                     decision.report.score, decision.rank, decision.seen);
}

Json decision_line(const RungDecision& decision, double now_s) {
  const RungReport& report = decision.report;
  return {{"run", report.run_id},
          {"rung", report.rung},
          {"step", report.step},
          {"f1", report.score},
          {"rank", decision.rank},
          {"seen", decision.seen},
          {"reduction", decision.reduction},
          {"goes_on", decision.goes_on},
          {"time", now_s}};
}

RungDecision decision_from_line(const Json& line, const std::string& source) {
  RungDecision decision;
  decision.report = {json_get<std::string>(line, "run", source), json_get<int64_t>(line, "rung", source),
                     json_get<int64_t>(line, "step", source), json_get<double>(line, "f1", source)};
  decision.reduction = json_get<int64_t>(line, "reduction", source);
  decision.rank = json_get<int64_t>(line, "rank", source);
  decision.seen = json_get<int64_t>(line, "seen", source);
  decision.goes_on = json_get<bool>(line, "goes_on", source);
  return decision;
}

}  // namespace expctl
