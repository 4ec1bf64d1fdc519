#include "registry/record_json.h"

#include "core/outcome.h"

namespace expctl {

Json to_json(const AttemptRecord& a) {
  return {{"attempt", a.attempt}, {"token", a.token}, {"started", a.started},
          {"ended", a.ended},     {"end", a.end},     {"reason", name_of(a.reason)}};
}

Json to_json(const EvaluationRecord& e) {
  return {{"name", e.name}, {"f1", e.f1}, {"exact_match", e.exact_match}, {"settings", e.settings}};
}

Json to_json(const ArtifactRecord& a) {
  return {{"path", a.path}, {"bytes", a.bytes}, {"sha256", a.sha256}};
}

Json to_json(const SubmissionRecord& s) {
  return {{"folder", s.folder}, {"place", s.place}, {"created", s.created}};
}

AttemptRecord attempt_from_json(const Json& json, const std::string& run_id, const std::string& source) {
  return {run_id,
          json_get<int>(json, "attempt", source),
          json_get<std::string>(json, "token", source),
          json_get<double>(json, "started", source),
          json_get<double>(json, "ended", source),
          json_get<std::string>(json, "end", source),
          fail_reason_from(json, source)};
}

EvaluationRecord evaluation_from_json(const Json& json, const std::string& run_id,
                                      const std::string& source) {
  return {run_id, json_get<std::string>(json, "name", source), json_get<double>(json, "f1", source),
          json_get<double>(json, "exact_match", source), json_get<Json>(json, "settings", source)};
}

ArtifactRecord artifact_from_json(const Json& json, const std::string& run_id, const std::string& source) {
  return {run_id, json_get<std::string>(json, "path", source), json_get<int64_t>(json, "bytes", source),
          json_get<std::string>(json, "sha256", source)};
}

SubmissionRecord submission_from_json(const Json& json, const std::string& source) {
  return {json_get<std::string>(json, "folder", source), json_get<int64_t>(json, "place", source),
          json_get<double>(json, "created", source)};
}

}  // namespace expctl
