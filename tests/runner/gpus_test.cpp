// GPUs as NVML tells of them (one that plays it), which of them may be used, and how they are lent.
#include <algorithm>
#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "core/json.h"
#include "runner/gpu_log.h"
#include "runner/gpu_pool.h"
#include "runner/machine_gpus.h"
#include "runner/visible_gpus.h"
#include "tests/support/fake_gpus.h"

using namespace expctl;
using namespace expctl::test;

namespace {

/// This process has these GPUs while one of these lives.
class ThisMachine {
 public:
  explicit ThisMachine(const FakeGpus& gpus) {
    ::setenv("FAKE_NVML", gpus.folder().c_str(), 1);
    ::setenv("EXPCTL_GPU_LOCKS", (gpus.folder() / "locks").c_str(), 1);
  }
  ~ThisMachine() {
    for (const char* name : {"FAKE_NVML", "EXPCTL_GPU_LOCKS", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"})
      ::unsetenv(name);
  }
};

std::vector<std::string> uuids(const std::vector<GpuDevice>& devices) {
  std::vector<std::string> names;
  for (const auto& device : devices) names.push_back(device.uuid);
  return names;
}

GpuDevice device(int index, const std::string& uuid, const std::string& bus,
                 const std::string& name = "H100") {
  GpuDevice one;
  one.index = index;
  one.uuid = uuid;
  one.pci_bus = bus;
  one.name = name;
  return one;
}

}  // namespace

TEST_CASE("nvml: devices, instances in place of a divided GPU, and what they tell", "[runner]") {
  const FakeGpus gpus(
      "GPU-a;NVIDIA H100;00000000:10:00.0;81559\n"
      "GPU-b;NVIDIA H100;00000000:20:00.0;81559\n"
      "MIG-b1;NVIDIA H100 MIG 3g.40gb;00000000:20:00.0;40448;1\n"
      "MIG-b2;NVIDIA H100 MIG 3g.40gb;00000000:20:00.0;40448;1\n");
  const ThisMachine here(gpus);
  const auto nvml = Nvml::load();
  REQUIRE(nvml);
  const auto devices = nvml->devices();
  CHECK(uuids(devices) == std::vector<std::string>{"GPU-a", "MIG-b1", "MIG-b2"});
  CHECK(devices[0].memory_bytes == int64_t{81559} << 20);
  CHECK(devices[2].index == 1);
  CHECK(devices[2].is_instance);
  gpus.use("GPU-a", 1000);
  CHECK(nvml->read("GPU-a")->memory_used == int64_t{1000} << 20);  // without what the driver reserves
  CHECK(nvml->read("GPU-a")->power_w == 412.5);
  CHECK(nvml->read("GPU-a")->utilization_percent == 97);
  CHECK_FALSE(nvml->read("MIG-b1")->power_w.has_value());
  gpus.lose("GPU-a");
  CHECK_FALSE(nvml->read("GPU-a").has_value());
  CHECK(uuids(nvml->devices()) == std::vector<std::string>{"MIG-b1", "MIG-b2"});
}

TEST_CASE("nvml: without a driver there are no GPUs", "[runner]") {
  CHECK_FALSE(Nvml::load());
  MachineGpus none;
  CHECK(none.devices().empty());
  CHECK(none.pool().size() == 0);
}

TEST_CASE("gpus: CUDA_VISIBLE_DEVICES is read as CUDA reads it", "[runner]") {
  // CUDA numbers them by their place on the bus.
  const std::vector<GpuDevice> devices = {device(0, "GPU-aa", "30"), device(1, "GPU-ab", "10"),
                                          device(2, "GPU-c", "20")};
  const auto seen = [&](const char* visible) { return uuids(visible_gpus(devices, visible, std::nullopt)); };
  using Names = std::vector<std::string>;
  CHECK(uuids(visible_gpus(devices, std::nullopt, std::nullopt)).size() == 3);
  CHECK(seen("0,2") == Names{"GPU-ab", "GPU-aa"});
  CHECK(seen("GPU-c, GPU-aa") == Names{"GPU-c", "GPU-aa"});
  CHECK(seen("GPU-a").empty());  // of two
  CHECK(seen("").empty());
  CHECK(seen("-1").empty());
  CHECK(seen("1,7,0") == Names{"GPU-c"});
  CHECK(seen("1,1") == Names{"GPU-c"});
  const std::vector<GpuDevice> unlike = {device(0, "GPU-a", "30", "T4"), device(1, "GPU-b", "10", "H100")};
  CHECK_THROWS_WITH(visible_gpus(unlike, "0", std::nullopt), Catch::Contains("by speed"));
  CHECK(uuids(visible_gpus(unlike, "0", "PCI_BUS_ID")) == Names{"GPU-b"});
}

TEST_CASE("gpus: --gpus names them as nvidia-smi does, or by UUID", "[runner]") {
  std::vector<GpuDevice> devices = {device(0, "GPU-a", "30"), device(1, "MIG-b1", "10"),
                                    device(1, "MIG-b2", "10")};
  using Names = std::vector<std::string>;
  CHECK(uuids(chosen_gpus(devices, "1,0")) == Names{"MIG-b1", "MIG-b2", "GPU-a"});
  CHECK(uuids(chosen_gpus(devices, "MIG-b2")) == Names{"MIG-b2"});
  CHECK_THROWS_WITH(chosen_gpus(devices, "0,5"), Catch::Contains("'5' names no GPU"));
  CHECK_THROWS_WITH(chosen_gpus(devices, "x"), Catch::Contains("'x'"));
  try {
    chosen_gpus(devices, "5");
  } catch (const Error& e) {
    CHECK(e.code() == ErrorCode::kUsage);
    CHECK_THAT(e.hint(), Catch::Contains("0 (GPU-a)"));
  }
}

TEST_CASE("gpu pool: whole GPUs, shared ones, and none twice", "[runner]") {
  const FakeGpus gpus(3);
  const ThisMachine here(gpus);
  MachineGpus machine;
  GpuPool& pool = machine.pool();
  CHECK_FALSE(pool.take(1, 1));  // nobody has looked whether they are free
  CHECK(pool.look(0).empty());
  {
    const auto two = pool.take(2, 1);
    REQUIRE(two);
    CHECK(uuids(two->devices()) == std::vector<std::string>{fake_uuid(0), fake_uuid(1)});
    CHECK_FALSE(pool.take(2, 1));
    const auto first = pool.take(1, 3), second = pool.take(1, 3);
    REQUIRE(second);
    CHECK(uuids(second->devices()) == uuids(first->devices()));
    CHECK_FALSE(pool.take(1, 2));  // another number does not share with those
    CHECK(pool.has_room());
    const auto third = pool.take(1, 3);
    CHECK(third);
    CHECK_FALSE(pool.has_room());
    CHECK_FALSE(pool.take(1, 3));
  }
  CHECK(pool.is_draining());
  CHECK_FALSE(pool.take(1, 1));
  CHECK(pool.look(1).empty());
  CHECK_FALSE(pool.is_draining());
  CHECK(pool.take(3, 1));
}

TEST_CASE("gpu pool: a GPU is lent again when its memory is free, else set aside until it is", "[runner]") {
  const FakeGpus gpus(2);
  const ThisMachine here(gpus);
  MachineGpus machine;
  GpuPool& pool = machine.pool();
  pool.look(0);
  {
    const auto lease = pool.take(1, 1);
    gpus.use(fake_uuid(0), 40'000);
  }
  CHECK(pool.look(10).empty());
  CHECK(pool.is_draining());
  CHECK(uuids(pool.take(1, 1)->devices()) == std::vector<std::string>{fake_uuid(1)});
  CHECK(pool.look(39).empty());
  const auto said = pool.look(41);
  REQUIRE(said.size() == 1);
  CHECK_THAT(said[0],
             Catch::Contains(fake_uuid(0)) && Catch::Contains("set aside") && Catch::Contains("39.1 GiB"));
  CHECK(pool.look(42).empty());  // said once
  gpus.use(fake_uuid(0), 0);
  CHECK_THAT(pool.look(43).at(0), Catch::Contains("is free again"));
  CHECK(pool.take(2, 1));
}

TEST_CASE("gpu pool: GPUs in others' use and those off the bus are left alone", "[runner]") {
  const FakeGpus gpus(3);
  const ThisMachine here(gpus);
  MachineGpus machine;
  gpus.use(fake_uuid(0), 2000);
  gpus.use(fake_uuid(1), 900);  // a display
  const auto said = machine.pool().look(0);
  REQUIRE(said.size() == 1);
  CHECK_THAT(said[0], Catch::Contains("another program uses 2.0 GiB"));
  gpus.lose(fake_uuid(2));
  CHECK_THAT(machine.pool().look(1).at(0), Catch::Contains("cannot be reached"));
  CHECK(uuids(machine.pool().take(1, 1)->devices()) == std::vector<std::string>{fake_uuid(1)});
}

TEST_CASE("gpu pool: two workspaces of one host never share a GPU", "[runner]") {
  const FakeGpus gpus(2);
  const ThisMachine here(gpus);
  MachineGpus one, other;
  one.pool().look(0);
  other.pool().look(0);
  {
    const auto mine = one.pool().take(1, 1);
    const auto theirs = other.pool().take(1, 1);
    REQUIRE(theirs);
    CHECK(uuids(mine->devices()) != uuids(theirs->devices()));
    CHECK_FALSE(other.pool().take(1, 1));
    CHECK_FALSE(one.pool().take(1, 1));
  }
  one.pool().look(1);
  CHECK(one.pool().take(1, 1));
  // What does not get all that it needs holds nothing back.
  one.pool().look(1);
  other.pool().look(1);
  const auto kept = one.pool().take(1, 1);
  CHECK_FALSE(other.pool().take(2, 1));
  CHECK(one.pool().take(1, 1));
}

TEST_CASE("gpu log: a line a reading, two seconds apart, of numbers and UUIDs", "[runner]") {
  const FakeGpus gpus(2);
  const ThisMachine here(gpus);
  const TempDir dir;
  GpuLog log({"1", fake_uuid(0)}, dir / "gpu.jsonl");
  log.write(100);
  CHECK_FALSE(std::filesystem::exists(dir / "gpu.jsonl"));  // a short run writes none
  log.write(102);
  log.write(103);
  const std::string text = read_file(dir / "gpu.jsonl");
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  const Json line = parse_json(text.substr(0, text.find('\n')), "line");
  CHECK(line["gpu"] == fake_uuid(1));
  CHECK(line["power_w"] == 412.5);
  CHECK(line["sm_clock_mhz"] == 1755);
}
