// How --help is laid out: as wide as the terminal, with the options that every verb has in its last line.
#pragma once

#include <string>

#include "cli/cli11.h"

namespace expctl {

/// Each line broken at spaces so that none is longer than `width`, unless a word is; what is broken goes on
/// `indent` spaces in, or as far in as its line begins.
std::string wrapped(const std::string& text, size_t width, size_t indent = 0);

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(size_t width) : width_(width) {}

  std::string make_description(const CLI::App* app) const override;
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_subcommand(const CLI::App* verb) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_footer(const CLI::App* app) const override;

 private:
  std::string entry(const std::string& name, const std::string& what, size_t column) const;

  size_t width_;
};

}  // namespace expctl
