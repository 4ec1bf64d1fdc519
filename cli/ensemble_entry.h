// The entry that an ensemble becomes: its answers in a folder of its own, and its row in the registry.
#pragma once

#include "cli/ensemble_choice.h"
#include "cli/member_combiner.h"
#include "registry/registry.h"

namespace expctl {

/// Makes entries of members that have been loaded once. The references are kept.
class EnsembleRecorder {
 public:
  EnsembleRecorder(const Program& program, Registry& registry, const EnsembleMembers& members, Method method,
                   MemberCombiner& combiner);

  /// Of an ensemble that is on record already the entry that is there. Throws Error and Interrupted.
  RunRecord record(const EnsembleChoice& choice);

 private:
  const Program& program_;
  WorkspacePaths workspace_;
  Registry& registry_;
  const EnsembleMembers& members_;
  Method method_;
  MemberCombiner& combiner_;
};

}  // namespace expctl
