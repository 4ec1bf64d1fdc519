// Ranks that speak through MPI.
//
// MPI moves data only inside its own calls, so a thread polls while floats are being summed, and sleeps the
// longer the less there is to do: the threads that compute have the cores. All waiting is done so.
#pragma once

#include <mpi.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "trainer/ranks.h"

namespace expctl {

class MpiRanks final : public Ranks {
 public:
  /// Begins MPI, once in a process. Throws Error where it cannot be used by two threads in turn.
  MpiRanks();
  /// Where finish() has not been called, this process gives up: its launcher ends the other ranks.
  ~MpiRanks() override;
  MpiRanks(const MpiRanks&) = delete;
  MpiRanks& operator=(const MpiRanks&) = delete;

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }
  int64_t local_rank() const override { return local_rank_; }
  void begin_sum(float* values, int64_t count) override;
  void finish_sums() override;
  double sum(double value) override;
  void broadcast(void* bytes, int64_t count) override;
  void finish() override;

 private:
  struct Floats {
    float* values;
    int64_t count;
  };
  using Requests = std::vector<MPI_Request>;

  void serve();
  void end_thread();
  void sum_now(const Floats& floats);
  void send_and_receive(Requests& requests);
  void add_in_order(float* own, int64_t count) const;
  bool is_given_up() const;

  int rank_ = 0, size_ = 1, local_rank_ = 0;
  std::vector<float>
      received_;  ///< a rank's share of the floats as each other rank has it, one after the other

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Floats> queue_;  ///< the first is being summed
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace expctl
