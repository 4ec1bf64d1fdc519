#include "runner/pbs.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/error.h"
#include "core/text.h"
#include "runner/tool_output.h"

namespace expctl {
namespace {

constexpr std::string_view kNamePrefix =
    "expctl-";  // with a key of 8 characters the 15 that old versions allow

std::string option(const std::string& text) {
  return "#PBS " + text + "\n";
}

std::string time_text(double seconds) {
  const auto total = static_cast<int64_t>(std::ceil(seconds));
  return fmt::format("{:02}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
}

bool says_unreachable(const ToolResult& result) {
  return got_no_answer(result, {"cannot connect to server", "Connection refused", "Connection timed out",
                                "No route to host", "Unknown Host", "pbs_iff", "End of File"});
}

/// Exit_status of a job that has ended: what its program returned, 256 and the signal that ended it, or a
/// negative number of PBS's own.
TaskState ended_state(std::optional<int> exit_status, std::string_view comment) {
  constexpr int kKilledForWalltime = -29, kKilledForMemory = -27, kKilledForVirtualMemory = -26;
  constexpr int kTerminated = 256 + 15, kKilled = 256 + 9;
  if (!exit_status) return TaskState::kCancelled;  // deleted before it began
  switch (*exit_status) {
    case 0:
      return TaskState::kCompleted;
    case kKilledForWalltime:
      return TaskState::kTimedOut;
    case kKilledForMemory:
    case kKilledForVirtualMemory:
      return TaskState::kOutOfMemory;
    case kTerminated:
    case kKilled:
      return comment.find("walltime") != std::string_view::npos ? TaskState::kTimedOut
                                                                : TaskState::kCancelled;
    default:
      return TaskState::kFailed;
  }
}

/// One "Job Id: ..." of qstat -f: its attributes by name.
struct Entry {
  std::string id;
  std::map<std::string, std::string> attributes;

  std::string attribute(const std::string& name) const {
    const auto found = attributes.find(name);
    return found == attributes.end() ? "" : found->second;
  }
};

/// qstat -f in its text form, which all versions have: "    name = value", long values go on in lines that
/// begin with a tab.
std::vector<Entry> parse_entries(const std::string& text) {
  std::vector<Entry> entries;
  std::string* last_value = nullptr;
  for (const auto& line : split(text, '\n')) {
    constexpr std::string_view kHead = "Job Id:";
    if (line.starts_with(kHead)) {
      entries.push_back({std::string(trim(std::string_view(line).substr(kHead.size()))), {}});
      last_value = nullptr;
    } else if (line.starts_with('\t') && last_value != nullptr) {
      *last_value += trim(line);
    } else if (const auto equals = line.find(" = "); equals != std::string::npos && !entries.empty()) {
      last_value = &entries.back().attributes[std::string(trim(line.substr(0, equals)))];
      *last_value = trim(line.substr(equals + 3));
    }
  }
  return entries;
}

/// The states of an array's parent and of a job's own say different things of its tasks.
TaskState state_of(const Entry& entry, bool is_array) {
  const std::string letter = entry.attribute("job_state");
  if (letter == "F" || letter == "X" || letter == "M") {
    if (is_array) return TaskState::kGone;  // its tasks are listed themselves, or forgotten
    return ended_state(parse_number<int>(entry.attribute("Exit_status")), entry.attribute("comment"));
  }
  if (letter == "R" || letter == "E" || letter == "S" || letter == "U") return TaskState::kRunning;
  if (letter == "B") return TaskState::kPending;
  return letter.empty() ? TaskState::kUnknown : TaskState::kPending;
}

ListedTask listed_task(const Entry& entry) {
  ListedTask task;
  const std::string name = entry.attribute("Job_Name");
  if (name.starts_with(kNamePrefix)) task.key = name.substr(kNamePrefix.size());
  const auto open = entry.id.find('['), close = entry.id.find(']');
  const bool in_array = open != std::string::npos && close != std::string::npos && open < close;
  task.job_id = entry.id;
  if (in_array) task.job_id = entry.id.substr(0, open + 1) + entry.id.substr(close);
  if (in_array && close > open + 1) {
    task.index = parse_number<unsigned>(std::string_view(entry.id).substr(open + 1, close - open - 1));
  } else if (!in_array) {
    task.index = 0;
  }
  task.state = state_of(entry, in_array && !task.index);
  return task;
}

}  // namespace

std::string Pbs::script(const JobScript& s) const {
  std::string text = "#!/bin/bash\n";
  text += option(fmt::format("-N {}{}", kNamePrefix, s.key));
  if (s.tasks > 1) {  // an array of one is refused
    text += option(fmt::format("-J 0-{}", s.tasks - 1));
    if (s.executor.max_parallel > 0)
      text += option(fmt::format("-W max_run_subjobs={}", s.executor.max_parallel));
  }
  text += option("-r y");
  text += option("-V");  // the environment of who submits: PATH, a virtual environment
  text += option("-j oe");
  text += option("-o /dev/null");  // the jobs of an array would overwrite each other's
  std::string chunk = "-l select=1";
  if (s.cpus > 0) chunk += fmt::format(":ncpus={}", s.cpus);
  if (s.gpus > 0) chunk += fmt::format(":ngpus={}", s.gpus);
  text += option(chunk);
  if (s.walltime_s > 0) text += option("-l walltime=" + time_text(s.walltime_s));
  if (!s.executor.partition.empty()) text += option("-q " + s.executor.partition);
  if (!s.executor.account.empty()) text += option("-A " + s.executor.account);
  for (const auto& extra : s.executor.extra) text += option(extra);
  text += fmt::format("cd {} || exit 1\n", shell_quote(s.folder.string()));
  text += fmt::format("exec >> {} 2>&1\n", shell_quote(s.paths.log().string()));
  return text + script_body(s, "${PBS_ARRAY_INDEX:-0}");
}

std::vector<std::string> Pbs::submit_command(const std::filesystem::path& script) const {
  return {"qsub", script.string()};
}

std::optional<std::string> Pbs::submitted_id(const ToolResult& result) const {
  if (says_unreachable(result)) return std::nullopt;
  const std::string id(trim(split(trim(result.out), '\n').back()));
  if (result.exit_code == 0 && !id.empty() && id[0] >= '0' && id[0] <= '9') return id;
  throw Error(fmt::format("qsub: {}", trim(result.err.empty() ? result.out : result.err)),
              "[executor] and [resources] say what is asked for; --dry-run prints the script");
}

std::vector<std::string> Pbs::list_command(const std::vector<JobArray>& arrays) const {
  std::vector<std::string> words = {"qstat", "-t", "-f"};
  if (has_history_) words.emplace_back("-x");
  const bool all_known =
      std::all_of(arrays.begin(), arrays.end(), [](const JobArray& array) { return !array.job_id.empty(); });
  for (const auto& array : arrays) {
    if (all_known) words.push_back(array.job_id);  // else all jobs are listed, and the key tells
  }
  return words;
}

std::optional<std::vector<ListedTask>> Pbs::listed(const ToolResult& result) {
  if (result.exit_code != 0 && has_history_ && result.err.find("job history") != std::string::npos) {
    has_history_ = false;  // "... is not configured to maintain job history": what has ended is gone
    return std::nullopt;
  }
  const bool unknown_id = result.err.find("Unknown Job") != std::string::npos;
  if (says_unreachable(result) || (result.exit_code != 0 && !unknown_id)) return std::nullopt;
  std::vector<ListedTask> tasks;
  for (const auto& entry : parse_entries(result.out)) tasks.push_back(listed_task(entry));
  return tasks;
}

std::string Pbs::job_name(const std::string& job_id, size_t index) const {
  const auto bracket = job_id.find("[]");
  if (bracket == std::string::npos) return job_id;
  return fmt::format("{}[{}]{}", job_id.substr(0, bracket), index, job_id.substr(bracket + 2));
}

std::vector<std::string> Pbs::cancel_command(const std::vector<std::string>& job_names) const {
  std::vector<std::string> words = {"qdel"};
  words.insert(words.end(), job_names.begin(), job_names.end());
  return words;
}

}  // namespace expctl
