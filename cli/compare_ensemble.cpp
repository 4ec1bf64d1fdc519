#include "cli/compare_ensemble.h"

#include <fmt/core.h>

#include <set>

#include "cli/member_combiner.h"
#include "cli/output_file.h"
#include "cli/run_scores.h"
#include "cli/terminal.h"
#include "core/error.h"
#include "core/text.h"
#include "ensemble/agreement.h"
#include "ensemble/article_split.h"
#include "reports/line_chart.h"
#include "reports/table.h"
#include "squad/paired_bootstrap.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// The ensemble less one member, or less the mean member.
struct Beside {
  std::string name;
  Score score;
  PairedDifference gain;
};

struct Comparison {
  Score ensemble;
  std::vector<Beside> members;
  Beside mean;
  std::vector<std::vector<double>> agreement;
  std::vector<SizeScore> sizes;  ///< empty of a soup, which would have to predict for each
};

Score mean_of(const std::vector<Beside>& members) {
  Score mean = members.front().score;
  mean.f1 = mean.exact_match = 0;
  for (auto& question : mean.questions) question.f1 = 0;
  const auto count = static_cast<double>(members.size());
  for (const auto& member : members) {
    mean.f1 += member.score.f1 / count;
    mean.exact_match += member.score.exact_match / count;
    for (size_t i = 0; i < mean.questions.size(); ++i)
      mean.questions[i].f1 += member.score.questions[i].f1 / count;
  }
  return mean;
}

Comparison compare(const Program& program, const Registry& registry, const RunRecord& entry) {
  const WorkspacePaths workspace = program.workspace();
  const Method method = parse_method(json_get<std::string>(entry.spec, "method", "registry: " + entry.id));
  const auto ids = registry.ensemble_members(entry.id);
  const EnsembleMembers members = find_members(registry, workspace, ids, method);
  const Dataset dataset = read_dev_data(members);
  if (!dataset.has_answers())
    throw Error(fmt::format("{}: it has questions without answers, so there are no scores to compare",
                            members.spec.dev_data.path));
  Comparison all;
  all.ensemble = score_of_run(dataset, workspace, entry);
  const auto paragraphs = question_paragraphs(dataset);
  std::vector<Predictions> predictions;
  for (const auto& id : ids) {
    predictions.push_back(read_predictions(workspace.run(id).predictions()));
    const Score score = score_predictions(dataset, predictions.back());
    all.members.push_back({id, score, paired_difference(score, all.ensemble, paragraphs)});
  }
  all.mean = {"their mean", mean_of(all.members), {}};
  all.mean.gain = paired_difference(all.mean.score, all.ensemble, paragraphs);
  all.agreement = agreement(predictions);
  if (method != Method::kSoup) {
    Scaling scaling;
    for (const auto& member : entry.spec["members"]) scaling.given.push_back(member.value("scale", 1.0));
    const auto combiner = make_combiner(program, members, method, scaling);
    ScoreBook book(members.size(), [&](const auto& weights) { return combiner->question_f1(weights); });
    all.sizes = f1_by_size(book, all_questions(dataset));
  }
  return all;
}

Json beside_json(const Beside& beside) {
  const auto& gain = beside.gain;
  return {{"id", beside.name}, {"f1", beside.score.f1}, {"exact_match", beside.score.exact_match},
          {"gain", gain.f1},   {"low", gain.low},       {"high", gain.high},
          {"won", gain.won},   {"lost", gain.lost},     {"alike", gain.alike}};
}

Json to_json(const RunRecord& entry, const Comparison& all) {
  Json members = Json::array(), sizes = Json::array();
  for (const auto& member : all.members) members.push_back(beside_json(member));
  for (const auto& size : all.sizes)
    sizes.push_back(
        {{"members", size.members}, {"f1", size.mean}, {"least", size.least}, {"greatest", size.greatest}});
  Json mean = beside_json(all.mean);
  mean.erase("id");
  return {{"schema_version", 1},        {"id", entry.id},
          {"f1", all.ensemble.f1},      {"exact_match", all.ensemble.exact_match},
          {"members", members},         {"mean", mean},
          {"agreement", all.agreement}, {"by_size", sizes}};
}

using Rows = std::vector<std::vector<std::string>>;

void print(const RunRecord& entry, const Comparison& all) {
  Rows rows;
  const auto add = [&](const Beside& beside) {
    const auto& gain = beside.gain;
    rows.push_back({beside.name, fmt::format("{:.4f}", beside.score.f1),
                    fmt::format("{:.4f}", beside.score.exact_match), fmt::format("{:+.4f}", gain.f1),
                    fmt::format("{:+.2f} to {:+.2f}", gain.low, gain.high), std::to_string(gain.won),
                    std::to_string(gain.lost), std::to_string(gain.alike)});
  };
  for (const auto& member : all.members) add(member);
  add(all.mean);
  rows.push_back({entry.id, fmt::format("{:.4f}", all.ensemble.f1),
                  fmt::format("{:.4f}", all.ensemble.exact_match), "", "", "", "", ""});
  fmt::print("{}", render_table({"entry", "F1", "EM", entry.id + " gains", "95 %", "won", "lost", "alike"},
                                rows, stdout_style()));

  fmt::print("\nquestions answered alike, in percent\n");
  std::vector<std::string> header = {""};
  rows.clear();
  for (size_t a = 0; a < all.members.size(); ++a) {
    header.push_back(all.members[a].name);
    rows.push_back({all.members[a].name});
    for (const double share : all.agreement[a]) rows.back().push_back(fmt::format("{:.1f}", 100 * share));
  }
  fmt::print("{}", render_table(header, rows, stdout_style()));

  if (all.sizes.empty()) return;
  fmt::print("\nmean ensemble of N members (neighbouring runs)\n");
  rows.clear();
  for (const auto& size : all.sizes)
    rows.push_back({std::to_string(size.members), fmt::format("{:.4f}", size.mean),
                    fmt::format("{:.4f}", size.least), fmt::format("{:.4f}", size.greatest)});
  fmt::print("{}", render_table({"members", "mean F1", "least", "greatest"}, rows, stdout_style()));
}

std::string size_chart(const std::vector<SizeScore>& sizes) {
  std::vector<Series> series = {{"greatest", {}}, {"mean", {}}, {"least", {}}};
  for (const auto& size : sizes) {
    const auto x = static_cast<double>(size.members);
    series[0].points.emplace_back(x, size.greatest);
    series[1].points.emplace_back(x, size.mean);
    series[2].points.emplace_back(x, size.least);
  }
  ChartShape shape;
  shape.is_file = true;
  return line_chart(series, "members", "F1", shape);
}

}  // namespace

int compare_ensemble(const Program& program, const Registry& registry, const RunRecord& entry,
                     const fs::path& plot) {
  const Comparison all = compare(program, registry, entry);
  if (!plot.empty()) {
    if (all.sizes.empty())
      throw Error(fmt::format("{} is a soup: each size of it would have to predict anew", entry.id),
                  "--plot is for ensembles of logits, probabilities or n-best", ErrorCode::kUsage);
    write_output(plot, size_chart(all.sizes), "aria-label=\"F1 by members\"");
  }
  if (program.json)
    fmt::print("{}", json_text(to_json(entry, all)));
  else
    print(entry, all);
  if (!plot.empty()) say(program, fmt::format("wrote {}", plot.string()));
  return 0;
}

}  // namespace expctl
