// How many runs are in which state, of all and of each sweep.
#include <tuple>
#include <utility>

#include "registry/impl.h"

namespace expctl {
namespace {

StateCounts counts_of(const std::vector<std::pair<RunState, int64_t>>& rows) {
  return {rows.begin(), rows.end()};
}

std::pair<RunState, int64_t> read_count(SQLite::Statement& row) {
  return {run_state_from(read_text(row)).value(), row.getColumn(1).getInt64()};
}

}  // namespace

StateCounts Registry::state_counts() const {
  return counts_of(impl_->rows("SELECT state, count(*) FROM runs GROUP BY state", read_count));
}

SweepTotals Registry::totals_of(const SweepRecord& sweep) const {
  SweepTotals totals;
  totals.sweep = sweep;
  // Indexes alone answer this: the rows, which hold the specs, are many times as long.
  totals.states =
      counts_of(impl_->rows("SELECT state, count(*) FROM runs INDEXED BY runs_by_state WHERE position IN "
                            "(SELECT r.position FROM sweep_runs s JOIN runs r ON r.id = s.run_id "
                            "WHERE s.sweep_id = ?) GROUP BY state",
                            read_count, sweep.id));
  // Beside a max() SQLite takes the other columns from the row that has it; of no row both are NULL.
  const auto read_best = [](SQLite::Statement& row) {
    return std::pair(read_text(row), row.getColumn(1).getDouble());
  };
  const auto best = impl_->first(
      "SELECT e.run_id, max(e.f1) FROM sweep_runs s JOIN evaluations e "
      "ON e.run_id = s.run_id AND e.name = 'default' WHERE s.sweep_id = ?",
      read_best, sweep.id);
  std::tie(totals.best, totals.best_f1) = best.value();
  return totals;
}

double Registry::mean_duration_s(const std::string& sweep_id) const {
  const auto mean = impl_->first(
      "SELECT coalesce(avg(a.ended - a.started), -1) FROM sweep_runs s JOIN attempts a "
      "ON a.run_id = s.run_id WHERE s.sweep_id = ? AND a.ending = 'succeeded'",
      read_real, sweep_id);
  return mean.value();
}

std::vector<SweepTotals> Registry::sweep_totals(size_t limit, size_t offset) const {
  std::vector<SweepRecord> sweeps = list_sweeps();
  std::vector<SweepTotals> totals;
  for (size_t i = offset; i < sweeps.size() && totals.size() < limit; ++i)
    totals.push_back(totals_of(sweeps[sweeps.size() - 1 - i]));
  return totals;
}

}  // namespace expctl
