// Lists of runs that a person asks for: conditions and orders as SQL.
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "core/text.h"
#include "core/train_spec.h"
#include "registry/impl.h"

namespace expctl {
namespace {

/// What a run has beside its parameters.
struct Column {
  std::string_view name;
  std::string_view sql;
  bool is_number = false;
  bool falls = false;  ///< sorted by it, the highest or newest comes first
};

constexpr Column kColumns[] = {
    {"attempts", "r.attempts", true},
    {"created", "r.created", true, true},
    {"em", "e.exact_match", true, true},
    {"ended", "nullif(r.ended, 0)", true, true},
    {"exact_match", "e.exact_match", true, true},
    {"f1", "e.f1", true, true},
    {"id", "r.id"},
    {"name", "r.name"},
    {"reason", "r.reason"},
    {"seed", "r.seed", true},
    {"started", "nullif(r.started, 0)", true, true},
    {"state", "r.state"},
};

const Column* find_column(std::string_view name) {
  const auto found = std::find_if(std::begin(kColumns), std::end(kColumns),
                                  [&](const Column& column) { return column.name == name; });
  return found == std::end(kColumns) ? nullptr : found;
}

/// "F1" is what tables call a column.
std::string did_you_mean_column(const std::string& key, const std::vector<std::string>& known) {
  std::string lower = key;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return find_column(lower) != nullptr ? fmt::format("; did you mean '{}'?", lower)
                                       : did_you_mean(key, known);
}

/// Rows of other tables that belong to a run.
const std::map<std::string, std::string>& lists() {
  static const std::map<std::string, std::string> all = {
      {"tag", "EXISTS (SELECT 1 FROM tags t WHERE t.run_id = r.id AND t.tag "},
      {"sweep", "EXISTS (SELECT 1 FROM sweep_runs s WHERE s.run_id = r.id AND s.sweep_id "}};
  return all;
}

class QueryText {
 public:
  explicit QueryText(SQLite::Database& database) : database_(database) {}

  std::string condition(const Where& where) {
    switch (where.kind) {
      case Where::kNot:
        return fmt::format("NOT coalesce({}, 0)", condition(where.parts.front()));
      case Where::kCompare:
        return comparison(where);
      case Where::kAnd:
      case Where::kOr:
        break;
    }
    if (where.parts.empty()) return "1";
    std::vector<std::string> parts;
    for (const auto& part : where.parts) parts.push_back(condition(part));
    return "(" + join(parts, where.kind == Where::kAnd ? " AND " : " OR ") + ")";
  }

  /// The value of a column or parameter. Throws Error (kUsage) for one that no run has.
  std::string value(const std::string& key) {
    if (const Column* column = find_column(key)) return std::string(column->sql);
    check_parameter(key);
    const std::string path = bound(Json("$.\"" + key + "\""));
    const std::string train_path = bound(Json("$.train.\"" + key + "\""));
    // An ensemble's spec has the training keys of its first member, by which it is decoded; they are not its
    // own.
    return fmt::format(
        "CASE WHEN json_type(r.spec, '$.members') IS NULL THEN coalesce(json_extract(r.params, {}), "
        "json_extract(r.spec, {})) END",
        path, train_path);
  }

  void bind(SQLite::Statement& statement) const {
    for (size_t i = 0; i < values_.size(); ++i) {
      const int place = static_cast<int>(i) + 1;
      const Json& one = values_[i];
      if (one.is_boolean())
        statement.bind(place, one.get<bool>() ? 1 : 0);
      else if (one.is_number())
        statement.bind(place, one.get<double>());
      else
        statement.bind(place, one.get<std::string>());
    }
  }

 private:
  std::string bound(const Json& one) {
    values_.push_back(one);
    return fmt::format("?{}", values_.size());
  }

  std::string comparison(const Where& where) {
    if (where.op == "!=" && lists().contains(where.key)) {  // it has none such, whatever else it has
      Where same = where;
      same.op = "=";
      return "NOT " + comparison(same);
    }
    check_type(where);
    const auto list = lists().find(where.key);
    const std::string left = list != lists().end() ? list->second : value(where.key) + " ";
    const std::string end = list != lists().end() ? ")" : "";
    if (where.op == "~") {
      const std::string text = scalar_text(where.value);
      std::string pattern;
      for (const char c : text)
        pattern += c == '%' || c == '_' || c == '\\' ? std::string("\\") + c : std::string(1, c);
      return left + "LIKE " + bound(Json("%" + pattern + "%")) + " ESCAPE '\\'" + end;
    }
    return left + where.op + " " + bound(where.value) + end;
  }

  /// A number is compared with numbers only, a state with states: else SQL would answer, and mean nothing.
  static void check_type(const Where& where) {
    if (where.key == "state" && where.op != "~" && !run_state_from(scalar_text(where.value))) {
      throw Error(fmt::format("--where: there is no state '{}'", scalar_text(where.value)),
                  "queued, running, succeeded, failed, stopped or pruned", ErrorCode::kUsage);
    }
    const Column* column = find_column(where.key);
    const TrainKey* key = find_train_key(where.key);
    const bool is_number = (column != nullptr && column->is_number) ||
                           (key != nullptr && get_train_key(TrainSpec{}, *key).is_number());
    if (!is_number || where.op == "~" || where.value.is_number()) return;
    throw Error(fmt::format("--where: {} is a number, '{}' is none", where.key, scalar_text(where.value)),
                where.key == "created" || where.key == "started" || where.key == "ended"
                    ? "times are Unix seconds: date -d 2026-06-01 +%s"
                    : "",
                ErrorCode::kUsage);
  }

  void check_parameter(const std::string& key) {
    if (find_train_key(key) != nullptr) return;
    std::vector<std::string> known = train_key_names();
    for (const Column& column : kColumns) known.emplace_back(column.name);
    for (const auto& [name, sql] : lists()) known.push_back(name);
    SQLite::Statement query(database_, "SELECT DISTINCT p.key FROM runs r, json_each(r.params) p");
    while (query.executeStep()) {
      known.push_back(query.getColumn(0).getString());
      if (known.back() == key) return;
    }
    if (lists().contains(key)) {  // conditions do not ask for the one value of such
      throw Error(fmt::format("one cannot sort by {}: a run may have several", key),
                  fmt::format("--where {}=... chooses by it", key), ErrorCode::kUsage);
    }
    throw Error(
        fmt::format("no run has a column or parameter '{}'{}", key, did_you_mean_column(key, known)),
        "id, state, reason, name, seed, f1, exact_match, attempts, created, started, ended, tag, sweep, or a "
        "training key or parameter",
        ErrorCode::kUsage);
  }

  SQLite::Database& database_;
  std::vector<Json> values_;
};

/// Scores and times fall, all else rises; what has none comes last; of equals the older comes first.
std::string order(QueryText& text, const RunQuery& query) {
  if (query.sort.empty() || query.sort == "id") return query.is_reversed ? "r.position DESC" : "r.position";
  const Column* column = find_column(query.sort);
  const bool is_descending = (column != nullptr && column->falls) != query.is_reversed;
  std::string sql = fmt::format("{} {} NULLS LAST", text.value(query.sort), is_descending ? "DESC" : "ASC");
  if (query.sort == "f1") sql += is_descending ? ", e.exact_match DESC" : ", e.exact_match";
  return sql + ", r.position";
}

}  // namespace

std::vector<RunRecord> Registry::query_runs(const RunQuery& query) const {
  return impl_->database.read([&](SQLite::Database& db) {
    std::vector<RunRecord> runs;
    QueryText text(db);
    const std::string condition = text.condition(query.where);
    const std::string sort = order(text, query);
    const int64_t limit = query.limit > 0 ? static_cast<int64_t>(query.limit) : -1;
    const auto offset = static_cast<int64_t>(query.offset);
    const auto list = [&](const std::string& from, const std::string& by) {
      return fmt::format("SELECT r.id {} AND {} ORDER BY {}", from, condition, by);
    };
    const std::string any = "FROM runs r LEFT JOIN evaluations e ON e.run_id = r.id AND e.name = 'default' ";
    std::string chosen = list(any + "WHERE 1", sort);
    if (query.sort == "f1" && limit > 0) {
      // Of a long leaderboard the first ones are found by the index of scores, and those without a score only
      // where there are too few with one.
      const std::string scored =
          list("FROM evaluations e CROSS JOIN runs r ON r.id = e.run_id WHERE e.name = 'default'", sort);
      const std::string unscored = list(any + "WHERE e.f1 IS NULL", "r.position");
      chosen = fmt::format("SELECT id FROM ({0} LIMIT {2}) UNION ALL SELECT id FROM ({1} LIMIT {2})", scored,
                           unscored, limit + offset);
    }
    // They alone are looked up whole.
    SQLite::Statement statement(
        db, fmt::format("{} WHERE r.id IN (SELECT id FROM ({} LIMIT {} OFFSET {})) ORDER BY {}", kSelectRuns,
                        chosen, limit, offset, sort));
    text.bind(statement);
    while (statement.executeStep()) runs.push_back(read_run(statement));
    return runs;
  });
}

}  // namespace expctl
