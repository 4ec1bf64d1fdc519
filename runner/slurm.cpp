#include "runner/slurm.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"
#include "runner/tool_output.h"
#include "runner/walltime.h"

namespace expctl {
namespace {

constexpr std::string_view kCommentPrefix = "expctl:";

std::string option(const std::string& text) {
  return "#SBATCH " + text + "\n";
}

/// sbatch reads its option lines much as a shell does.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

/// In an output path % begins what Slurm fills in.
std::string path_pattern(const std::filesystem::path& path) {
  std::string out;
  for (const char c : path.string()) out += c == '%' ? "%%" : std::string(1, c);
  return out;
}

std::string time_text(double seconds) {
  const auto total = static_cast<int64_t>(std::ceil(seconds));
  return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
}

TaskState state_from(std::string_view name) {
  struct Row {
    std::string_view name;
    TaskState state;
  };
  static constexpr Row kRows[] = {
      {"PENDING", TaskState::kPending},
      {"REQUEUED", TaskState::kPending},
      {"REQUEUE_HOLD", TaskState::kPending},
      {"REQUEUE_FED", TaskState::kPending},
      {"SPECIAL_EXIT", TaskState::kPending},
      {"CONFIGURING", TaskState::kRunning},
      {"RUNNING", TaskState::kRunning},
      {"SUSPENDED", TaskState::kRunning},
      {"STOPPED", TaskState::kRunning},
      {"SIGNALING", TaskState::kRunning},
      {"RESIZING", TaskState::kRunning},
      {"STAGE_OUT", TaskState::kRunning},
      {"COMPLETING", TaskState::kRunning},
      {"COMPLETED", TaskState::kCompleted},
      {"FAILED", TaskState::kFailed},
      {"DEADLINE", TaskState::kTimedOut},
      {"TIMEOUT", TaskState::kTimedOut},
      {"CANCELLED", TaskState::kCancelled},
      {"PREEMPTED", TaskState::kPreempted},
      {"NODE_FAIL", TaskState::kNodeFailed},
      {"BOOT_FAIL", TaskState::kNodeFailed},
      {"REVOKED", TaskState::kNodeFailed},
      {"OUT_OF_MEMORY", TaskState::kOutOfMemory},
  };
  const auto* row =
      std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.name == name; });
  return row == std::end(kRows) ? TaskState::kUnknown : row->state;
}

/// The words with which its commands say that nobody answered; all other errors are answers.
bool says_unreachable(const ToolResult& result) {
  return got_no_answer(
      result, {"Unable to contact", "Socket timed out", "Connection refused", "connect failure",
               "Transport endpoint is not connected", "Zero Bytes were transmitted", "Connection timed out",
               "controller in standby", "Connection reset"});
}

}  // namespace

std::string Slurm::script(const JobScript& s) const {
  std::string text = "#!/bin/bash\n";
  const std::string cap = s.executor.max_parallel > 0 ? fmt::format("%{}", s.executor.max_parallel) : "";
  text += option("--job-name=" + quoted("expctl-" + one_line(s.name)));
  text += option(fmt::format("--comment={}", quoted(std::string(kCommentPrefix) + s.key)));
  text += option(fmt::format("--array=0-{}{}", s.tasks - 1, cap));
  text += option("--chdir=" + quoted(s.folder.string()));
  text += option("--output=" + quoted(path_pattern(s.paths.log())));
  text += option("--open-mode=append");
  text += option("--requeue");
  if (s.gpus > 0) text += option(fmt::format("--gres=gpu:{}", s.gpus));
  if (s.cpus > 0) text += option(fmt::format("--cpus-per-task={}", s.cpus));
  if (s.walltime_s > 0) text += option("--time=" + time_text(s.walltime_s));
  constexpr double kUsualLead_s = 60;
  const double lead_s = s.walltime_s > 0 ? walltime_lead_s(s.walltime_s) : kUsualLead_s;
  text += option(fmt::format("--signal=B:USR1@{}", static_cast<int64_t>(lead_s)));
  if (!s.executor.partition.empty()) text += option("--partition=" + s.executor.partition);
  if (!s.executor.account.empty()) text += option("--account=" + s.executor.account);
  for (const auto& extra : s.executor.extra) text += option(extra);
  return text + script_body(s, "${SLURM_ARRAY_TASK_ID:-0}");
}

std::vector<std::string> Slurm::submit_command(const std::filesystem::path& script) const {
  return {"sbatch", "--parsable", script.string()};
}

std::optional<std::string> Slurm::submitted_id(const ToolResult& result) const {
  if (says_unreachable(result)) return std::nullopt;
  const std::string first(trim(split(trim(result.out), '\n').back()));
  const std::string id = first.substr(0, first.find(';'));  // "ID;CLUSTER" where there are several
  if (result.exit_code == 0 && parse_number<unsigned>(id)) return id;
  throw Error(fmt::format("sbatch: {}", trim(result.err.empty() ? result.out : result.err)),
              "[executor] and [resources] say what is asked for; --dry-run prints the script");
}

std::vector<std::string> Slurm::list_command(const std::vector<JobArray>&) const {
  std::vector<std::string> words = {"env"};
  // A user's own filters would make jobs look as if they were gone.
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.starts_with("SQUEUE_"))
      words.insert(words.end(), {"-u", std::string(text.substr(0, text.find('=')))});
  }
  // By user: a list of ids fails where one of them is no longer known.
  words.insert(words.end(), {"squeue", "-h", "-a", "-r", "-t", "all", "-u", std::to_string(::geteuid()), "-o",
                             "%F|%K|%T|%k"});
  return words;
}

std::optional<std::vector<ListedTask>> Slurm::listed(const ToolResult& result) {
  if (says_unreachable(result) || result.exit_code != 0) return std::nullopt;
  std::vector<ListedTask> tasks;
  for (const auto& line : split(result.out, '\n')) {
    const auto fields = split(line, '|');
    const auto index = fields.size() < 4 ? std::nullopt : parse_number<unsigned>(fields[1]);
    if (!index) continue;
    const bool has_key = fields[3].starts_with(kCommentPrefix);
    tasks.push_back(
        {fields[0], has_key ? fields[3].substr(kCommentPrefix.size()) : "", index, state_from(fields[2])});
  }
  return tasks;
}

std::string Slurm::job_name(const std::string& job_id, size_t index) const {
  return fmt::format("{}_{}", job_id, index);
}

std::vector<std::string> Slurm::cancel_command(const std::vector<std::string>& job_names) const {
  std::vector<std::string> words = {"scancel"};
  words.insert(words.end(), job_names.begin(), job_names.end());
  return words;
}

}  // namespace expctl
