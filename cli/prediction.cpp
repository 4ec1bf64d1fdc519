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

/// `folder` is where it works, `final` where the folder will lie.
void predict_one(const Model& model, const fs::path& input, const DeviceAssignment& devices,
                 const fs::path& folder, const fs::path& final) {
  const RunPaths paths{folder};
  WorkerRequest request = make_predict_request(model.spec, input, devices, folder);
  call_worker(request, folder, "predicting with " + model.name);
  request.run_id = final.filename().string();
  request.argv.back() = final.string();
  write_request(request, paths, final);
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

/// Each model's answers in a folder of its own, then what they come to.
void predict_all(const Program& program, const Models& models, const fs::path& input,
                 const DeviceAssignment& devices, const fs::path& folder, const fs::path& final) {
  std::vector<RunPaths> members;
  std::vector<std::pair<std::string, fs::path>> folders;
  for (size_t i = 0; i < models.members.size(); ++i) {
    const Model& model = models.members[i];
    members.push_back({member_folder(folder, i)});
    say(program, fmt::format("{} ({} of {})", model.name, i + 1, models.members.size()));
    predict_one(model, input, devices, members.back().folder, member_folder(final, i));
    folders.emplace_back(member_folder("", i).string(), members.back().folder);  // two may be called alike
  }
  const RunPaths paths{folder};
  write_file(paths.inference_stats(), json_text(ensemble_inference_stats(folders)));
  (models.method == Method::kNBest ? combine_nbest : combine_logits)(models, members, input, paths);
}

}  // namespace

void predict_into(const Program& program, const Models& models, const fs::path& input, const fs::path& folder,
                  const fs::path& final) {
  const PredictionDevices devices(program);
  if (models.members.size() == 1)
    predict_one(models.members.front(), input, devices.assignment(), folder, final);
  else
    predict_all(program, models, input, devices.assignment(), folder, final);
}

}  // namespace expctl
