// Holds the tree to the table of allowed uses (docs/architecture.md) and outside libraries to their one
// folder.
#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "core/files.h"
#include "tests/support/support.h"

namespace {
namespace fs = std::filesystem;
using expctl::test::source_dir;

const std::map<std::string, std::set<std::string>> kAllowedUses = {
    {"core", {}},
    {"formats", {"core"}},
    {"squad", {"core"}},
    {"experiments", {"core"}},
    {"registry", {"core"}},
    {"runner", {"experiments", "registry", "core"}},
    {"trainer", {"formats", "squad", "core"}},
    {"ensemble", {"formats", "squad", "core"}},
    {"reports", {"registry", "formats", "squad", "core"}},
    {"cli", {"runner", "reports", "ensemble", "experiments", "registry", "formats", "squad", "core"}},
};

/// Beginnings of an outside library's includes, and the folder that may use it.
const std::map<std::string, std::string> kOwners = {
    {"torch/", "trainer"},
    {"ATen/", "trainer"},
    {"c10/", "trainer"},
    {"cuda", "trainer"},
    {"mpi.h", "trainer"},
    {"nccl.h", "trainer"},
    {"SQLiteCpp/", "registry"},
    {"sqlite3.h", "registry"},
    {"boost/process", "runner"},
    {"boost/asio", "runner"},
    {"boost/math/", "core"},
    {"toml++/", "experiments"},
    {"CLI/", "cli"},
    {"simdjson.h", "squad"},
    {"archive", "cli"},
    {"httplib.h", "cli"},
};

struct Include {
  fs::path file;
  std::string folder;  ///< of the file
  std::string target;
};

bool is_source(const fs::path& path) {
  static const std::set<std::string> kExtensions = {".h", ".cpp", ".inc", ".cu", ".cuh"};
  return kExtensions.contains(path.extension().string());
}

/// Every source file of the product, with its folder.
std::vector<std::pair<std::string, fs::path>> all_sources() {
  std::vector<std::pair<std::string, fs::path>> sources;
  for (const auto& [folder, ignored] : kAllowedUses) {
    if (!fs::exists(source_dir() / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(source_dir() / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) sources.emplace_back(folder, entry.path());
    }
  }
  return sources;
}

std::vector<Include> all_includes() {
  static const std::regex pattern("#[ \t]*include[ \t]*[<\"]([^>\"]+)[>\"]");
  std::vector<Include> includes;
  for (const auto& [folder, path] : all_sources()) {
    const std::string text = expctl::read_file(path);
    for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) {
      includes.push_back({path, folder, (*it)[1]});
    }
  }
  return includes;
}

}  // namespace

TEST_CASE("every #include between folders is one of the allowed uses", "[structure]") {
  const auto includes = all_includes();
  REQUIRE(includes.size() > 100);
  for (const auto& include : includes) {
    const std::string target = include.target.substr(0, include.target.find('/'));
    if (!kAllowedUses.contains(target) || target == include.folder) continue;
    INFO(include.file << " includes " << include.target);
    CHECK(kAllowedUses.at(include.folder).contains(target));
  }
}

TEST_CASE("an outside library is used in its one folder only", "[structure]") {
  for (const auto& include : all_includes()) {
    for (const auto& [beginning, owner] : kOwners) {
      if (!include.target.starts_with(beginning)) continue;
      INFO(include.file << " includes " << include.target);
      CHECK(include.folder == owner);
    }
  }
}

TEST_CASE("no source file is longer than 500 lines", "[structure]") {
  for (const auto& [folder, path] : all_sources()) {
    const std::string text = expctl::read_file(path);
    INFO(path);
    CHECK(std::count(text.begin(), text.end(), '\n') <= 500);
  }
}

// All share one namespace: the linker would silently take one type's functions for another's.
TEST_CASE("no two headers of a program define types of the same name", "[structure]") {
  static const std::regex definition(
      "\n(?:struct|class|enum class) ([A-Za-z]+)(?: final)?(?: : [^;{]*)?\\s*\\{");
  std::map<std::string, std::set<fs::path>> of_expctl, of_expctl_train;
  for (const auto& [folder, path] : all_sources()) {
    if (path.extension() != ".h") continue;
    const bool is_trainer = folder == "trainer";
    const bool is_in_both = kAllowedUses.at("trainer").contains(folder);
    const std::string text = expctl::read_file(path);
    for (std::sregex_iterator it(text.begin(), text.end(), definition), end; it != end; ++it) {
      if (!is_trainer) of_expctl[(*it)[1]].insert(path);
      if (is_trainer || is_in_both) of_expctl_train[(*it)[1]].insert(path);
    }
  }
  CHECK(of_expctl.size() > 100);
  for (const auto* program : {&of_expctl, &of_expctl_train}) {
    for (const auto& [name, paths] : *program) {
      INFO(name << " in " << *paths.begin() << " and " << *paths.rbegin());
      CHECK(paths.size() == 1);
    }
  }
}

TEST_CASE("every file that a document names exists", "[structure]") {
  static const std::regex link("\\]\\(([^)#:]+)(#[^)]*)?\\)");
  std::vector<fs::path> documents = {source_dir() / "README.md"};
  for (const auto& entry : fs::directory_iterator(source_dir() / "docs")) {
    if (entry.path().extension() == ".md") documents.push_back(entry.path());
  }
  for (const auto& document : documents) {
    const std::string text = expctl::read_file(document);
    for (std::sregex_iterator it(text.begin(), text.end(), link), end; it != end; ++it) {
      INFO(document << " names " << (*it)[1]);
      CHECK(fs::exists(document.parent_path() / (*it)[1].str()));
    }
  }
}
