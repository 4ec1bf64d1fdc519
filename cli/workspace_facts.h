// What the report of a workspace says, gathered from the registry and the runs' folders.
#pragma once

#include "core/run_paths.h"
#include "registry/registry.h"
#include "reports/workspace_report.h"

namespace expctl {

/// What cannot be read is left out.
WorkspaceFacts workspace_facts(const Registry& registry, const WorkspacePaths& workspace);

}  // namespace expctl
