// Records as JSON: in run.json, and what --json prints of them. The run that they are of is not in it.
#pragma once

#include <string>
#include <vector>

#include "registry/records.h"

namespace expctl {

Json to_json(const AttemptRecord& attempt);
Json to_json(const EvaluationRecord& evaluation);
Json to_json(const ArtifactRecord& artifact);
Json to_json(const SubmissionRecord& submission);

template <typename Record>
Json list_json(const std::vector<Record>& records) {
  Json list = Json::array();
  for (const auto& record : records) list.push_back(to_json(record));
  return list;
}

// Each throws Error.
AttemptRecord attempt_from_json(const Json& json, const std::string& run_id, const std::string& source);
EvaluationRecord evaluation_from_json(const Json& json, const std::string& run_id, const std::string& source);
ArtifactRecord artifact_from_json(const Json& json, const std::string& run_id, const std::string& source);
SubmissionRecord submission_from_json(const Json& json, const std::string& source);

}  // namespace expctl
