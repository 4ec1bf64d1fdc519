// What commands print with --json, beside docs/command_output.schema.json.
#pragma once

#include "core/files.h"
#include "tests/support/support.h"

namespace expctl::test {

/// Whether there is what output can be checked with: a Python with fastjsonschema.
inline bool can_check_output() {
  static const bool can =
      !python().empty() && run_program({python().string(), "-c", "import fastjsonschema"}).exit_code == 0;
  return can;
}

/// Checks the output of `command` ("runs show", ...); does nothing where !can_check_output().
inline void check_output(const std::string& command, const std::string& output) {
  if (!can_check_output()) return;
  const TempDir folder;
  write_file(folder / "output.json", output);
  const ProgramResult result =
      run_program({python().string(), (source_dir() / "tests/support/check_output.py").string(),
                   (source_dir() / "docs/command_output.schema.json").string(), command,
                   (folder / "output.json").string()});
  INFO(result.err << output);
  CHECK(result.exit_code == 0);
}

}  // namespace expctl::test
