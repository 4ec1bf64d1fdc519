// `expctl fetch squad|bert-base-uncased`: the published data and weights that a team starts from.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "cli/download_progress.h"
#include "cli/fetching.h"
#include "cli/folders.h"
#include "cli/published.h"
#include "cli/terminal.h"
#include "cli/verbs.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

void say_next(const Program& program, const PublishedItem& item, const fs::path& folder) {
  if (item.zip) {
    say(program, fmt::format("next: init = \"{}\" in a sweep file, and expctl sweep FILE", folder.string()));
    return;
  }
  say(program, fmt::format("next: train = \"{}\" and dev = \"{}\" in a sweep file, and expctl sweep FILE",
                           (folder / item.files[0].name).string(), (folder / item.files[1].name).string()));
}

int fetch(const Program& program, const std::string& name, const fs::path& out) {
  const char* base = std::getenv("EXPCTL_FETCH_BASE");
  const PublishedItem item = served_from(find_published(name), base == nullptr ? "" : base);
  const fs::path folder = folder_path((out.empty() ? item.folder : out).string());
  DownloadProgress progress(program.quiet, stderr_is_interactive());
  const auto files = fetch_item(item, folder, progress);
  for (const auto& file : files) {
    say(program,
        fmt::format("{} {}: {} bytes, SHA-256 {} as published", file.was_there ? "there already:" : "fetched",
                    file.path.string(), file.bytes, file.sha256));
  }
  say_next(program, item, folder);
  if (program.json) fmt::print("{}", json_text(fetched_json(files)));
  return 0;
}

}  // namespace

void add_fetch(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("fetch", "Fetch SQuAD 1.1 or Google's BERT-base uncased, checked");
  struct Options {
    std::string what;
    fs::path out;
  };
  auto options = std::make_shared<Options>();
  verb->add_option("WHAT", options->what, "squad or bert-base-uncased")->required();
  verb->add_option("--out", options->out,
                   "Folder of the files (default: . for squad, models/bert-base-uncased)");
  verb->footer(
      "Every file is compared with the SHA-256 that was published for it. A download that has stopped goes "
      "on in the next call. EXPCTL_FETCH_BASE=http://mirror:8000 replaces scheme and host of the "
      "addresses.\n\n"
      "Example: expctl fetch squad --out data");
  on_call(verb, program, [&program, options] { return fetch(program, options->what, options->out); });
}

}  // namespace expctl
