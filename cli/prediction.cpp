#include "cli/prediction.h"

#include <fmt/core.h>

#include "cli/worker_call.h"
#include "core/files.h"
#include "core/hash.h"
#include "ensemble/answers.h"
#include "ensemble/combine.h"
#include "reports/ensemble_stats.h"
#include "runner/attempt_files.h"
#include "squad/answer_files.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

WorkerRequest make_predict_request(RunSpec spec, const fs::path& input, const fs::path& folder) {
  spec.train_data = {};
  spec.dev_data = {fs::absolute(input).lexically_normal().string(), sha256_file(input)};
  spec.init.sha256 = sha256_folder(spec.init.path);
  return make_worker_request(WorkerTask::kPredict, std::move(spec), folder);
}

fs::path member_folder(const fs::path& out, size_t index) {
  return out / "members" / std::to_string(index + 1);
}

/// A signal that has ended it, or 0. `folder` is where it works, `final` where the folder will lie.
int predict_one(const Model& model, const fs::path& input, const fs::path& folder, const fs::path& final) {
  const RunPaths paths{folder};
  WorkerRequest request = make_predict_request(model.spec, input, folder);
  if (const int signal = call_worker(request, folder, "predicting with " + model.name); signal != 0)
    return signal;
  request.run_id = final.filename().string();
  request.argv.back() = final.string();
  write_request(request, paths, final);
  return 0;
}

/// Each model's logits in a folder of its own, then their mean.
int predict_mean(const Program& program, const std::vector<Model>& models, const fs::path& input,
                 const fs::path& folder, const fs::path& final) {
  std::vector<EnsembleMember> members;
  std::vector<std::pair<std::string, fs::path>> folders;
  for (size_t i = 0; i < models.size(); ++i) {
    const RunPaths paths{member_folder(folder, i)};
    say(program, fmt::format("{} ({} of {})", models[i].name, i + 1, models.size()));
    if (const int signal = predict_one(models[i], input, paths.folder, member_folder(final, i)); signal != 0)
      return signal;
    members.push_back({models[i].name, models[i].weight, read_logits(paths.logits())});
    folders.emplace_back(member_folder("", i).string(), paths.folder);  // two may be called alike
  }
  const LogitsFile mean = mean_logits(members);
  const Dataset dataset = read_dataset(input);
  const RunSpec& spec = models.front().spec;
  const auto vocabulary = Vocabulary::read(CheckpointPaths{spec.init.path}.vocab());
  const auto answers = decode_logits(mean, dataset, vocabulary, spec.train, models.front().name);
  const RunPaths paths{folder};
  write_logits(paths.logits(), mean);
  write_file(paths.inference_stats(), json_text(ensemble_inference_stats(folders)));
  write_answers(paths, dataset, answers);
  return 0;
}

}  // namespace

int predict_into(const Program& program, const std::vector<Model>& models, const fs::path& input,
                 const fs::path& folder, const fs::path& final) {
  return models.size() == 1 ? predict_one(models.front(), input, folder, final)
                            : predict_mean(program, models, input, folder, final);
}

}  // namespace expctl
