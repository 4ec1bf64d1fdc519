#include "experiments/value_places.h"

#include <fmt/core.h>

#include "experiments/sweep_file.h"

namespace expctl {
namespace {

std::string place(const toml::node& node) {
  const auto begin = node.source().begin;
  return fmt::format("{}:{}", begin.line, begin.column);
}

void add_places(const toml::table& table, const std::string& before,
                std::map<std::string, std::string>& places) {
  for (auto&& [key, node] : table) {
    const std::string label = before + std::string(key.str());
    places.emplace(label, place(node));
    if (const toml::table* inner = node.as_table()) add_places(*inner, label + ".", places);
    const toml::array* list = node.as_array();
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      if (const auto* text = list->get(i)->as_string())
        places.emplace(label + "=" + text->get(), place(*list->get(i)));
    }
  }
}

/// The names under which the value that a message is about may be known. Messages name it in one of three
/// ways: "doc_stride = 600: ...", "...: no such file, named by 'data.train'", "command argument '{lr}': ...".
std::vector<std::string> names_in(const std::string& what) {
  constexpr std::string_view kNamed = "named by '", kArgument = "command argument '";
  if (const auto at = what.find(kNamed); at != std::string::npos) {
    const auto begin = at + kNamed.size();
    return {what.substr(begin, what.find('\'', begin) - begin)};
  }
  if (what.starts_with(kArgument))
    return {"command.argv=" + what.substr(kArgument.size(), what.rfind("': ") - kArgument.size())};
  const std::string key = what.substr(0, what.find(" = "));
  std::vector<std::string> names;
  // What is swept counts in place of what [train] says.
  for (const char* table : {"sweep.space.", "train.", "resources.", "data.", "model."})
    names.push_back(table + key);
  return names;
}

}  // namespace

std::map<std::string, std::string> value_places(const toml::table& root) {
  std::map<std::string, std::string> places;
  add_places(root, "", places);
  return places;
}

std::string at_its_place(const SweepSpec& sweep, const std::string& what) {
  for (const auto& name : names_in(what)) {
    if (const auto found = sweep.places.find(name); found != sweep.places.end())
      return fmt::format("{}:{}: {}", sweep.source, found->second, what);
  }
  return fmt::format("{}: {}", sweep.source, what);
}

}  // namespace expctl
