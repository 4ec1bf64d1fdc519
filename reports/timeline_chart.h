// What ran where and when, as inline SVG.
#pragma once

#include <string>
#include <vector>

namespace expctl {

struct TimelineSpan {
  std::string lane;   ///< a device
  std::string name;   ///< in the bar, where there is room, and in its title
  std::string state;  ///< the bar's class
  double begin = 0;   ///< Unix time
  double end = 0;
};

/// A bar for each span; spans of a lane that overlap get rows of their own. Time runs from the first begin in
/// minutes, hours or days. Where there are gaps in which nothing ran at all for more than a tenth of the
/// whole, they are cut out and marked. "" where there is no span.
std::string timeline_chart(std::vector<TimelineSpan> spans);

}  // namespace expctl
