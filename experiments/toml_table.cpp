#include "experiments/toml_table.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/error.h"
#include "core/text.h"

namespace expctl {

void throw_at(const std::string& source, const toml::source_region& where, const std::string& message,
              const std::string& hint) {
  throw Error(fmt::format("{}:{}:{}: {}", source, where.begin.line, where.begin.column, message), hint);
}

const toml::node* TomlTable::find(const std::string& key) {
  known_.insert(key);
  return table_ == nullptr ? nullptr : table_->get(key);
}

TomlTable TomlTable::table(const std::string& key) {
  const toml::node* node = find(key);
  if (node != nullptr && !node->is_table()) refuse(*node, fmt::format("'{}' must be a table", label(key)));
  return {node == nullptr ? nullptr : node->as_table(), label(key), source_};
}

std::string TomlTable::text(const std::string& key, const std::string& fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) return fallback;
  if (!node->is_string()) refuse(*node, fmt::format("'{}' must be a text", label(key)));
  return node->as_string()->get();
}

int64_t TomlTable::integer(const std::string& key, int64_t fallback, int64_t min) {
  const toml::node* node = find(key);
  if (node == nullptr) return fallback;
  if (!node->is_integer()) refuse(*node, fmt::format("'{}' must be an integer", label(key)));
  const int64_t value = node->as_integer()->get();
  if (value < min) refuse(*node, fmt::format("{} = {}: must be at least {}", key, value, min));
  return value;
}

double TomlTable::number(const std::string& key, double fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) return fallback;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value) refuse(*node, fmt::format("'{}' must be a number", label(key)));
  return *value;
}

std::string TomlTable::choice(const std::string& key, const std::string& fallback,
                              const std::vector<std::string>& possible) {
  const std::string value = text(key, fallback);
  if (std::find(possible.begin(), possible.end(), value) != possible.end()) return value;
  refuse(*find(key),
         fmt::format("{} = \"{}\": this version of expctl knows {}", key, value, join(possible, ", ")));
}

std::vector<std::string> TomlTable::texts(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  if (!node->is_array()) refuse(*node, fmt::format("'{}' must be a list of texts", label(key)));
  std::vector<std::string> out;
  for (const auto& element : *node->as_array()) {
    if (!element.is_string()) refuse(element, fmt::format("'{}' must be a list of texts", label(key)));
    out.push_back(element.as_string()->get());
  }
  return out;
}

void TomlTable::refuse_unknown_keys() const {
  for (const auto& [key, node] : entries()) {
    if (known_.contains(key)) continue;
    std::string meant = did_you_mean(key, {known_.begin(), known_.end()});
    if (meant.empty() && find_train_key(key) != nullptr) meant = "; it is one of [train]";
    throw_at(source_, key_source(key), fmt::format("unknown key '{}'{}", key, meant),
             name_.empty() ? "" : fmt::format("in [{}]", name_));
  }
}

void TomlTable::refuse(const toml::node& node, const std::string& message, const std::string& hint) const {
  throw_at(source_, node.source(), message, hint);
}

std::vector<std::pair<std::string, const toml::node*>> TomlTable::entries() const {
  std::vector<std::pair<std::string, const toml::node*>> out;
  if (table_ == nullptr) return out;
  for (auto&& [key, node] : *table_) out.emplace_back(std::string(key.str()), &node);
  // toml++ sorts keys by name; people mean the order in which they wrote them.
  std::sort(out.begin(), out.end(), [this](const auto& a, const auto& b) {
    const auto& x = key_source(a.first).begin;
    const auto& y = key_source(b.first).begin;
    return std::make_pair(x.line, x.column) < std::make_pair(y.line, y.column);
  });
  return out;
}

const toml::source_region& TomlTable::key_source(const std::string& key) const {
  return table_->find(key)->first.source();
}

Json scalar_json(const toml::node& node, const std::string& label, const std::string& source) {
  if (const auto* value = node.as_integer()) return value->get();
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_boolean()) return value->get();
  if (const auto* value = node.as_string()) return value->get();
  throw_at(source, node.source(), fmt::format("'{}' must be a number, a text, true or false", label));
}

void set_key(TrainSpec& spec, const TrainKey& key, const toml::node& node, const TomlTable& table) {
  try {
    set_train_key(spec, key, scalar_json(node, std::string(key.name), table.source()));
  } catch (const Error& e) {
    if (std::string_view(e.what()).starts_with(table.source())) throw;
    table.refuse(node, e.what(), e.hint());
  }
}

}  // namespace expctl
