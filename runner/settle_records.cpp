#include "runner/settle_records.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace expctl {
namespace {

/// A folder that was copied under another id, or put back beside its successor.
void drop_twins(FolderRecords& folders) {
  std::map<std::pair<std::string, int64_t>, std::string> known;
  std::vector<EntryRecord> kept;
  for (auto& entry : folders.rows.entries) {
    const RunRecord& run = entry.run;
    if (parse_id(run.id).value().kind == IdKind::kRun) {
      const auto [first, is_new] = known.emplace(std::pair(run.config_hash, run.seed), run.id);
      if (!is_new) {
        const std::string what = fmt::format("it is of the same config and seed as {}", first->second);
        folders.notes.push_back({run.id, what, true});
        continue;
      }
    }
    kept.push_back(std::move(entry));
  }
  folders.rows.entries = std::move(kept);
}

/// In the order of creation. Who has no position of its own comes after the others.
void give_positions(std::vector<EntryRecord>& entries) {
  const auto order = [](const EntryRecord& entry) {
    const Id id = parse_id(entry.run.id).value();
    const int64_t position = entry.run.position;
    return std::tuple(position > 0 ? 0 : 1, position, entry.run.created, id.kind, id.number);
  };
  std::sort(entries.begin(), entries.end(),
            [&](const EntryRecord& a, const EntryRecord& b) { return order(a) < order(b); });
  int64_t before = 0;
  for (auto& entry : entries) {
    entry.run.position = std::max(entry.run.position, before + 1);
    before = entry.run.position;
  }
}

void settle_sweeps(FolderRecords& folders) {
  std::map<std::string, RegistryRows::Sweep*> sweeps;
  std::set<std::string> missing;
  for (auto& sweep : folders.rows.sweeps) sweeps[sweep.record.id] = &sweep;
  for (const auto& entry : folders.rows.entries) {
    const std::string& id = entry.run.sweep_id;
    if (!id.empty() && !sweeps.contains(id)) missing.insert(id);
  }
  for (const auto& id : missing) {
    folders.notes.push_back({id, "it has no folder: its file and when it was made are not known", false});
    folders.rows.sweeps.push_back({{id, "", "", 0, ""}, {}});
  }
  sweeps.clear();
  std::sort(folders.rows.sweeps.begin(), folders.rows.sweeps.end(), [](const auto& a, const auto& b) {
    const auto number = [](const auto& sweep) {
      const auto id = parse_id(sweep.record.id);
      return id ? id->number : 0;
    };
    return number(a) < number(b);
  });
  for (auto& sweep : folders.rows.sweeps) sweeps[sweep.record.id] = &sweep;
  std::set<std::string> there;
  for (const auto& entry : folders.rows.entries) there.insert(entry.run.id);
  for (auto& sweep : folders.rows.sweeps)
    std::erase_if(sweep.runs, [&](const std::string& run) { return !there.contains(run); });
  for (const auto& entry : folders.rows.entries) {
    if (entry.run.sweep_id.empty()) continue;
    RegistryRows::Sweep& sweep = *sweeps.at(entry.run.sweep_id);
    sweep.runs.push_back(entry.run.id);
    if (!sweep.record.name.empty()) continue;
    sweep.record.name = entry.run.name;
    sweep.record.created = entry.run.created;
  }
  for (auto& sweep : folders.rows.sweeps) {
    std::sort(sweep.runs.begin(), sweep.runs.end());
    sweep.runs.erase(std::unique(sweep.runs.begin(), sweep.runs.end()), sweep.runs.end());
  }
}

void settle_members(FolderRecords& folders) {
  std::set<std::string> there, queued;
  for (const auto& entry : folders.rows.entries) {
    there.insert(entry.run.id);
    if (entry.run.state == RunState::kQueued && entry.run.attempts == 0) queued.insert(entry.run.id);
  }
  for (auto& entry : folders.rows.entries) {
    std::erase_if(entry.members, [&](const std::string& member) {
      if (queued.erase(member) > 0) {
        folders.notes.push_back(
            {member,
             fmt::format(
                 "{} has it as a member, so it had succeeded, and its run.json is gone: it is queued to "
                 "be trained anew",
                 entry.run.id),
             false});
      }
      if (there.contains(member)) return false;
      folders.notes.push_back({entry.run.id, fmt::format("its member {} is not there", member), false});
      return true;
    });
  }
}

void settle_tags(FolderRecords& folders) {
  std::map<std::string, std::string> owners;
  for (auto& entry : folders.rows.entries) {
    std::erase_if(entry.run.tags, [&](const std::string& tag) {
      const auto [owner, is_new] = owners.emplace(tag, entry.run.id);
      if (is_new) return false;
      folders.notes.push_back(
          {entry.run.id, fmt::format("{} has the tag '{}' too", owner->second, tag), false});
      return true;
    });
  }
}

/// Where a submission was made anew in the same folder, the file of an entry may still say so of the first.
void settle_submissions(FolderRecords& folders) {
  std::map<std::string, double> newest;
  for (const auto& entry : folders.rows.entries) {
    for (const auto& s : entry.submissions) {
      double& created = newest[s.folder];
      created = std::max(created, s.created);
    }
  }
  std::set<std::pair<std::string, int64_t>> taken;
  for (auto& entry : folders.rows.entries) {
    std::erase_if(entry.submissions, [&](const SubmissionRecord& s) {
      if (s.created == newest.at(s.folder) && taken.insert({s.folder, s.place}).second) return false;
      folders.notes.push_back({entry.run.id, fmt::format("{} was made anew without it", s.folder), false});
      return true;
    });
  }
}

}  // namespace

void settle(FolderRecords& folders) {
  give_positions(folders.rows.entries);
  drop_twins(folders);
  settle_sweeps(folders);
  settle_members(folders);
  settle_tags(folders);
  settle_submissions(folders);
}

}  // namespace expctl
