// `expctl logs [-f] ID ...`: what runs have printed, each line marked with its run where there are several.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "cli/verbs.h"
#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "registry/registry.h"

namespace expctl {
namespace {

/// Prints what has been appended to one log since the last look, whole lines only.
class LogReader {
 public:
  LogReader(std::string id, std::filesystem::path path, bool marked)
      : id_(std::move(id)), path_(std::move(path)), marked_(marked) {}

  const std::string& id() const { return id_; }

  void print_new() {
    std::ifstream file(path_, std::ios::binary | std::ios::ate);
    if (!file) return;                                              // not started yet
    position_ = std::min<std::streamoff>(position_, file.tellg());  // the supervisor has cut the log
    file.seekg(position_);
    std::string line;
    while (std::getline(file, line)) {
      if (file.eof()) return;  // no line break yet: the rest is still to come
      position_ += static_cast<std::streamoff>(line.size()) + 1;
      print(line);
    }
  }

  /// What stands after the last line break, once no more will come.
  void print_rest() {
    std::ifstream file(path_, std::ios::binary);
    file.seekg(position_);
    std::string line;
    if (std::getline(file, line)) print(line);
    position_ += static_cast<std::streamoff>(line.size());
  }

 private:
  void print(const std::string& line) const {
    fmt::print("{}{}{}\n", marked_ ? id_ : "", marked_ ? "  " : "", line);
  }

  std::string id_;
  std::filesystem::path path_;
  bool marked_;
  std::streamoff position_ = 0;
};

/// Of the newest run that has not been started there is nothing to see: the newest that has stands in for it.
RunRecord find_run(const Program& program, const Registry& registry, const std::string& word) {
  RunRecord run = registry.resolve_run(word);
  if (word != "@" || run.started > 0) return run;
  RunFilter filter;
  filter.ensembles = false;
  const auto runs = registry.list_runs(filter);
  const auto newest = std::max_element(
      runs.begin(), runs.end(), [](const RunRecord& a, const RunRecord& b) { return a.started < b.started; });
  if (newest == runs.end() || newest->started == 0)
    throw Error("no run has been started yet", "", ErrorCode::kNotFound);
  say(program, fmt::format("{} has not been started: this is {}, the newest that has", run.id, newest->id));
  return *newest;
}

/// The runs that the words name: of a sweep all that have a log, where they are followed all.
std::vector<RunRecord> find_runs(const Program& program, const Registry& registry,
                                 const std::vector<std::string>& words, bool follow) {
  std::vector<RunRecord> runs;
  for (const auto& word : words) {
    if (!registry.find_sweep(word)) {
      runs.push_back(find_run(program, registry, word));
      continue;
    }
    RunFilter filter;
    filter.sweep_id = word;
    registry.for_each_run(filter, [&](RunRecord&& run) {
      const RunPaths paths = program.workspace().run(run.id);
      if (follow || std::filesystem::exists(paths.log())) runs.push_back(std::move(run));
    });
  }
  return runs;
}

/// What is waited for, of many in one line.
void say_waiting(const Program& program, const std::vector<RunRecord>& runs) {
  std::vector<std::string> queued;
  for (const auto& run : runs) {
    if (run.state == RunState::kQueued) queued.push_back(run.id);
  }
  if (queued.empty()) return;
  constexpr size_t kNamed = 5;
  if (queued.size() > kNamed)
    say(program,
        fmt::format("{} are queued: waiting for a sweep to start them", counted(queued.size(), "run")));
  else
    say(program, fmt::format("{} {} queued: waiting for a sweep to start {}", join(queued, ", "),
                             queued.size() == 1 ? "is" : "are", queued.size() == 1 ? "it" : "them"));
}

/// Opened anew each time: where this user may not write it, what is open shows what was there then.
bool any_open(const WorkspacePaths& workspace, const std::vector<LogReader>& readers) {
  const Registry registry = Registry::open_read_only(workspace.registry());
  for (const auto& reader : readers) {
    const auto run = registry.find_run(reader.id());
    if (run && !is_finished(run->state)) return true;
  }
  return false;
}

int logs(const Program& program, const std::vector<std::string>& words, bool follow) {
  const Registry registry = Registry::open_to_look(program.workspace().registry());
  std::vector<LogReader> readers;
  const auto runs = find_runs(program, registry, words, follow);
  if (runs.empty())
    throw Error(fmt::format("{}: no run of it has a log yet", join(words, ", ")), "-f waits for them",
                ErrorCode::kNotFound);
  for (const auto& run : runs) {
    const RunPaths paths = program.workspace().run(run.id);
    if (run.is_ensemble())
      throw Error(fmt::format("{} is an ensemble: it has no log", run.id), "look at its members'",
                  ErrorCode::kNotFound);
    if (!follow && !std::filesystem::exists(paths.log())) {
      throw Error(fmt::format("{} has no log yet: it is {}", run.id, name_of(run.state)), "",
                  ErrorCode::kNotFound);
    }
    readers.emplace_back(run.id, paths.log(), runs.size() > 1);
  }
  if (follow) say_waiting(program, runs);
  constexpr std::chrono::milliseconds kPause(300);
  while (true) {
    const bool more =
        follow &&
        any_open(program.workspace(), readers);  // asked before reading, so that nothing said last is missed
    for (auto& reader : readers) reader.print_new();
    if (!more) break;
    std::fflush(stdout);
    std::this_thread::sleep_for(kPause);
  }
  for (auto& reader : readers) reader.print_rest();
  return 0;
}

}  // namespace

void add_logs(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("logs", "Print what runs have written to stdout and stderr");
  verb->footer("Example: expctl logs -f @");
  struct Options {
    std::vector<std::string> ids;
    bool follow = false;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("ID", options->ids, "run3, @ (the newest), sweep1 (all its runs), ...")
      ->required()
      ->expected(1, -1);
  verb->add_flag("-f,--follow", options->follow, "Go on until the runs have ended");
  on_call(verb, program, [&program, options] { return logs(program, options->ids, options->follow); });
}

}  // namespace expctl
