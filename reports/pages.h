// The pages of `expctl serve`, as HTML: functions of what the registry and the folders say. Every value is
// escaped; nothing outside the page is asked for but its own style sheet and script.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/records.h"
#include "reports/curves.h"

namespace expctl {

/// A running run and how far it is.
struct LiveRun {
  RunRecord run;
  int64_t step = 0;  ///< 0: no step yet
  double loss = 0;
  std::optional<double> f1;  ///< the last look at the dev score on the way
  double fraction = 0;       ///< 0..1
  double eta_s = -1;         ///< -1: not known
  std::string doing;         ///< "45 %, 3 min 4 s left"
};

struct SweepLine {
  SweepTotals totals;
  double eta_s = -1;  ///< until its queue is done; -1: not known, or nothing is at work
};

/// Part of a long list.
struct ListPlace {
  size_t page = 1;
  size_t page_size = 100;
  size_t count = 0;  ///< of the whole list
};

/// What the address of a list of runs asks for.
struct ListChoice {
  std::optional<RunState> state;
  bool newest_first = false;  ///< else the best F1 first
  size_t page = 1;
};

struct HomeFacts {
  std::string workspace;
  StateCounts states;
  std::vector<LiveRun> running;  ///< the first of them
  std::vector<RunRecord> best;   ///< the best F1 first
  bool evaluated_alike = true;   ///< the first kUsualAverage of them: else their F1 have no mean
  std::vector<SweepLine> sweeps;
  ListPlace place;  ///< of the sweeps
};

struct RunListFacts {
  std::string workspace;
  std::optional<SweepLine> sweep;  ///< nothing: all runs and ensembles
  StateCounts states;
  std::vector<LiveRun> running;
  std::vector<RunRecord> runs;
  ListChoice choice;
  ListPlace place;
  std::vector<Series> losses;  ///< of the sweep's best runs
};

struct RunFacts {
  std::string workspace;
  EntryRecord entry;
  std::optional<LiveRun> live;  ///< where it is running
  std::vector<RunRecord> members;
  TrainingCurves curves;
  std::string log_end;  ///< as it stands in the file
  std::string folder;
};

struct LogFacts {
  std::string workspace;
  RunRecord run;
  std::string text;      ///< the end of the file
  int64_t left_out = 0;  ///< bytes before it
};

/// A GPU of this machine.
struct GpuLine {
  int index = 0;
  std::string uuid;
  std::string name;
  int64_t memory_bytes = 0;
  // What it does not tell is absent.
  std::optional<int64_t> memory_used;
  std::optional<int64_t> utilization_percent;
  std::optional<double> power_w;
  std::optional<int64_t> sm_clock_mhz;
};

/// What a running run computes on.
struct DeviceUse {
  LiveRun live;
  std::string host;               ///< "": not known yet
  std::vector<std::string> gpus;  ///< UUIDs or nvidia-smi's numbers
  int threads = 0;                ///< 0: not known
  std::vector<int> cpu_ids;       ///< empty: not bound
  std::vector<GpuCurves> curves;
};

struct DeviceFacts {
  std::string workspace;
  std::string host;  ///< this machine's name
  std::vector<GpuLine> gpus;
  size_t cpus = 0;
  int64_t queued = 0;
  std::vector<DeviceUse> uses;
  double now = 0;
};

std::string home_page(const HomeFacts& facts);
std::string run_list_page(const RunListFacts& facts);
std::string run_page(const RunFacts& facts);
std::string log_page(const LogFacts& facts);
std::string device_page(const DeviceFacts& facts);
/// Where there is nothing to show, and why.
std::string message_page(const std::string& workspace, const std::string& title, const std::string& text);

}  // namespace expctl
