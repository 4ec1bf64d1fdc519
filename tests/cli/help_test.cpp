#include "cli/help.h"

#include "core/text.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;

TEST_CASE("help: lines are broken at spaces, and go on as far in as they began", "[cli]") {
  CHECK(wrapped("one two three four", 9) == "one two\nthree\nfour");
  CHECK(wrapped("  one two three", 9) == "  one two\n  three");
  CHECK(wrapped("one two three", 9, 2) == "one two\n  three");
  CHECK(wrapped("short\n\na-word-without-spaces", 9) == "short\n\na-word-without-spaces");
}

TEST_CASE("help: no line is wider than the terminal, and a verb names the options of all verbs", "[cli]") {
  CLI::App app{"small: runs things of many kinds, one after the other, as long as there are some", "small"};
  app.formatter(std::make_shared<HelpFormatter>(60));
  std::string text;
  auto* verb = app.add_subcommand("go", "Go on with all that has been begun, until nothing is left to do");
  verb->group("Run");
  verb->add_option("--a-very-long-option-name-of-its-own", text,
                   "What is said of it takes more than one line of this terminal");
  verb->add_option("--short", text, "What is said of it takes more than one line of this terminal too");
  verb->footer("Example: small go --short one --a-very-long-option-name-of-its-own two three");
  for (const auto* one : {static_cast<const CLI::App*>(&app), static_cast<const CLI::App*>(verb)}) {
    for (const auto& line : split(one->help(), '\n')) {
      INFO(line);
      CHECK(line.size() <= 60);
    }
  }
  CHECK_THAT(app.help(), Contains("\nRun:\n  go             Go on with all that has been begun, until\n"
                                  "                 nothing is left to do\n"));
  CHECK_THAT(verb->help(), Contains("\n  --a-very-long-option-name-of-its-own TEXT\n"
                                    "                            What is said of it takes more\n"));
  CHECK_THAT(verb->help(), Contains("\nAlso: --workspace DIR, --json, -q (expctl --help)\n"));
  CHECK(app.help().find("Also:") == std::string::npos);
}
