// One table of a sweep file, read key by key: what was not asked for in the end is an unknown key. Private to
// experiments/.
#pragma once

#include <toml++/toml.h>

#include <set>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/train_spec.h"

namespace expctl {

/// Throws Error "source:line:column: message".
[[noreturn]] void throw_at(const std::string& source, const toml::source_region& where,
                           const std::string& message, const std::string& hint = {});

class TomlTable {
 public:
  /// `table` may be null: then every key is absent. `name` is "" for the file itself.
  TomlTable(const toml::table* table, std::string name, std::string source)
      : table_(table), name_(std::move(name)), source_(std::move(source)) {}

  /// Null where the table is absent.
  const toml::table* node() const { return table_; }
  const std::string& source() const { return source_; }
  /// The key as errors name it: "sweep.seeds".
  std::string label(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }

  /// Null where the key is absent. Marks the key as known.
  const toml::node* find(const std::string& key);
  /// A table inside this one; throws where the key is something else.
  TomlTable table(const std::string& key);

  /// Throw at the value where it has the wrong type.
  std::string text(const std::string& key, const std::string& fallback);
  int64_t integer(const std::string& key, int64_t fallback, int64_t min);
  /// An integer is taken too.
  double number(const std::string& key, double fallback);
  /// A text that must be one of `possible`.
  std::string choice(const std::string& key, const std::string& fallback,
                     const std::vector<std::string>& possible);
  std::vector<std::string> texts(const std::string& key);

  /// The first key that nobody asked for is an Error with the nearest of those that were.
  void refuse_unknown_keys() const;
  [[noreturn]] void refuse(const toml::node& node, const std::string& message,
                           const std::string& hint = {}) const;

  /// Keys and values in the order of the file.
  std::vector<std::pair<std::string, const toml::node*>> entries() const;
  /// Where the key itself stands.
  const toml::source_region& key_source(const std::string& key) const;
  void allow(const std::vector<std::string>& keys) { known_.insert(keys.begin(), keys.end()); }

 private:
  const toml::table* table_;
  std::string name_;
  std::string source_;
  std::set<std::string> known_;
};

/// A TOML scalar as JSON. Throws Error for anything else.
Json scalar_json(const toml::node& node, const std::string& label, const std::string& source);

/// Gives a training key the value of a node of `table`. Throws at the node where it cannot have it.
void set_key(TrainSpec& spec, const TrainKey& key, const toml::node& node, const TomlTable& table);

}  // namespace expctl
