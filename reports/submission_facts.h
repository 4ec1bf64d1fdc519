// What the submission's texts (methodology, README, report) are written from: one JSON value gathered from
// the registry.
#pragma once

#include "core/json.h"
#include "core/run_paths.h"
#include "registry/registry.h"
#include "reports/submission.h"

namespace expctl {

/// Members as the templates of reports/templates name them. `named` are the ids that the choice was narrowed
/// to.
Json submission_facts(const Registry& registry, const Submission& submission,
                      const std::vector<std::string>& named, double now_s);

/// Loss curves of the entries' runs as inline SVG; "" where no run has metrics.
std::string loss_chart(const Registry& registry, const Submission& submission);

}  // namespace expctl
