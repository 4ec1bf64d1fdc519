#include "registry/spec_of.h"

namespace expctl {

RunSpec spec_of(const RunRecord& run) {
  return run_spec_from_json(run.spec, "registry: spec of " + run.id);
}

}  // namespace expctl
