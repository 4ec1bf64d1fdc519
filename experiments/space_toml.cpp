#include "experiments/space_toml.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace expctl {
namespace {

/// The training key that an axis stands for; null where a command's own parameter, or "gpus", does.
const TrainKey* train_key_of(const std::string& key, bool command) {
  return command ? nullptr : find_train_key(key);
}

bool is_integer_key(const std::string& key, bool command) {
  if (key == "gpus") return true;
  const TrainKey* known = train_key_of(key, command);
  return known != nullptr && std::holds_alternative<int64_t TrainSpec::*>(known->member);
}

bool is_number_key(const std::string& key, bool command) {
  const TrainKey* known = train_key_of(key, command);
  return known == nullptr || is_integer_key(key, command) ||
         std::holds_alternative<double TrainSpec::*>(known->member);
}

/// Checks that there is such a key.
void check_axis_key(const std::string& key, const TomlTable& space, bool command) {
  if (key == "seed")
    throw_at(space.source(), space.key_source(key), "seeds are given by [sweep] seeds = [1, 2, 3]");
  if (command || key == "gpus" || find_train_key(key) != nullptr) return;
  throw_at(space.source(), space.key_source(key),
           fmt::format("unknown key '{}'{}", key, did_you_mean(key, train_key_names())), "in [sweep.space]");
}

/// Checks that a value may be given to the key.
void check_axis_value(const std::string& key, const Json& value, const toml::node& node,
                      const TomlTable& table, bool command) {
  if (const TrainKey* known = train_key_of(key, command)) {
    TrainSpec scratch;
    set_key(scratch, *known, node, table);
  } else if (const std::string fault = fault_of_value(key, value); !fault.empty()) {
    table.refuse(node, fault);
  }
}

SweepAxis read_list(const std::string& key, const toml::array& list, const TomlTable& space, bool command) {
  if (list.empty())
    space.refuse(list, fmt::format("'{}' has no values", key), "give at least one, or take the key out");
  SweepAxis axis{key, {}};
  for (const auto& element : list) {
    const Json value = scalar_json(element, key, space.source());
    check_axis_value(key, value, element, space, command);
    if (std::find(axis.values.begin(), axis.values.end(), value) != axis.values.end()) {
      space.refuse(element, fmt::format("'{}' has the value {} twice", key, value.dump()));
    }
    axis.values.push_back(value);
  }
  return axis;
}

/// One end of a range; an integer where `is_integer`.
double read_end(const std::string& key, const std::string& end, TomlTable& table, bool is_integer,
                bool command) {
  const toml::node* node = table.find(end);
  if (node == nullptr)
    table.refuse(*table.node(), fmt::format("the range of '{}' has no {}", key, end),
                 fmt::format("{} = {{ min = 1e-5, max = 1e-4, scale = \"log\" }}", key));
  const Json value = scalar_json(*node, table.label(end), table.source());
  if (!value.is_number() || !std::isfinite(value.get<double>()))
    table.refuse(*node, fmt::format("'{}' must be a finite number", table.label(end)));
  if (is_integer && !value.is_number_integer())
    table.refuse(*node,
                 fmt::format("'{}' must be an integer: the range is one of integers", table.label(end)));
  constexpr double kExact = 9007199254740992;  // below it integers are doubles too; the next one reads as it
  if (is_integer && std::abs(value.get<double>()) >= kExact)
    table.refuse(*node, fmt::format("'{}' is too large", table.label(end)));
  check_axis_value(key, value, *node, table, command);
  return value.get<double>();
}

SweepAxis read_range(const std::string& key, TomlTable table, bool command) {
  if (!is_number_key(key, command))
    table.refuse(*table.node(), fmt::format("'{}' is no number, so it has no range", key), "list the values");
  ParameterRange range;
  const bool needs_integers = is_integer_key(key, command);
  const std::string type = table.choice("type", needs_integers ? "int" : "float", {"float", "int"});
  range.is_integer = type == "int";
  if (needs_integers && !range.is_integer)
    table.refuse(*table.find("type"), fmt::format("'{}' takes integers: type = \"int\"", key));
  range.is_log = table.choice("scale", "linear", {"linear", "log"}) == "log";
  range.min = read_end(key, "min", table, range.is_integer, command);
  range.max = read_end(key, "max", table, range.is_integer, command);
  table.refuse_unknown_keys();
  if (range.min >= range.max)
    table.refuse(*table.find("max"), fmt::format("'{}' must be greater than min = {}", table.label("max"),
                                                 format_number(range.min)));
  if (range.is_log && range.min <= 0)
    table.refuse(*table.find("min"),
                 fmt::format("'{}' must be greater than 0 on a log scale", table.label("min")));
  if (!std::isfinite(range.max - range.min))
    table.refuse(*table.node(), fmt::format("the range of '{}' is too wide", key));
  return {key, {}, range};
}

SweepAxis read_axis(const std::string& key, const toml::node& node, TomlTable& space,
                    const SweepSpec& sweep) {
  const bool command = sweep.base.is_command();
  if (node.is_table() && sweep.method == SweepMethod::kGrid) {
    space.refuse(node, fmt::format("'{}' is a range, which a grid cannot have", key),
                 "list the values: [1e-5, 3e-5]; or set method = \"random\" or \"tpe\"");
  }
  if (node.is_table()) {
    check_axis_key(key, space, command);
    return read_range(key, space.table(key), command);
  }
  if (!node.is_array())
    space.refuse(node, fmt::format("'{}' must be a list of values{}", key,
                                   sweep.method == SweepMethod::kGrid ? "" : " or a range"));
  check_axis_key(key, space, command);
  return read_list(key, *node.as_array(), space, command);
}

std::vector<int64_t> read_seeds(TomlTable& sweep, int64_t fallback) {
  const toml::node* node = sweep.find("seeds");
  if (node == nullptr) return {fallback};
  if (!node->is_array() || node->as_array()->empty())
    sweep.refuse(*node, "'sweep.seeds' must be a list of at least one integer");
  std::vector<int64_t> seeds;
  for (const auto& element : *node->as_array()) {
    if (!element.is_integer() || element.as_integer()->get() < 0)
      sweep.refuse(element, "a seed is an integer of at least 0");
    TrainSpec scratch;
    set_key(scratch, *find_train_key("seed"), element, sweep);
    const int64_t seed = scratch.seed;
    if (std::find(seeds.begin(), seeds.end(), seed) != seeds.end())
      sweep.refuse(element, fmt::format("the seed {} occurs twice", seed));
    seeds.push_back(seed);
  }
  return seeds;
}

/// trials, sampler_seed and lag.
void read_sampler(TomlTable& table, const std::string& method, SweepSpec& sweep) {
  const auto refuse = [&](const char* key, const std::string& why) {
    if (const toml::node* node = table.find(key)) table.refuse(*node, fmt::format("'{}' {}", key, why));
  };
  if (sweep.method == SweepMethod::kGrid) {
    for (const char* key : {"trials", "sampler_seed", "lag"}) refuse(key, "is for samplers; a grid has none");
    return;
  }
  if (table.find("trials") == nullptr) {
    table.allow({"space", "sampler_seed", "lag"});
    table.refuse_unknown_keys();  // it may be there, misspelt
    table.refuse(*table.find("method"), fmt::format("method = \"{}\" needs 'trials'", method),
                 "trials = 20: how many configs are tried");
  }
  sweep.trials = table.integer("trials", 0, 1);
  constexpr int64_t kMost = 100000;
  if (sweep.trials > kMost) refuse("trials", fmt::format("must be at most {}", kMost));
  sweep.sampler_seed = table.integer("sampler_seed", 0, 0);
  if (sweep.method == SweepMethod::kRandom) refuse("lag", "is for tpe; random looks at no results");
  sweep.lag = table.integer("lag", sweep.lag, 1);
  if (sweep.method == SweepMethod::kTpe && sweep.base.dev_data.path.empty())
    table.refuse(*table.find("method"), "method = \"tpe\" needs scores, and 'data.dev' is missing",
                 "name the questions that runs are scored on: [data] dev = \"dev-v1.1.json\"");
}

}  // namespace

std::string fault_of_value(const std::string& key, const Json& value) {
  const bool is_fine = key != "gpus" || (value.is_number_integer() && value.get<int64_t>() >= 0);
  return is_fine ? "" : "gpus must be an integer of at least 0";
}

void read_search(TomlTable table, SweepSpec& sweep) {
  const std::string method = table.choice("method", "grid", {"grid", "random", "tpe"});
  sweep.method = method == "tpe"      ? SweepMethod::kTpe
                 : method == "random" ? SweepMethod::kRandom
                                      : SweepMethod::kGrid;
  table.choice("metric", "f1", {"f1"});
  sweep.seeds = read_seeds(table, sweep.base.train.seed);
  read_sampler(table, method, sweep);
  TomlTable space = table.table("space");
  table.refuse_unknown_keys();
  for (const auto& [key, node] : space.entries()) sweep.space.push_back(read_axis(key, *node, space, sweep));
  if (sweep.method != SweepMethod::kGrid && sweep.space.empty())
    table.refuse(*table.find("method"), fmt::format("method = \"{}\" has no keys to search", method),
                 "[sweep.space] names them");
}

}  // namespace expctl
