// How many runs are in which state, of all and of each sweep.
#include "registry/impl.h"

namespace expctl {

StateCounts Registry::state_counts() const {
  StateCounts counts;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db, "SELECT state, count(*) FROM runs GROUP BY state");
    while (query.executeStep())
      counts[run_state_from(query.getColumn(0).getString()).value()] = query.getColumn(1).getInt64();
  });
  return counts;
}

SweepTotals Registry::totals_of(const SweepRecord& sweep) const {
  SweepTotals totals;
  totals.sweep = sweep;
  impl_->database.read([&](SQLite::Database& db) {
    // Indexes alone answer this: the rows, which hold the specs, are many times as long.
    SQLite::Statement states(db,
                             "SELECT state, count(*) FROM runs INDEXED BY runs_by_state WHERE position IN "
                             "(SELECT r.position FROM sweep_runs s JOIN runs r ON r.id = s.run_id "
                             "WHERE s.sweep_id = ?) GROUP BY state");
    states.bind(1, sweep.id);
    while (states.executeStep())
      totals.states[run_state_from(states.getColumn(0).getString()).value()] = states.getColumn(1).getInt64();
    // Beside a max() SQLite takes the other columns from the row that has it.
    SQLite::Statement best(db,
                           "SELECT e.run_id, max(e.f1) FROM sweep_runs s JOIN evaluations e "
                           "ON e.run_id = s.run_id AND e.name = 'default' WHERE s.sweep_id = ?");
    best.bind(1, sweep.id);
    if (!best.executeStep() || best.getColumn(1).isNull()) return;
    totals.best = best.getColumn(0).getString();
    totals.best_f1 = best.getColumn(1).getDouble();
  });
  return totals;
}

double Registry::mean_duration_s(const std::string& sweep_id) const {
  double mean = -1;
  impl_->database.read([&](SQLite::Database& db) {
    SQLite::Statement query(db,
                            "SELECT avg(a.ended - a.started) FROM sweep_runs s JOIN attempts a "
                            "ON a.run_id = s.run_id WHERE s.sweep_id = ? AND a.ending = 'succeeded'");
    query.bind(1, sweep_id);
    if (query.executeStep() && !query.getColumn(0).isNull()) mean = query.getColumn(0).getDouble();
  });
  return mean;
}

std::vector<SweepTotals> Registry::sweep_totals(size_t limit, size_t offset) const {
  std::vector<SweepRecord> sweeps = list_sweeps();
  std::vector<SweepTotals> totals;
  for (size_t i = offset; i < sweeps.size() && totals.size() < limit; ++i)
    totals.push_back(totals_of(sweeps[sweeps.size() - 1 - i]));
  return totals;
}

}  // namespace expctl
