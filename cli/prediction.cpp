#include "cli/prediction.h"

#include <fmt/core.h>

#include "cli/worker_call.h"
#include "core/files.h"
#include "core/hash.h"
#include "ensemble/answers.h"
#include "ensemble/blend.h"
#include "ensemble/nbest_merge.h"
#include "reports/ensemble_stats.h"
#include "runner/attempt_request.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

WorkerRequest make_predict_request(RunSpec spec, const fs::path& input, const DeviceAssignment& devices,
                                   const fs::path& folder) {
  spec.train_data = spec.teacher = {};
  spec.dev_data = {fs::absolute(input).lexically_normal().string(), sha256_file(input)};
  spec.init.sha256 = sha256_folder(spec.init.path);
  return make_worker_request(WorkerTask::kPredict, std::move(spec), devices, folder);
}

fs::path member_folder(const fs::path& out, size_t index) {
  return out / "members" / std::to_string(index + 1);
}

/// Decodes what the members' logits come to.
void combine_logits(const Models& models, const std::vector<RunPaths>& members, const fs::path& input,
                    const RunPaths& paths) {
  std::vector<LogitsMember> read;
  std::vector<double> weights;
  for (size_t i = 0; i < members.size(); ++i) {
    const Model& model = models.members[i];
    read.push_back({model.name, model.scale, read_logits(members[i].logits())});
    weights.push_back(model.weight);
  }
  const RunSpec& spec = models.members.front().spec;
  const AnswerSpace space(read_dataset(input), Vocabulary::read(CheckpointPaths{spec.init.path}.vocab()),
                          spec.train);
  space.check(read.front().logits, models.members.front().name);
  space.write(paths, Blend(std::move(read), models.method, space.question_tokens()).mean(weights));
}

void combine_nbest(const Models& models, const std::vector<RunPaths>& members, const fs::path& input,
                   const RunPaths& paths) {
  std::vector<NBestMember> read;
  for (size_t i = 0; i < members.size(); ++i)
    read.push_back({models.members[i].name, models.members[i].weight, read_nbest(members[i].nbest())});
  const Dataset dataset = read_dataset(input);
  const auto n_best = static_cast<size_t>(models.members.front().spec.train.n_best);
  write_answers(paths, dataset, merge_nbest(read, dataset, n_best));
}

/// But for the request, whose answers they are.
void copy_answers(const fs::path& from, const fs::path& to) {
  make_folder(to);
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.is_regular_file())
      fs::copy_file(entry.path(), to / entry.path().filename(), fs::copy_options::overwrite_existing);
  }
}

}  // namespace

/// `folder` is where it works, `final` where the folder will lie.
void Predictor::predict_one(const Model& model, const DeviceAssignment& devices, const fs::path& folder,
                            const fs::path& final) {
  WorkerRequest request = make_predict_request(model.spec, input_, devices, folder);
  const std::string question = json_line(to_json(request.spec));
  const auto known = done_.find(question);
  if (known != done_.end() && fs::exists(RunPaths{known->second}.predictions()))
    copy_answers(known->second, folder);
  else
    call_worker(request, folder, "predicting with " + model.name);
  done_[question] = folder;
  request.run_id = final.filename().string();
  request.argv.back() = final.string();
  write_request(request, RunPaths{folder}, final);
}

/// Each model's answers in a folder of its own, then what they come to.
void Predictor::predict_all(const Models& models, const DeviceAssignment& devices, const fs::path& folder,
                            const fs::path& final) {
  std::vector<RunPaths> members;
  std::vector<std::pair<std::string, fs::path>> folders;
  for (size_t i = 0; i < models.members.size(); ++i) {
    const Model& model = models.members[i];
    members.push_back({member_folder(folder, i)});
    say(program_, fmt::format("{} ({} of {})", model.name, i + 1, models.members.size()));
    predict_one(model, devices, members.back().folder, member_folder(final, i));
    folders.emplace_back(member_folder("", i).string(), members.back().folder);  // two may be called alike
  }
  const RunPaths paths{folder};
  write_file(paths.inference_stats(), json_text(ensemble_inference_stats(folders)));
  (models.method == Method::kNBest ? combine_nbest : combine_logits)(models, members, input_, paths);
}

void Predictor::predict(const Models& models, const fs::path& folder, const fs::path& final) {
  const PredictionDevices devices(program_);
  if (models.members.size() == 1)
    predict_one(models.members.front(), devices.assignment(), folder, final);
  else
    predict_all(models, devices.assignment(), folder, final);
}

}  // namespace expctl
