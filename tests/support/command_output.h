// What commands print with --json, beside docs/command_output.schema.json.
#pragma once

#include "core/files.h"
#include "tests/support/python_with.h"

namespace expctl::test {

/// A Python that output can be checked with; "" where there is none.
inline const std::string& checking_python() {
  static const std::string found = python_with("fastjsonschema");
  return found;
}

/// Checks the output of `command` ("runs show", ...); does nothing without a checking_python().
inline void check_output(const std::string& command, const std::string& output) {
  if (checking_python().empty()) return;
  const TempDir folder;
  write_file(folder / "output.json", output);
  const ProgramResult result =
      run_program({checking_python(), (source_dir() / "tests/support/check_output.py").string(),
                   (source_dir() / "docs/command_output.schema.json").string(), command,
                   (folder / "output.json").string()});
  INFO(result.err << output);
  CHECK(result.exit_code == 0);
}

}  // namespace expctl::test
