// The terminal that the output goes to.
#pragma once

#include "reports/table.h"

namespace expctl {

/// Whether stderr is a terminal that may be animated and coloured (NO_COLOR, TERM=dumb).
bool stderr_is_interactive();

/// Of a table on stdout: as wide as its terminal, coloured but for NO_COLOR and TERM=dumb; plain where it is
/// none.
TableStyle stdout_style();

/// Of --help: as wide as stdout's terminal, 80 columns where it is none.
size_t help_width();

/// Writes what was printed to stdout so far. Returns the first error that this has met (errno), 0 for none.
int flush_stdout();

}  // namespace expctl
