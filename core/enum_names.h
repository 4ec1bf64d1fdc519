// Enumerators and their names in files and options.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace expctl {

template <typename T, size_t N>
using EnumNames = std::array<std::pair<T, std::string_view>, N>;

/// "" where the table does not have it.
template <typename T, size_t N>
std::string_view lookup_name(const EnumNames<T, N>& table, T value) {
  for (const auto& [candidate, name] : table) {
    if (candidate == value) return name;
  }
  return {};
}

template <typename T, size_t N>
std::optional<T> lookup_value(const EnumNames<T, N>& table, std::string_view name) {
  for (const auto& [value, candidate] : table) {
    if (candidate == name) return value;
  }
  return std::nullopt;
}

}  // namespace expctl
