// Times as people give them to --until.
#pragma once

#include <string>

namespace expctl {

/// Unix seconds: "07:30" is the next one of the local clock, "2026-06-01T07:30" a day's, "90m" and "8h" are
/// counted from `now`. Throws Error (kUsage) for anything else and for what is past.
double parse_until(const std::string& text, double now);

}  // namespace expctl
