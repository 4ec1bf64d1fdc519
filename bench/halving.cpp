// What early stopping saves and loses on learning curves that were recorded from real runs
// (bench/halving.py).
//
//   bench_halving CURVES.json [REDUCTION] [ORDERS]
//
// CURVES.json: {"fractions": [0.2, 0.6], "sweeps": [{"name", "runs": [{"id", "scores": [at each fraction ...,
// at the end]}]}]}. Each sweep is played in ORDERS random orders, one run at a time and four at once, decided
// on by experiments/halving.h as the scheduler does. Printed: the part of the full sweep's steps that was
// spent, and in how many one of its two best runs was trained to its end. Decisions are then replayed from
// their reports and must be the same.
#include "experiments/halving.h"

#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <queue>

#include "core/counter_random.h"
#include "core/files.h"
#include "core/json.h"

using namespace expctl;

namespace {

struct Curve {
  std::string id;
  std::vector<double> scores;  ///< at each rung, then at the end
};

struct Played {
  double steps = 0;  ///< of the full sweep's, 0..1
  bool kept = false;
  bool replays = false;
};

std::vector<size_t> random_order(size_t count, CounterRandom& random) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  for (size_t i = count; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

/// The two best of the full sweep, by index.
std::vector<size_t> two_best(const std::vector<Curve>& curves) {
  std::vector<size_t> order(curves.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return curves[a].scores.back() > curves[b].scores.back(); });
  order.resize(std::min<size_t>(2, order.size()));
  return order;
}

/// `parallel` runs at once, each a little faster or slower than the others.
Played play(const std::vector<Curve>& curves, const std::vector<double>& fractions, int64_t reduction,
            size_t parallel, CounterRandom& random) {
  struct Event {
    double time;
    size_t run;
    size_t rung;  ///< the one that it comes to; past the last: its end
    double pace;
    bool operator>(const Event& other) const { return time > other.time; }
  };
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  const auto order = random_order(curves.size(), random);
  size_t next = 0;
  const auto start = [&](double now) {
    if (next == order.size()) return;
    const double pace = 0.9 + 0.2 * random.uniform();
    events.push({now + pace * fractions.front(), order[next++], 0, pace});
  };
  for (size_t i = 0; i < parallel; ++i) start(0);
  Halving halving;
  std::vector<RungDecision> decisions;
  double spent = 0;
  std::vector<size_t> ended;
  while (!events.empty()) {
    const Event at = events.top();
    events.pop();
    if (at.rung == fractions.size()) {
      spent += 1;
      ended.push_back(at.run);
      start(at.time);
      continue;
    }
    decisions.push_back(halving.decide(
        {curves[at.run].id, static_cast<int64_t>(at.rung), 0, curves[at.run].scores[at.rung]}, reduction));
    if (!decisions.back().goes_on) {
      spent += fractions[at.rung];
      start(at.time);
      continue;
    }
    const double until = at.rung + 1 < fractions.size() ? fractions[at.rung + 1] : 1.0;
    events.push({at.time + at.pace * (until - fractions[at.rung]), at.run, at.rung + 1, at.pace});
  }
  Played played;
  played.steps = spent / static_cast<double>(curves.size());
  const auto best = two_best(curves);
  played.kept = std::any_of(best.begin(), best.end(), [&](size_t run) {
    return std::find(ended.begin(), ended.end(), run) != ended.end();
  });
  Halving again;
  played.replays = std::all_of(decisions.begin(), decisions.end(), [&](const RungDecision& decision) {
    return again.decide(decision.report, reduction) == decision;
  });
  return played;
}

std::vector<Curve> read_curves(const Json& sweep) {
  std::vector<Curve> curves;
  for (const auto& run : sweep.at("runs"))
    curves.push_back({run.at("id").get<std::string>(), run.at("scores").get<std::vector<double>>()});
  return curves;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_halving CURVES.json [REDUCTION] [ORDERS]\n");
    return 2;
  }
  const Json file = read_json(argv[1]);
  const int64_t reduction = argc > 2 ? std::atol(argv[2]) : 3;
  const int orders = argc > 3 ? std::atoi(argv[3]) : 200;
  const auto fractions = file.at("fractions").get<std::vector<double>>();
  bool good = true, replays = true;
  for (const size_t parallel : {size_t{1}, size_t{4}}) {
    double steps = 0, most = 0;
    int kept = 0, played = 0;
    for (const auto& sweep : file.at("sweeps")) {
      const auto curves = read_curves(sweep);
      int kept_here = 0;
      for (int i = 0; i < orders; ++i) {
        CounterRandom random(static_cast<uint64_t>(1000 * parallel) + static_cast<uint64_t>(i));
        const Played one = play(curves, fractions, reduction, parallel, random);
        steps += one.steps;
        most = std::max(most, one.steps);
        kept_here += one.kept ? 1 : 0;
        replays = replays && one.replays;
        ++played;
      }
      kept += kept_here;
      fmt::print("{}, {} runs, {} at once: one of the two best kept in {:.1f} % of the orders\n",
                 sweep.at("name").get<std::string>(), curves.size(), parallel, 100.0 * kept_here / orders);
    }
    const double share = steps / played, keeps = static_cast<double>(kept) / played;
    fmt::print(
        "{} at once: {:.1f} % of the full sweeps' steps (at most {:.1f}; under 45 wanted), one of the two "
        "best kept in {:.1f} % of {} sweeps (90 wanted)\n",
        parallel, 100 * share, 100 * most, 100 * keeps, played);
    good = good && share < 0.45 && keeps >= 0.9;
  }
  fmt::print("decisions replayed from their reports: {}\n", replays ? "the same" : "NOT the same");
  return good && replays ? 0 : 1;
}
