// What a program wrote for a terminal, as text to read.
#pragma once

#include <string>
#include <string_view>

namespace expctl {

/// Without colours and other escape sequences of terminals, without control characters but line breaks and
/// tabs; of what a progress bar wrote over itself (after a carriage return) the last state alone. Bytes that
/// are not UTF-8 stay.
std::string log_text(std::string_view log);

/// The last `bytes` of a log, from a line's beginning on where it has been cut off and a line ends in it.
std::string_view from_line_begin(std::string_view tail, bool is_cut);

}  // namespace expctl
