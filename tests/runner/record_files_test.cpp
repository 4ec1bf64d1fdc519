#include "runner/record_files.h"

#include "core/error.h"
#include "core/files.h"
#include "runner/folder_records.h"
#include "runner/settle_records.h"
#include "runner/record_check.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

EntryRecord full_entry() {
  EntryRecord entry;
  entry.run.id = "run3";
  entry.run.position = 4;
  entry.run.sweep_id = "sweep1";
  entry.run.name = "lr";
  entry.run.state = RunState::kFailed;
  entry.run.reason = FailReason::kSignal;
  entry.run.message = "why";
  entry.run.config_hash = "cafe";
  entry.run.seed = 7;
  entry.run.params = {{"learning_rate", 3e-5}};
  entry.run.attempts = 2;
  entry.run.retries_used = 1;
  entry.run.created = 100.125;
  entry.run.started = 101;
  entry.run.ended = 160.7500001;
  entry.run.tags = {"best", "mine"};
  entry.attempts = {{"run3", 1, "t1", 101, 120, "failed", FailReason::kSignal},
                    {"run3", 2, "t2", 130, 160, "failed", FailReason::kSignal}};
  entry.evaluations = {{"run3", "default", 88.5, 81.25, {{"max_seq_length", 384}}}};
  entry.artifacts = {{"run3", "eval.json", 38, "ab"}};
  entry.submissions = {{"/x/submission", 2, 200.5}};
  return entry;
}

EntryRecord entry_of(const std::string& id, const std::string& sweep, int64_t position, double created,
                     const std::string& hash) {
  EntryRecord entry;
  entry.run.id = id;
  entry.run.sweep_id = sweep;
  entry.run.name = "lr";
  entry.run.position = position;
  entry.run.created = created;
  entry.run.config_hash = hash;
  return entry;
}

std::vector<std::string> ids(const FolderRecords& folders) {
  std::vector<std::string> all;
  for (const auto& entry : folders.rows.entries) all.push_back(entry.run.id);
  return all;
}

}  // namespace

TEST_CASE("run.json gives back what was on record", "[runner]") {
  const EntryRecord entry = full_entry();
  const Json file = run_file(entry);
  CHECK(run_file(entry_from_run_file(parse_json(json_text(file), "f"), "f")) == file);
  EntryRecord ensemble;
  ensemble.run.id = "ens1";
  ensemble.members = {"run2", "run1"};
  CHECK(entry_from_run_file(run_file(ensemble), "f").members == ensemble.members);
  Json foreign = file;
  foreign["state"] = "asleep";
  CHECK_THROWS_WITH(entry_from_run_file(foreign, "f"), "f: unknown state 'asleep'");
}

TEST_CASE("run.json of an older expctl is read with what it has", "[runner]") {
  Json file = run_file(full_entry());
  for (const char* key : {"position", "attempt_history", "evaluations", "artifacts"}) file.erase(key);
  const EntryRecord entry = entry_from_run_file(file, "f");
  CHECK(entry.run.position == 0);
  CHECK(entry.run.attempts == 2);
  CHECK(entry.attempts.empty());
}

TEST_CASE("a line of runs.jsonl and sweep.json give back what was written", "[runner]") {
  RunRecord run = full_entry().run;
  run.spec = {{"name", "lr"}};
  CHECK(run_line(run_from_line(run_line(run), "f")) == run_line(run));
  const SweepFile sweep{{"sweep2", "lr", "/x/lr.toml", 100.5, "aa"},
                        {"run1", "run3"},
                        {{IdKind::kRun, 9}, {IdKind::kEnsemble, 0}, {IdKind::kSweep, 2}}};
  CHECK(to_json(sweep_file_from_json(to_json(sweep), "f")) == to_json(sweep));
}

TEST_CASE("a difference says what is on record and what is in the file", "[runner]") {
  const Json recorded = {{"state", "running"}, {"attempts", 2}, {"tags", {"a"}}, {"seed", 1}};
  CHECK(differing_members(recorded, recorded).empty());
  const Json found = {{"state", "queued"}, {"attempts", 2}, {"tags", Json::array()}, {"more", 1}};
  CHECK(differing_members(recorded, found) ==
        std::vector<std::string>{"state: 'running' on record, 'queued' in the file",
                                 "tags is another in the file", "seed is missing in the file"});
  CHECK(differing_members({{"a", 1}}, Json::array()).size() == 1);
}

TEST_CASE("rows from folders are made to fit together, and what has to go is named", "[runner]") {
  FolderRecords folders;
  folders.rows.sweeps = {{{"sweep2", "lr", "f", 1, "aa"}, {"run1", "run99"}}};
  folders.rows.entries = {entry_of("run1", "sweep1", 3, 5, "a"), entry_of("run2", "sweep2", 1, 5, "b"),
                          entry_of("run4", "sweep2", 0, 4, "d"), entry_of("run3", "sweep2", 0, 3, "c"),
                          entry_of("run9", "sweep2", 4, 5, "a"), entry_of("ens1", "", 2, 5, "")};
  folders.rows.entries[0].submissions = {{"/x/submission", 2, 100}, {"/y", 1, 100}};
  folders.rows.entries[1].submissions = {{"/x/submission", 1, 200}};
  folders.rows.entries[0].run.tags = {"best"};
  folders.rows.entries[1].run.tags = {"best", "second"};
  folders.rows.entries[0].run.state = RunState::kSucceeded;  // as one that is a member has
  folders.rows.entries[5].members = {"run1", "run9", "run7"};
  settle(folders);
  // Those without a position come last, in the order of their creation; run9 is run1 once more.
  CHECK(ids(folders) == std::vector<std::string>{"run2", "ens1", "run1", "run3", "run4"});
  CHECK(folders.rows.entries[2].run.position == 3);
  CHECK(folders.rows.entries[3].run.position > 3);
  REQUIRE(folders.rows.sweeps.size() == 2);
  CHECK(folders.rows.sweeps[0].record.id == "sweep1");
  CHECK(folders.rows.sweeps[0].record.name == "lr");
  CHECK(folders.rows.sweeps[0].runs == std::vector<std::string>{"run1"});
  CHECK(folders.rows.sweeps[1].runs == std::vector<std::string>{"run1", "run2", "run3", "run4"});
  CHECK(folders.rows.entries[1].members == std::vector<std::string>{"run1"});
  CHECK(folders.rows.entries[0].run.tags.size() + folders.rows.entries[2].run.tags.size() == 2);
  size_t left_out = 0;
  for (const auto& note : folders.notes) left_out += note.is_left_out ? 1 : 0;
  CHECK(left_out == 1);
  CHECK(folders.notes.size() == 6);
  REQUIRE(folders.rows.entries[0].submissions.size() == 1);
  CHECK(folders.rows.entries[0].submissions[0].created == 200);
  REQUIRE(folders.rows.entries[2].submissions.size() == 1);
  CHECK(folders.rows.entries[2].submissions[0].folder == "/y");
}
