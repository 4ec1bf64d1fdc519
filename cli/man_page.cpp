#include "cli/man_page.h"

#include <fmt/core.h>

#include "cli/help.h"
#include "core/text.h"

namespace expctl {
namespace {

/// A text that is printed as it is: '-' as what one types, no line taken for a macro.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool begins_line = out.empty() || out.back() == '\n';
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    out += c == '\\' ? "\\e" : c == '-' ? "\\-" : std::string(1, c);
  }
  return out;
}

bool is_shown(const CLI::App* verb) {
  return !verb->get_group().empty();
}

/// "TEXT", "{local,slurm}" where only these are taken.
std::string value_name(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (const auto choices = type.find('{'); choices != std::string::npos) return type.substr(choices);
  return type.empty() ? "VALUE" : type.substr(0, type.find(':'));
}

/// "-q, --quiet", "--where TEXT", "ID"
std::string option_name(const CLI::Option& option) {
  if (!option.nonpositional()) return option.get_name(true);
  const std::string names = join(split(option.get_name(false, true), ','), ", ");
  return option.get_items_expected_max() == 0 ? names : names + " " + value_name(option);
}

std::string options_text(const CLI::App& app, bool positional) {
  std::string text;
  for (const CLI::Option* option : app.get_options([&](const CLI::Option* o) {
         return o->nonpositional() != positional && !o->get_group().empty() &&
                (o != app.get_help_ptr() || app.get_parent() == nullptr);  // every verb has --help
       })) {
    const std::string variable =
        option->get_envname().empty() ? "" : fmt::format(" [{}]", option->get_envname());
    text += fmt::format(".TP\n\\fB{}\\fR\n{}{}\n", escaped(option_name(*option)),
                        escaped(option->get_description()), escaped(variable));
  }
  return text;
}

/// "expctl runs show ID", "expctl stop [ID...]"
std::string usage(const CLI::App& verb, const std::string& before) {
  std::string text = before + " " + verb.get_name();
  for (const CLI::Option* option :
       verb.get_options([](const CLI::Option* o) { return !o->nonpositional(); })) {
    const std::string name = option->get_name(true) + (option->get_items_expected_max() > 1 ? "..." : "");
    text += option->get_required() ? " " + name : " [" + name + "]";
  }
  return text;
}

std::string literal(const std::string& text) {
  constexpr size_t kWidth = 72;  // beside the margin of a terminal of 80 columns
  return text.empty() ? "" : fmt::format(".PP\n.nf\n{}\n.fi\n", escaped(wrapped(text, kWidth, 2)));
}

std::string section_text(const ManualSection& section) {
  std::string text = fmt::format(".SH {}\n", escaped(section.title));
  for (const auto& [name, meaning] : section.entries)
    text += fmt::format(".TP\n\\fB{}\\fR\n{}\n", escaped(name), escaped(meaning));
  return text;
}

std::string verb_text(const CLI::App& verb, const std::string& before) {
  std::string text =
      fmt::format(".SS {}\n{}\n", escaped(usage(verb, before)), escaped(verb.get_description()));
  text += options_text(verb, true) + options_text(verb, false) + literal(verb.get_footer());
  for (const CLI::App* inner : verb.get_subcommands(is_shown))
    text += verb_text(*inner, before + " " + verb.get_name());
  return text;
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& version,
                     const std::vector<ManualSection>& sections) {
  const std::string& name = app.get_name();
  std::string text = fmt::format(".TH {} 1 \"\" \"{}\" \"User Commands\"\n", escaped(name), escaped(version));
  std::string what = app.get_description();
  if (what.starts_with(name + ": ")) what.erase(0, name.size() + 2);
  text += fmt::format(".SH NAME\n{} \\- {}\n", escaped(name), escaped(what));
  text += fmt::format(".SH SYNOPSIS\n.B {}\n[OPTIONS] COMMAND ...\n", escaped(name));
  text += ".SH OPTIONS\n" + options_text(app, false);
  text += ".SH COMMANDS\n";
  for (const CLI::App* verb : app.get_subcommands(is_shown)) text += verb_text(*verb, name);
  for (const auto& section : sections) text += section_text(section);
  return text;
}

}  // namespace expctl
