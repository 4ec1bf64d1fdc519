#include "runner/input_check.h"

#include <fmt/core.h>

#include <filesystem>

#include "core/error.h"
#include "core/hash.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

std::string stamp_of_file(const fs::path& file) {
  return fmt::format("{} {} {}\n", file.string(), fs::file_size(file),
                     fs::last_write_time(file).time_since_epoch().count());
}

/// What changes when a file is written; of a folder, any file in it.
std::string stamp(const fs::path& path) {
  if (!fs::is_directory(path)) return stamp_of_file(path);
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) all += stamp_of_file(entry.path());
  }
  return all;
}

}  // namespace

void InputCheck::check(const RunSpec& spec) {
  for (const auto& input : {spec.train_data, spec.dev_data, spec.init, spec.teacher}) {
    if (!input.path.empty()) check(input);
  }
}

void InputCheck::check(const Input& input) {
  if (!fs::exists(input.path)) throw Error(fmt::format("{}: it is no longer there", input.path));
  const std::string now = input.sha256 + " " + stamp(input.path);
  std::string& known = stamps_[input.path];
  if (known == now) return;
  const bool is_folder = fs::is_directory(input.path);
  if ((is_folder ? sha256_folder(input.path) : sha256_file(input.path)) != input.sha256)
    throw Error(fmt::format("{}: it has changed since the run was queued", input.path));
  known = now;
}

}  // namespace expctl
