#include "cli/man_page.h"

#include "cli/cli11.h"
#include "tests/support/support.h"

using namespace expctl;

TEST_CASE("man_page: options, verbs, those below them and further sections, in the macros of man(7)",
          "[cli]") {
  CLI::App app{"small: runs things", "small"};
  std::string text;
  std::vector<std::string> ids;
  bool flag = false;
  app.add_option("--workspace", text, "Where")->envname("SMALL_WORKSPACE");
  auto* show = app.add_subcommand("runs", "Lists")->add_subcommand("show", "Shows one");
  show->add_option("ID", text, "Which")->required();
  show->add_flag("-f,--full", flag, "All of it");
  auto* stop = app.add_subcommand("stop", "Stops");
  stop->add_option("ID", ids, ".hidden starts with a dot");
  stop->add_option("--how", text, "In which way")->check(CLI::IsMember({"soon", "now"}));
  stop->footer("Example: small stop run1\n'quoted' and a\\b");
  app.add_subcommand("job", "Not to be seen")->group("");
  CHECK(man_page(app, "small 1.0", {{"EXIT STATUS", {{"0", "done"}, {"1", "not-done"}}}}) ==
        ".TH small 1 \"\" \"small 1.0\" \"User Commands\"\n"
        ".SH NAME\nsmall \\- runs things\n"
        ".SH SYNOPSIS\n.B small\n[OPTIONS] COMMAND ...\n"
        ".SH OPTIONS\n"
        ".TP\n\\fB\\-h, \\-\\-help\\fR\nPrint this help message and exit\n"
        ".TP\n\\fB\\-\\-workspace TEXT\\fR\nWhere [SMALL_WORKSPACE]\n"
        ".SH COMMANDS\n"
        ".SS small runs\nLists\n"
        ".SS small runs show ID\nShows one\n"
        ".TP\n\\fBID\\fR\nWhich\n"
        ".TP\n\\fB\\-f, \\-\\-full\\fR\nAll of it\n"
        ".SS small stop [ID...]\nStops\n"
        ".TP\n\\fBID\\fR\n\\&.hidden starts with a dot\n"
        ".TP\n\\fB\\-\\-how {soon,now}\\fR\nIn which way\n"
        ".PP\n.nf\nExample: small stop run1\n\\&'quoted' and a\\eb\n.fi\n"
        ".SH EXIT STATUS\n.TP\n\\fB0\\fR\ndone\n.TP\n\\fB1\\fR\nnot\\-done\n");
}
