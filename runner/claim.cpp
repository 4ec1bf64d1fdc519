#include "runner/claim.h"

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "runner/attempt_results.h"

namespace expctl {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<int> number_in(const char* name) {
  return parse_number<int>(variable(name));
}

Json to_json(const Claim& claim) {
  return {{"token", claim.token},
          {"attempt", claim.attempt},
          {"job", claim.job},
          {"restart", claim.restart},
          {"time", claim.time}};
}

std::optional<Claim> read_claim(const RunPaths& paths, int number) {
  const auto file = paths.claim(number);
  if (!std::filesystem::is_regular_file(file)) return std::nullopt;
  const Json json = Json::parse(read_file(file), nullptr, false);
  try {
    const std::string source = file.string();
    return Claim{json_get<std::string>(json, "token", source), number,
                 json_get<int>(json, "attempt", source),       json_get<std::string>(json, "job", source),
                 json_get<int>(json, "restart", source),       json_get<double>(json, "time", source)};
  } catch (const Error&) {
    return std::nullopt;  // half of one: the machine went down as it was made
  }
}

}  // namespace

ClusterJob this_cluster_job() {
  if (const std::string id = variable("SLURM_JOB_ID"); !id.empty()) {
    const std::string array = variable("SLURM_ARRAY_JOB_ID");
    const int cpus = number_in("SLURM_CPUS_PER_TASK").value_or(number_in("SLURM_CPUS_ON_NODE").value_or(0));
    return {array.empty() ? id : array + "_" + variable("SLURM_ARRAY_TASK_ID"),
            number_in("SLURM_RESTART_COUNT").value_or(0), cpus};
  }
  return {variable("PBS_JOBID"), std::nullopt, number_in("NCPUS").value_or(0)};
}

std::string new_token() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}{:08x}", device(), device(), device(), device());
}

std::string attempt_token(const Claim& claim) {
  return claim.number == 0 ? claim.token : fmt::format("{}.{}", claim.token, claim.number);
}

std::vector<Claim> read_claims(const RunPaths& paths, const std::string& token) {
  std::vector<Claim> claims;
  while (true) {
    auto claim = read_claim(paths, static_cast<int>(claims.size()));
    if (!claim || claim->token != token) return claims;
    claims.push_back(std::move(*claim));
  }
}

bool may_take_over(const Claim& newest, bool has_ended, const ClusterJob& job) {
  if (job.id.empty() || job.id != newest.job) return false;
  return has_ended || !job.restart || *job.restart > newest.restart;
}

Claim take_claim(const WorkerRequest& request, const RunPaths& paths, const ClusterJob& job, double now_s) {
  const auto earlier = read_claims(paths, request.attempt_token);
  const auto taken = [&](int attempt) {
    return Error(fmt::format("{}: attempt {} has been taken already", paths.folder.string(), attempt),
                 "a scheduler makes a new attempt: expctl sweep");
  };
  Claim claim{request.attempt_token, 0, request.attempt, job.id, job.restart.value_or(0), now_s};
  if (!earlier.empty()) {
    const Claim& newest = earlier.back();
    const auto outcome = read_outcome(paths, newest.attempt);
    if (!may_take_over(newest, outcome.has_value(), job) ||
        (outcome && outcome->end != AttemptEnd::kInterrupted))
      throw taken(newest.attempt);
    claim.number = newest.number + 1;
    claim.attempt = newest.attempt + 1;
  }
  if (!create_file(paths.claim(claim.number), json_line(to_json(claim)) + "\n")) throw taken(claim.attempt);
  return claim;
}

std::filesystem::path newest_claim_file(const RunPaths& paths) {
  int number = 0;
  while (std::filesystem::exists(paths.claim(number + 1))) ++number;
  return paths.claim(number);
}

bool is_current(const Claim& claim, const RunPaths& paths) {
  if (std::filesystem::exists(paths.claim(claim.number + 1))) return false;
  const auto own = read_claim(paths, claim.number);
  return own && own->token == claim.token;
}

}  // namespace expctl
