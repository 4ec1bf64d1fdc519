#include "formats/logits_file.h"

#include <fmt/core.h>

#include "core/error.h"
#include "core/text.h"
#include "formats/safetensors.h"

namespace expctl {
namespace {

struct IdentityKey {
  const char* name;
  std::string LogitsIdentity::*member;
};

constexpr IdentityKey kKeys[] = {{"max_seq_length", &LogitsIdentity::max_seq_length},
                                 {"doc_stride", &LogitsIdentity::doc_stride},
                                 {"window", &LogitsIdentity::window},
                                 {"dataset_sha256", &LogitsIdentity::dataset_sha256},
                                 {"features_sha256", &LogitsIdentity::features_sha256}};

/// Enough of a hash to tell two apart.
std::string shown(const std::string& value) {
  constexpr size_t kShown = 12;
  return value.size() > kShown ? value.substr(0, kShown) + "..." : value;
}

/// "" where the sizes fit each other.
std::string misfit(const LogitsFile& logits) {
  if (logits.start.size() != logits.end.size()) {
    return fmt::format("{} start logits, but {} end logits", logits.start.size(), logits.end.size());
  }
  if (logits.offsets.empty() || logits.offsets.front() != 0) return "offsets do not begin at 0";
  for (size_t i = 1; i < logits.offsets.size(); ++i) {
    if (logits.offsets[i] < logits.offsets[i - 1]) return fmt::format("offsets fall at feature {}", i - 1);
  }
  if (logits.offsets.back() != static_cast<int64_t>(logits.start.size())) {
    return fmt::format("offsets end at {}, but there are {} tokens", logits.offsets.back(),
                       logits.start.size());
  }
  return {};
}

}  // namespace

std::string difference(const LogitsIdentity& a, const LogitsIdentity& b) {
  std::vector<std::string> parts;
  for (const auto& key : kKeys) {
    if (a.*key.member != b.*key.member)
      parts.push_back(fmt::format("{}: {} and {}", key.name, shown(a.*key.member), shown(b.*key.member)));
  }
  return join(parts, "; ");
}

LogitsFile read_logits(const std::filesystem::path& path) {
  const auto file = SafeTensors::read(path);
  LogitsFile logits;
  for (const auto& key : kKeys) {
    const auto found = file.metadata().find(key.name);
    if (found == file.metadata().end())
      throw Error(fmt::format("{}: its metadata has no '{}'", path.string(), key.name));
    logits.identity.*key.member = found->second;
  }
  try {
    logits.start = file.at("start").copy_as<float>();
    logits.end = file.at("end").copy_as<float>();
    logits.offsets = file.at("offsets").copy_as<int64_t>();
  } catch (const Error& error) {
    throw Error(fmt::format("{}: no logits file: {}", path.string(), error.what()), error.hint(),
                error.code());
  }
  if (const auto why = misfit(logits); !why.empty()) throw Error(fmt::format("{}: {}", path.string(), why));
  return logits;
}

void write_logits(const std::filesystem::path& path, const LogitsFile& logits) {
  if (const auto why = misfit(logits); !why.empty()) throw Error(fmt::format("{}: {}", path.string(), why));
  std::map<std::string, std::string> metadata;
  for (const auto& key : kKeys) metadata[key.name] = logits.identity.*key.member;
  const auto tokens = static_cast<int64_t>(logits.start.size());
  write_safetensors(path,
                    {{"start", view_of(logits.start, {tokens})},
                     {"end", view_of(logits.end, {tokens})},
                     {"offsets", view_of(logits.offsets, {static_cast<int64_t>(logits.offsets.size())})}},
                    metadata);
}

}  // namespace expctl
