// `expctl man`: the manual page, asked for once by the build.
#include <fmt/core.h>

#include "cli/man_page.h"
#include "cli/verbs.h"
#include "core/version.h"

namespace expctl {

void add_man(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("man", "Print the manual page");
  verb->group("");  // hidden
  on_call(verb, program, [&app] {
    fmt::print("{}", man_page(app, fmt::format("expctl {}", version()), manual_sections()));
    return 0;
  });
}

}  // namespace expctl
