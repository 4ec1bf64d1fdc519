// What several pages have in common. Private to reports/.
#pragma once

#include <string>
#include <vector>

#include "core/json.h"
#include "reports/pages.h"

namespace expctl {

/// Where a page lies in the navigation.
enum class PageTab { kHome, kRuns, kDevices, kNone };

/// A whole page: `main` is HTML, all else is escaped.
std::string framed(const std::string& workspace, const std::string& title, PageTab tab,
                   const std::string& main);

std::string state_bar(const StateCounts& states);
/// Filled up to `fraction`, 0..1.
std::string fraction_bar(double fraction);

/// "3 succeeded, 1 running", as the states stand in kStateOrder.
std::string states_text(const StateCounts& states);
inline constexpr RunState kStateOrder[] = {RunState::kRunning, RunState::kQueued,  RunState::kSucceeded,
                                           RunState::kFailed,  RunState::kStopped, RunState::kPruned};

int64_t count_of(const StateCounts& states, RunState state);

/// "87.123", "" where there is none.
std::string short_score(const std::optional<double>& score);

/// "3 min 4 s"; "" of a run that has not both begun and ended.
std::string took_text(const RunRecord& run);

Json tags_json(const RunRecord& run);

/// {"bar","doing","stalled","step","loss","f1"}.
Json live_json(const LiveRun& live);

/// "" where nothing is running; `count` is how many are.
std::string running_table(const std::vector<LiveRun>& running, int64_t count);

/// "" of none. Ranks where `first_rank` is not 0.
std::string run_table_html(const std::vector<RunRecord>& runs, size_t first_rank);

/// `address` is that of another page of the list, up to the number. "" where the list has one page.
std::string pager(const ListPlace& place, const std::string& address);

/// {"id","name","file","created","bar","states","best","best_f1","eta"}.
Json sweep_json(const SweepLine& line);

/// {"name","last","svg"}, where the series has points. `is_noisy`: with its mean drawn over it.
void add_chart(Json& charts, const Series& series, const std::string& x_label, bool is_noisy = false);

}  // namespace expctl
