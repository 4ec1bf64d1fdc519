#include "cli/reference.h"

#include "core/text.h"

namespace expctl {
namespace {

ManualSection environment() {
  return {"ENVIRONMENT",
          {{"EXPCTL_WORKSPACE", "The workspace, where --workspace does not say (default: ./runs)"},
           {"EXPCTL_TRAIN",
            "The program expctl-train, where it lies neither beside expctl nor in ../libexec/expctl"},
           {"EXPCTL_ISA",
            "The processor's instructions that expctl-train uses: basic, avx2, avx512, avx512_bf16 or amx "
            "(default: "
            "the best that it has)"},
           {"EXPCTL_GPU_LOCKS",
            "Folder of the locks by which workspaces of this machine share its GPUs (default: "
            "/tmp/expctl-gpu-locks)"},
           {"EXPCTL_FETCH_BASE", "A mirror in place of the addresses that expctl fetch knows"},
           {"CUDA_VISIBLE_DEVICES", "The GPUs that may be used, by number or UUID (default: all)"},
           {"NO_COLOR", "Any text: no colours"},
           {"EXPCTL_RUN_ID, EXPCTL_RUN_DIR, EXPCTL_SEED",
            "Set for each command of a sweep: its run, folder and seed"}}};
}

ManualSection files() {
  return {"FILES",
          {{"runs/registry.db", "The database of runs, scores and sweeps"},
           {"runs/runN, runs/ensN",
            "A folder for each run and ensemble: predictions.json, eval.json, train.log, ..."},
           {"runs/sweepN", "The sweep file as it was, and the trials of a search"},
           {"submission", "What expctl package hands in"}}};
}

ManualSection exit_status() {
  return {"EXIT STATUS",
          {{"0", "done"},
           {"1", "error"},
           {"2", "wrong usage"},
           {"3", "not found"},
           {"4", "some runs did not succeed"},
           {"5", "registry busy or newer than this program"},
           {"6", "a check of the submission failed"},
           {"130", "interrupted"},
           {"143", "terminated"}}};
}

}  // namespace

std::vector<ManualSection> manual_sections() {
  return {environment(), files(), exit_status()};
}

std::string exit_codes_text() {
  std::vector<std::string> codes;
  for (const auto& [code, meaning] : exit_status().entries) codes.push_back(code + " " + meaning);
  return "Exit codes: " + join(codes, ", ") + ".";
}

}  // namespace expctl
