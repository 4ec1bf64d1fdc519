// `expctl convert IN OUT`: any folder of BERT weights as one in Hugging Face's layout.
#include <fmt/core.h>

#include "cli/folders.h"
#include "cli/verbs.h"
#include "cli/worker_call.h"
#include "core/draft_folder.h"
#include "core/error.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/text.h"
#include "formats/bert_folder.h"
#include "formats/stored_bert.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

/// Pickled weights are read by LibTorch, so by expctl-train: its checkpoint is the result.
void convert_in_worker(const fs::path& in, const DraftFolder& draft, const fs::path& out) {
  RunSpec spec;
  spec.init = {in.string(), sha256_folder(in)};
  const auto request = make_worker_request(WorkerTask::kConvert, spec, all_cores(), draft.path());
  call_worker(request, draft.path(), "converting " + in.string());
  fs::rename(RunPaths{draft.path()}.checkpoint(), out);
}

void say_result(const Program& program, const fs::path& out) {
  const StoredBert made = open_stored_bert(out);
  say(program, fmt::format("wrote {}: {} layers of {}, {} tensors, {}", out.string(),
                           made.config.num_hidden_layers, made.config.hidden_size, made.tensors.size(),
                           made.has_head() ? "with its span head" : "no span head (a run makes one)"));
  say(program, made.has_head()
                   ? fmt::format("next: expctl predict {} --input FILE", shell_quote(out.string()))
                   : fmt::format("next: init = \"{}\" in a sweep file, and expctl sweep FILE", out.string()));
}

int convert(const Program& program, const fs::path& in_option, const fs::path& out_option) {
  const fs::path in = folder_path(in_option.string()), out = folder_path(out_option.string());
  if (fs::exists(in) && !fs::is_directory(in))
    throw Error(fmt::format("{} is a file", in.string()), "IN is a folder with a model");
  if (!fs::exists(in))
    throw Error(fmt::format("{}: no such folder", in.string()), "IN is a folder with a model",
                ErrorCode::kNotFound);
  if (!is_stored_bert(in)) {
    throw Error(fmt::format("{}: neither config.json nor bert_config.json in it", in.string()),
                "a model's folder in Hugging Face's or Google's layout is wanted", ErrorCode::kNotFound);
  }
  check_new_folder(out, "give the name of a new folder");
  const StoredBert bert = open_stored_bert(in);
  const DraftFolder draft(out);
  if (bert.is_pickled()) {
    convert_in_worker(in, draft, out);
  } else {
    write_bert_folder(draft.path(), bert);
    draft.become(out);
  }
  say_result(program, out);
  if (program.json) fmt::print("{}", json_text({{"schema_version", 1}, {"folder", out.string()}}));
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("convert", "Make a Hugging Face folder of any folder of BERT weights");
  verb->footer("Example: expctl convert uncased_L-12_H-768_A-12 models/bert");
  struct Options {
    fs::path in, out;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("IN", options->in, "Google's folder, or one with model.safetensors or pytorch_model.bin")
      ->required();
  verb->add_option("OUT", options->out, "A new folder")->required();
  on_call(verb, program, [&program, options] { return convert(program, options->in, options->out); });
}

}  // namespace expctl
