// Sixteen programs that look at the registry all the time while another writes it.
//
// EXPCTL_READERS_S says for how many seconds (3 in an ordinary run).
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "core/error.h"
#include "core/files.h"
#include "registry/registry.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

namespace {

constexpr int kReaders = 16;
constexpr int kRuns = 40;

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double duration_s() {
  const char* text = std::getenv("EXPCTL_READERS_S");
  return text == nullptr ? 3 : std::atof(text);
}

/// Looks as `expctl runs`, `runs show` and a scheduler do, until `end`; what each look took goes to a file.
void look_until(double end, const std::filesystem::path& path, const std::filesystem::path& out) {
  const Registry registry = Registry::open_existing(path);
  std::string took;
  for (int look = 0; now_s() < end; ++look) {
    const double began = now_s();
    if (registry.list_runs().size() != kRuns) throw Error("some runs are not there");
    const auto entry = registry.find_entry(fmt::format("run{}", 1 + look % kRuns)).value();
    if (registry.queued_runs().size() > kRuns || entry.run.id.empty()) throw Error("too many runs");
    took += fmt::format("{}\n", now_s() - began);
  }
  write_file(out, took);
}

pid_t start_reader(double end, const std::filesystem::path& path, const TempDir& dir, int number) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int exit_code = 0;
  try {
    look_until(end, path, dir / fmt::format("took{}", number));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "reader %d: %s\n", number, e.what());
    exit_code = 1;
  }
  ::_exit(exit_code);
}

RunSpec spec_of_seed(int64_t seed) {
  RunSpec spec;
  spec.name = "lr";
  spec.train.seed = seed;
  spec.train = resolve(spec.train);
  return spec;
}

/// Runs that start, leave metrics and are interrupted, one after the other. The largest size of the log.
uintmax_t write_until(double end, const std::filesystem::path& path, int64_t& transactions) {
  Registry registry = Registry::open(path);
  AttemptResults results;
  results.metrics.emplace();
  for (int step = 1; step <= 200; ++step)
    results.metrics->push_back({step, 0.5, 1.0 / step, 1e-5, 1.0 * step});
  Outcome outcome;
  outcome.end = AttemptEnd::kInterrupted;
  uintmax_t largest = 0;
  for (int i = 0; now_s() < end; ++i) {
    const std::string id = fmt::format("run{}", 1 + i % kRuns);
    registry.start_attempt(id, {id, 1, "token", now_s(), 0, "", {}});
    outcome.ended = now_s();
    registry.finish_attempt(id, outcome, false, results);
    transactions += 2;
    largest = std::max(largest, std::filesystem::file_size(path.string() + "-wal"));
  }
  return largest;
}

/// All that the readers have noted, shortest first.
std::vector<double> all_took(const TempDir& dir) {
  std::vector<double> all;
  for (int reader = 0; reader < kReaders; ++reader) {
    const std::string text = read_file(dir / fmt::format("took{}", reader));
    for (const char* at = text.c_str(); *at != '\0';) {
      char* next = nullptr;
      all.push_back(std::strtod(at, &next));
      at = next + 1;
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("registry: sixteen readers and a writer see no error, and the log stays bounded", "[registry]") {
  const TempDir dir;
  const auto path = dir / "registry.db";
  {
    Registry registry = Registry::open(path);
    std::vector<RunSpec> specs;
    for (int64_t seed = 1; seed <= kRuns; ++seed) specs.push_back(spec_of_seed(seed));
    registry.add_runs(registry.add_sweep("lr", "/x/lr.toml", "content", 100).id, specs, 100);
  }
  const double end = now_s() + duration_s();
  std::vector<pid_t> readers;
  for (int number = 0; number < kReaders; ++number) readers.push_back(start_reader(end, path, dir, number));
  int64_t transactions = 0;
  const uintmax_t largest = write_until(end, path, transactions);
  for (const pid_t reader : readers) {
    int status = 0;
    ::waitpid(reader, &status, 0);
    CHECK(status == 0);
  }
  CHECK(transactions > 10);
  CHECK(largest < uintmax_t{64} << 20);
  const auto took = all_took(dir);
  REQUIRE_FALSE(took.empty());
  std::printf("%zu looks (p50 %.1f ms, p99 %.1f ms), %ld transactions, log at most %.1f MiB\n", took.size(),
              1000 * took[took.size() / 2], 1000 * took[took.size() * 99 / 100],
              static_cast<long>(transactions), static_cast<double>(largest) / (1 << 20));
  CHECK(Registry::open(path).faults().empty());
}
