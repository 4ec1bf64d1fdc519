#include "cli/member_combiner.h"

#include <fmt/core.h>

#include <algorithm>

#include "cli/prediction.h"
#include "core/draft_folder.h"
#include "core/error.h"
#include "core/text.h"
#include "ensemble/answers.h"
#include "ensemble/article_split.h"
#include "ensemble/calibration.h"
#include "ensemble/pool_scorer.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::vector<double> f1_of(const Score& score) {
  std::vector<double> f1;
  for (const auto& question : score.questions) f1.push_back(question.f1);
  return f1;
}

std::vector<double> find_scales(const std::vector<LogitsMember>& members, const AnswerSpace& space,
                                const Scaling& scaling) {
  if (!scaling.given.empty()) return scaling.given;
  std::vector<double> scales(members.size(), 1.0);
  if (scaling.normalise == Normalise::kTemperature) {
    const auto fitted_on = scaling.holdout > 0
                               ? hold_out(space.dataset, scaling.holdout, scaling.seed).chosen_on
                               : all_questions(space.dataset);
    for (size_t i = 0; i < members.size(); ++i) scales[i] = fitted_scale(members[i].logits, space, fitted_on);
  } else if (scaling.normalise == Normalise::kScale) {
    double mean = 0;
    for (const auto& member : members)
      mean += logit_deviation(member.logits) / static_cast<double>(members.size());
    for (size_t i = 0; i < members.size(); ++i) {
      const double own = logit_deviation(members[i].logits);
      if (own > 0) scales[i] = mean / own;
    }
  }
  return scales;
}

class LogitsCombiner : public MemberCombiner {
 public:
  LogitsCombiner(AnswerSpace space, std::vector<double> scales, Blend blend)
      : space_(std::move(space)),
        scales_(std::move(scales)),
        blend_(std::move(blend)),
        scorer_(space_, blend_) {}

  const Dataset& dataset() const override { return space_.dataset; }
  std::vector<double> scales() const override { return scales_; }
  std::vector<double> question_f1(const std::vector<double>& weights) override {
    return scorer_.question_f1(weights);
  }
  void write(const std::vector<double>& weights, const fs::path& draft) override {
    space_.write(RunPaths{draft}, blend_.mean(weights));
  }

 private:
  AnswerSpace space_;
  std::vector<double> scales_;
  Blend blend_;
  PoolScorer scorer_;
};

std::unique_ptr<MemberCombiner> make_logits_combiner(const WorkspacePaths& workspace,
                                                     const EnsembleMembers& members, Method method,
                                                     const Scaling& scaling) {
  const RunPaths first = workspace.run(members.runs.front().id);
  AnswerSpace space(read_dev_data(members), Vocabulary::read(CheckpointPaths{first.checkpoint()}.vocab()),
                    members.spec.train);
  auto read = read_logits_members(members, workspace);
  check_alike(read);
  space.check(read.front().logits, read.front().id);
  auto scales = find_scales(read, space, scaling);
  for (size_t i = 0; i < read.size(); ++i) read[i].scale = scales[i];
  Blend blend(std::move(read), method, space.question_tokens());
  return std::make_unique<LogitsCombiner>(std::move(space), std::move(scales), std::move(blend));
}

class NBestCombiner : public MemberCombiner {
 public:
  NBestCombiner(const WorkspacePaths& workspace, const EnsembleMembers& members)
      : dataset_(read_dev_data(members)),
        members_(read_nbest_members(members, workspace)),
        n_best_(static_cast<size_t>(members.spec.train.n_best)) {}

  const Dataset& dataset() const override { return dataset_; }
  std::vector<double> scales() const override { return std::vector<double>(members_.size(), 1.0); }
  std::vector<double> question_f1(const std::vector<double>& weights) override {
    return f1_of(score_answers(dataset_, merged(weights)).value());
  }
  void write(const std::vector<double>& weights, const fs::path& draft) override {
    write_answers(RunPaths{draft}, dataset_, merged(weights));
  }

 private:
  std::vector<QuestionPrediction> merged(const std::vector<double>& weights) {
    for (size_t i = 0; i < members_.size(); ++i) members_[i].weight = weights[i];
    return merge_nbest(members_, dataset_, n_best_);
  }

  Dataset dataset_;
  std::vector<NBestMember> members_;
  size_t n_best_;
};

/// Each soup predicts anew.
class SoupCombiner : public MemberCombiner {
 public:
  SoupCombiner(const Program& program, const EnsembleMembers& members)
      : program_(program),
        workspace_(program.workspace()),
        dataset_(read_dev_data(members)),
        members_(read_soup_members(members, workspace_)),
        spec_(members.spec) {}

  const Dataset& dataset() const override { return dataset_; }
  std::vector<double> scales() const override { return std::vector<double>(members_.size(), 1.0); }
  std::vector<double> question_f1(const std::vector<double>& weights) override {
    const DraftFolder draft(workspace_.folder("soup"));
    write(weights, draft.path());
    say(program_, fmt::format("{} tried", counted(++tried_, "soup")));
    return f1_of(score_predictions(dataset_, read_predictions(RunPaths{draft.path()}.predictions())));
  }
  void write(const std::vector<double>& weights, const fs::path& draft) override {
    std::vector<SoupMember> chosen;
    for (size_t i = 0; i < members_.size(); ++i) {
      if (weights[i] == 0) continue;
      chosen.push_back(members_[i]);
      chosen.back().weight = weights[i];
    }
    const fs::path checkpoint = RunPaths{draft}.checkpoint();
    write_soup(checkpoint, chosen);
    const Model soup = model_of_checkpoint("the soup", spec_, checkpoint, {});
    Predictor(program_, spec_.dev_data.path).predict({{soup}}, draft, draft);
    // Where it will lie is not known yet.
    for (const auto& file : {RunPaths{draft}.request(), RunPaths{draft}.command()}) fs::remove(file);
  }

 private:
  const Program& program_;
  WorkspacePaths workspace_;
  Dataset dataset_;
  std::vector<SoupMember> members_;
  RunSpec spec_;
  size_t tried_ = 0;
};

}  // namespace

std::unique_ptr<MemberCombiner> make_combiner(const Program& program, const EnsembleMembers& members,
                                              Method method, const Scaling& scaling) {
  const WorkspacePaths workspace = program.workspace();
  if (method == Method::kNBest) return std::make_unique<NBestCombiner>(workspace, members);
  if (method == Method::kSoup) return std::make_unique<SoupCombiner>(program, members);
  return make_logits_combiner(workspace, members, method, scaling);
}

}  // namespace expctl
