#include "reports/render.h"

#include <fmt/core.h>

#include <kainjow/mustache.hpp>

#include "core/error.h"
#include "core/text.h"
#include "reports/templates.h"

namespace expctl {
namespace {

using kainjow::mustache::data;

data to_data(const Json& value) {
  if (value.is_object()) {
    data object{data::type::object};
    for (const auto& [key, member] : value.items()) object.set(key, to_data(member));
    return object;
  }
  if (value.is_array()) {
    data list{data::type::list};
    for (const auto& member : value) list.push_back(to_data(member));
    return list;
  }
  if (value.is_null()) return data{false};
  if (value.is_boolean()) return data{value.get<bool>()};
  if (value.is_number_float()) return data{format_number(value.get<double>())};
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  return text.empty() ? data{false} : data{text};
}

}  // namespace

std::string render(const std::string& name, const Json& facts, Escape escape) {
  kainjow::mustache::mustache form{std::string(template_text(name))};
  if (!form.is_valid()) throw Error(fmt::format("template {}: {}", name, form.error_message()));
  if (escape == Escape::kNone) form.set_custom_escape([](const std::string& text) { return text; });
  return form.render(to_data(facts));
}

}  // namespace expctl
