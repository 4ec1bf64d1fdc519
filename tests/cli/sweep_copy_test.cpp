#include "cli/sweep_copy.h"

#include "core/files.h"
#include "tests/support/support.h"

using namespace expctl;
using expctl::test::TempDir;

TEST_CASE("sweep_copy: what --set changed stands at its end, and is read from there", "[cli]") {
  const TempDir dir;
  const std::string text = "# --set lr=1 in the text is none\n[train]\nepochs = 2\n";
  write_file(dir / "lr.toml", text);
  CHECK(sweep_copy(dir / "lr.toml", {}) == text);
  CHECK(settings_in_copy(text).empty());
  const std::vector<std::string> settings = {"seed=9", "learning_rate=3e-5", "schedule=a b"};
  CHECK(settings_in_copy(sweep_copy(dir / "lr.toml", settings)) == settings);
  write_file(dir / "lr.toml", "epochs = 2");  // its last line does not end
  CHECK(settings_in_copy(sweep_copy(dir / "lr.toml", settings)) == settings);
  CHECK(settings_in_copy("# --set seed=1\n") == std::vector<std::string>{"seed=1"});
}
