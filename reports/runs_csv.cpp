// Runs as comma-separated values (RFC 4180), for spreadsheets and pandas.
#include <fmt/core.h>

#include <algorithm>

#include "core/text.h"
#include "reports/leaderboard.h"

namespace expctl {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string line(const std::vector<std::string>& cells) {
  std::vector<std::string> all;
  for (const auto& cell : cells) all.push_back(quoted(cell));
  return join(all, ",") + "\n";
}

std::string score(const std::optional<double>& value) {
  return value ? format_number(*value) : "";
}

}  // namespace

std::string runs_csv(const std::vector<RunRecord>& runs) {
  std::vector<std::string> keys;
  for (const auto& run : runs) {
    for (const auto& [key, value] : run.params.items()) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  std::vector<std::string> header = {"id", "state", "reason", "name", "seed", "f1", "exact_match"};
  header.insert(header.end(), keys.begin(), keys.end());
  std::string text = line(header);
  for (const auto& run : runs) {
    std::vector<std::string> cells = {run.id,
                                      std::string(name_of(run.state)),
                                      std::string(name_of(run.reason)),
                                      run.name,
                                      std::to_string(run.seed),
                                      score(run.f1),
                                      score(run.exact_match)};
    for (const auto& key : keys) {
      const auto found = run.params.find(key);
      cells.push_back(found == run.params.end() ? "" : scalar_text(*found));
    }
    text += line(cells);
  }
  return text;
}

}  // namespace expctl
