#include "trainer/mpi/mpi_ranks.h"

#include <algorithm>

#include "core/error.h"

namespace expctl {
namespace {

constexpr int kTag = 1;  // messages of two ranks do not overtake each other, so that one is enough

}  // namespace

MpiRanks::MpiRanks() {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
  if (provided < MPI_THREAD_SERIALIZED)
    throw Error("this MPI cannot be used by two threads, not even in turn", "use Debian's Open MPI");
  MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
  MPI_Comm local;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &local);
  MPI_Comm_rank(local, &local_rank_);
  MPI_Comm_free(&local);
  thread_ = std::thread([this] { serve(); });
}

MpiRanks::~MpiRanks() {
  end_thread();
}

void MpiRanks::finish() {
  finish_sums();
  end_thread();
  MPI_Finalize();
}

void MpiRanks::end_thread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool MpiRanks::is_given_up() const {
  const std::lock_guard lock(mutex_);
  return is_ending_;
}

void MpiRanks::begin_sum(float* values, int64_t count) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back({values, count});
  }
  changed_.notify_all();
}

void MpiRanks::finish_sums() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return queue_.empty(); });
}

void MpiRanks::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_ending_ || !queue_.empty(); });
    if (is_ending_) return;
    const Floats floats = queue_.front();
    lock.unlock();
    sum_now(floats);
    lock.lock();
    queue_.pop_front();
    changed_.notify_all();
  }
}

/// Each rank sums its share of the floats, then sends it to the others.
void MpiRanks::sum_now(const Floats& floats) {
  const auto share = [&](int rank) { return share_of(floats.count, rank, size_); };
  const RankShare own = share(rank_);
  const auto own_count = static_cast<int>(own.count());
  received_.resize(static_cast<size_t>(own.count() * (size_ - 1)));
  Requests requests;
  const auto with_each_other = [&](const auto& start) {
    requests.clear();
    for (int other = 0; other < size_; ++other) {
      if (other != rank_) start(other, share(other));
    }
    send_and_receive(requests);
  };
  const auto receive = [&](float* to, int count, int from) {
    MPI_Irecv(to, count, MPI_FLOAT, from, kTag, MPI_COMM_WORLD, &requests.emplace_back());
  };
  const auto send = [&](const float* from, int count, int to) {
    MPI_Isend(from, count, MPI_FLOAT, to, kTag, MPI_COMM_WORLD, &requests.emplace_back());
  };
  float* next = received_.data();
  with_each_other([&](int other, RankShare its) {
    receive(next, own_count, other);
    next += own_count;
    send(floats.values + its.begin, static_cast<int>(its.count()), other);
  });
  add_in_order(floats.values + own.begin, own.count());
  with_each_other([&](int other, RankShare its) {
    receive(floats.values + its.begin, static_cast<int>(its.count()), other);
    send(floats.values + own.begin, own_count, other);
  });
}

/// To this rank's own floats those of the others that lie in received_.
void MpiRanks::add_in_order(float* own, int64_t count) const {
  constexpr int64_t kTile = 4096;  // stays in the first cache
  float sums[kTile];
  for (int64_t begin = 0; begin < count; begin += kTile) {
    const int64_t tile = std::min(kTile, count - begin);
    const float* next = received_.data() + begin;
    for (int rank = 0; rank < size_; ++rank) {
      const float* part = rank == rank_ ? own + begin : next;
      if (rank != rank_) next += count;
      for (int64_t i = 0; i < tile; ++i) sums[i] = rank == 0 ? part[i] : sums[i] + part[i];
    }
    std::copy_n(sums, tile, own + begin);
  }
}

/// Waits for the requests; returns early where this process gives up.
void MpiRanks::send_and_receive(Requests& requests) {
  constexpr int kLooks = 64;  // a look at what is under way moves it on
  constexpr std::chrono::microseconds kShortest(20), kLongest(500);
  for (auto pause = kShortest; !is_given_up(); pause = std::min(2 * pause, kLongest)) {
    for (int look = 0; look < kLooks; ++look) {
      int is_done = 0;
      MPI_Testall(static_cast<int>(requests.size()), requests.data(), &is_done, MPI_STATUSES_IGNORE);
      if (is_done != 0) return;
    }
    std::this_thread::sleep_for(pause);
  }
}

double MpiRanks::sum(double value) {
  std::vector<double> values(static_cast<size_t>(size_));
  Requests requests(1);
  MPI_Iallgather(&value, 1, MPI_DOUBLE, values.data(), 1, MPI_DOUBLE, MPI_COMM_WORLD, requests.data());
  send_and_receive(requests);
  double all = 0;
  for (const double one : values) all += one;
  return all;
}

void MpiRanks::broadcast(void* bytes, int64_t count) {
  Requests requests(1);
  MPI_Ibcast(bytes, static_cast<int>(count), MPI_BYTE, 0, MPI_COMM_WORLD, requests.data());
  send_and_receive(requests);
}

}  // namespace expctl
