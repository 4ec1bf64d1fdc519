// Sweeps of shell scripts as jobs of a cluster.
#pragma once

#include <algorithm>
#include <string>

#include "core/text.h"
#include "tests/e2e/command_sweep.h"

namespace expctl::test {

/// `modes` as lines of shell. Each job notes its start, and holds a lock in its folder that a second attempt
/// beside it would find taken.
inline void write_cluster_sweep(const TempDir& folder, const std::string& modes,
                                const std::string& executor) {
  write_file(folder / "s.toml",
             "[command]\nargv = [\"/bin/sh\", \"-c\", \"exec 9> lock; flock -n 9 || echo {run_id} >> "
             "../../doubles.txt; echo {run_id} >> ../../starts.txt; echo $CUDA_VISIBLE_DEVICES > devices; "
             "{mode}\"]\n[sweep.space]\nmode = [" +
                 modes + "]\n[resources]\nretries = 0\n[executor]\n" + executor);
}

inline int starts_of(const TempDir& folder, const std::string& id) {
  if (!std::filesystem::exists(folder / "starts.txt")) return 0;
  const auto lines = split(read_file(folder / "starts.txt"), '\n');
  return static_cast<int>(std::count(lines.begin(), lines.end(), id));
}

inline Json show(const TempDir& folder, const std::string& id) {
  const ProgramResult shown = run_program({(bin_dir() / "expctl").string(), "--json", "--workspace",
                                           (folder / "runs").string(), "runs", "show", id});
  INFO(shown.err);
  REQUIRE(shown.exit_code == 0);
  return Json::parse(shown.out);
}

/// The cluster's name of the job of a run that has begun.
inline std::string job_of(const TempDir& folder, const std::string& id) {
  return read_json(folder / ("runs/" + id + "/attempt.claim"))["job"].get<std::string>();
}

/// As if expctl had been killed before it could note the id of what it had just submitted.
inline void forget_job_id(const TempDir& folder) {
  for (const auto& file : find_files(folder / "runs/sweep1/jobs", "*.json")) {
    Json record = read_json(file);
    record["job_id"] = nullptr;
    write_file(file, json_text(record));
  }
}

/// What the background sweep says.
inline bool has_said(const TempDir& folder, const std::string& words) {
  return read_file(folder / "sweep.log").find(words) != std::string::npos;
}

/// The exit code of a background sweep, once it has ended.
inline int exit_code_of(pid_t sweeping) {
  int status = 0;
  ::waitpid(sweeping, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// The story that every cluster has to live through: 12 runs, of which the first is cancelled, the second
/// requeued once, the third has too little time, and the fourth fails.
inline const std::string kStory =
    R"("sleep 300 # run1 is cancelled", "test -e again && exit 0; touch again; sleep 300",)"
    R"("sleep 299 # run3 has too little time", "exit 3", "sleep 0.1", "sleep 0.2", "sleep 0.3", "sleep 0.4",)"
    R"("sleep 0.5", "sleep 0.6", "sleep 0.7", "sleep 0.8")";

/// How that has to end.
inline void check_story(const TempDir& folder) {
  CHECK_FALSE(std::filesystem::exists(folder / "doubles.txt"));
  CHECK(wait_until(5, [&] { return !someone_in(folder / "runs"); }));
  CHECK(show(folder, "run1")["state"] == "stopped");
  CHECK(starts_of(folder, "run1") == 1);
  const Json requeued = show(folder, "run2");
  CHECK(requeued["state"] == "succeeded");
  CHECK(starts_of(folder, "run2") == 2);
  REQUIRE(requeued["attempt_history"].size() == 2);
  CHECK(requeued["attempt_history"][0]["end"] == "interrupted");
  CHECK(requeued["attempt_history"][1]["end"] == "succeeded");
  const Json late = show(folder, "run3");
  CHECK(late["state"] == "failed");
  CHECK(late["reason"] == "timed_out");
  CHECK(show(folder, "run4")["reason"] == "exit_code");
  for (int i = 4; i <= 12; ++i) {
    const std::string id = "run" + std::to_string(i);
    INFO(id);
    CHECK(starts_of(folder, id) == 1);
    if (i > 4) CHECK(show(folder, id)["state"] == "succeeded");
  }
  // Nothing of the array is left but its script, and what the cluster itself has logged.
  for (const auto& entry : std::filesystem::directory_iterator(folder / "runs/sweep1/jobs"))
    CHECK((entry.path().extension() == ".sh" || entry.path().extension() == ".log"));
}

}  // namespace expctl::test
