// Which entries of the registry are combined, and what each brings along.
#pragma once

#include <string>
#include <vector>

#include "cli/program.h"
#include "ensemble/blend.h"
#include "ensemble/nbest_merge.h"
#include "ensemble/soup.h"
#include "registry/registry.h"

namespace expctl {

/// Runs fit to be members, all of one dev dataset and, but for Method::kNBest, of one vocabulary and way of
/// decoding.
struct EnsembleMembers {
  std::vector<RunRecord> runs;
  RunSpec spec;  ///< of the first: data, length, decoding

  size_t size() const { return runs.size(); }
};

/// The runs that `words` mean. Throws Error naming the first that cannot be a member and why.
EnsembleMembers find_members(const Registry& registry, const WorkspacePaths& workspace,
                             const std::vector<std::string>& words, Method method);

/// The ids of a pool: of a sweep its runs that have succeeded and have what `method` combines, of a run the
/// run.
std::vector<std::string> find_pool(const Registry& registry, const WorkspacePaths& workspace,
                                   const std::vector<std::string>& words, Method method);

/// The file of a run that a method combines.
std::filesystem::path combined_file(const WorkspacePaths& workspace, const std::string& id, Method method);

std::vector<LogitsMember> read_logits_members(const EnsembleMembers& members,
                                              const WorkspacePaths& workspace);
std::vector<NBestMember> read_nbest_members(const EnsembleMembers& members, const WorkspacePaths& workspace);
std::vector<SoupMember> read_soup_members(const EnsembleMembers& members, const WorkspacePaths& workspace);

/// The dev file of the members, which must be what they were evaluated on.
Dataset read_dev_data(const EnsembleMembers& members);

}  // namespace expctl
