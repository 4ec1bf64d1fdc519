// Programs run as a user who owns nothing here.
#pragma once

#include "tests/support/support.h"

namespace expctl::test {

/// With the rights of nobody, which root can give; elsewhere it fails.
inline ProgramResult run_as_nobody(std::vector<std::string> words) {
  const std::vector<std::string> as_nobody = {"/usr/bin/setpriv", "--reuid=65534", "--regid=65534",
                                              "--clear-groups"};
  words.insert(words.begin(), as_nobody.begin(), as_nobody.end());
  return run_program(words, "/", {"HOME=/nonexistent"});
}

/// Whether there is such a user, and the program can be run by it.
inline bool has_nobody() {
  return run_as_nobody({(bin_dir() / "expctl").string(), "--version"}).exit_code == 0;
}

inline void let_others_read(const std::filesystem::path& folder) {
  using std::filesystem::perms;
  std::filesystem::permissions(folder, perms::others_read | perms::others_exec,
                               std::filesystem::perm_options::add);
}

}  // namespace expctl::test
