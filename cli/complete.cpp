#include "cli/complete.h"

#include <algorithm>
#include <set>

#include "cli/cli11.h"

namespace expctl {
namespace {

bool is_option(const std::string& word) {
  return word.starts_with("-");
}

/// That of the verb or of the program, whose own may stand anywhere.
const CLI::Option* find_option(const CLI::App& app, const CLI::App& verb, const std::string& word) {
  const CLI::Option* own = verb.get_option_no_throw(word);
  return own != nullptr ? own : app.get_option_no_throw(word);
}

bool takes_value(const CLI::Option* option) {
  return option != nullptr && option->get_items_expected_max() > 0;
}

/// The verb that the words but the last have come to, and whether the last is an option's value.
struct Place {
  const CLI::App* verb;
  bool is_value = false;
};

Place place_of(const CLI::App& app, const std::vector<std::string>& words) {
  Place place{&app, false};
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (place.is_value) {
      place.is_value = false;
    } else if (is_option(words[i])) {
      place.is_value =
          words[i].find('=') == std::string::npos && takes_value(find_option(app, *place.verb, words[i]));
    } else {
      const auto next =
          place.verb->get_subcommands([&](const CLI::App* a) { return a->get_name() == words[i]; });
      if (!next.empty()) place.verb = next.front();
    }
  }
  return place;
}

std::vector<std::string> option_names(const CLI::App& app, const CLI::App& verb) {
  std::vector<std::string> names;
  for (const CLI::App* of : {&verb, &app}) {
    for (const CLI::Option* option :
         of->get_options([](const CLI::Option* o) { return o->nonpositional(); })) {
      if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
    }
  }
  return names;
}

/// The verb's own word that is a run; null where none is.
const CLI::Option* run_option(const CLI::App& verb) {
  const auto positionals = verb.get_options([](const CLI::Option* o) { return o->get_positional(); });
  const auto found = std::find_if(positionals.begin(), positionals.end(), [](const CLI::Option* option) {
    return option->get_name(true).find("ID") != std::string::npos;
  });
  return found == positionals.end() ? nullptr : *found;
}

}  // namespace

std::vector<std::string> completions(const CLI::App& app, const std::vector<std::string>& words,
                                     const std::function<std::vector<std::string>(bool)>& names) {
  if (words.empty()) return {};
  const Place place = place_of(app, words);
  if (place.is_value) return {};
  std::vector<std::string> all;
  if (is_option(words.back())) {
    all = option_names(app, *place.verb);
  } else {
    for (const CLI::App* verb :
         place.verb->get_subcommands([](const CLI::App* a) { return !a->get_group().empty(); }))
      all.push_back(verb->get_name());
    if (const CLI::Option* option = run_option(*place.verb)) {
      const bool takes_sweeps = option->get_description().find("sweep") != std::string::npos;
      for (auto& name : names(takes_sweeps)) all.push_back(std::move(name));
    }
  }
  std::set<std::string> fitting;
  for (auto& word : all) {
    if (word.starts_with(words.back())) fitting.insert(std::move(word));
  }
  return {fitting.begin(), fitting.end()};
}

}  // namespace expctl
