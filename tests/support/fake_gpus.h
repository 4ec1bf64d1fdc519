// GPUs that do not exist, for expctl to find (fake_nvml.cpp).
#pragma once

#include <fmt/core.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/files.h"
#include "tests/support/support.h"

namespace expctl::test {

inline std::string fake_uuid(int index) {
  return fmt::format("GPU-{:08d}-0000-4000-8000-000000000000", index);
}

class FakeGpus {
 public:
  /// `lines` as fake_nvml.cpp reads them.
  explicit FakeGpus(const std::string& lines) {
    make_folder(folder_ / "used");
    make_folder(folder_ / "lost");
    write_file(folder_ / "gpus", lines);
  }
  explicit FakeGpus(int count) : FakeGpus(alike(count)) {}

  void use(const std::string& uuid, int64_t mib) const {
    write_file(folder_ / "used" / uuid, std::to_string(mib));
  }
  void lose(const std::string& uuid) const { write_file(folder_ / "lost" / uuid, ""); }

  /// For run_program(): expctl finds these and locks them in a folder of its own.
  std::vector<std::string> environment() const {
    return {"LD_LIBRARY_PATH=" + fake_nvml_dir().string(), "FAKE_NVML=" + folder_.path().string(),
            "EXPCTL_GPU_LOCKS=" + (folder_ / "locks").string()};
  }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  static std::string alike(int count) {
    std::string lines;
    for (int i = 0; i < count; ++i)
      lines += fmt::format("{};NVIDIA H100;00000000:{:02X}:00.0;81559\n", fake_uuid(i), 0x10 + i);
    return lines;
  }

  TempDir folder_;
};

}  // namespace expctl::test
