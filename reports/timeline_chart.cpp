#include "reports/timeline_chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "reports/chart_parts.h"

namespace expctl {
namespace {

constexpr double kWidth = 900, kLeft = 120, kRight = 886, kRow = 18, kTop = 8, kBottom = 44;
constexpr double kLetter = 6.6;

/// A stretch in which something ran, and where it lies once the gaps are cut out.
struct Stretch {
  double begin, end;
  double shown;  ///< seconds of stretches before it
};

/// Stretches between gaps that are long beside all that ran.
std::vector<Stretch> busy_stretches(const std::vector<TimelineSpan>& spans) {
  std::vector<Stretch> stretches;
  for (const auto& span : spans) {  // by their begin
    if (stretches.empty() || span.begin > stretches.back().end)
      stretches.push_back({span.begin, span.end, 0});
    else
      stretches.back().end = std::max(stretches.back().end, span.end);
  }
  double busy = 0;
  for (const auto& stretch : stretches) busy += stretch.end - stretch.begin;
  constexpr double kLong = 0.1;
  std::vector<Stretch> merged;
  for (const auto& stretch : stretches) {
    if (!merged.empty() && stretch.begin - merged.back().end <= kLong * busy)
      merged.back().end = stretch.end;
    else
      merged.push_back(stretch);
  }
  double shown = 0;
  for (auto& stretch : merged) {
    stretch.shown = shown;
    shown += stretch.end - stretch.begin;
  }
  return merged;
}

struct Unit {
  const char* name;
  double seconds;
};

Unit unit_for(double seconds) {
  if (seconds < 2 * 60) return {"seconds", 1};
  if (seconds < 3 * 3600) return {"minutes", 60};
  return seconds < 4 * 86400 ? Unit{"hours", 3600} : Unit{"days", 86400};
}

/// Rows of each lane: the spans of a row do not overlap.
struct Row {
  std::string lane;
  double until = 0;
};

}  // namespace

std::string timeline_chart(std::vector<TimelineSpan> spans) {
  std::erase_if(spans, [](const TimelineSpan& span) { return !(span.end > span.begin); });
  if (spans.empty()) return "";
  std::stable_sort(spans.begin(), spans.end(),
                   [](const auto& a, const auto& b) { return a.begin < b.begin; });
  const auto stretches = busy_stretches(spans);
  const double total = stretches.back().shown + stretches.back().end - stretches.back().begin;
  const auto shown = [&](double time) {
    for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
      if (time >= stretch->begin) return stretch->shown + time - stretch->begin;
    }
    return 0.0;
  };
  const auto px = [&](double seconds) { return kLeft + seconds / total * (kRight - kLeft); };

  std::vector<Row> rows;
  std::vector<size_t> row_of;
  for (const auto& span : spans) {
    const auto free = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
      return row.lane == span.lane && row.until <= span.begin;
    });
    row_of.push_back(static_cast<size_t>(free - rows.begin()));
    if (free == rows.end())
      rows.push_back({span.lane, span.end});
    else
      free->until = span.end;
  }
  std::vector<size_t> order(rows.size());  // rows of a lane stand together
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows[a].lane < rows[b].lane; });
  std::vector<double> y_of(rows.size());
  for (size_t i = 0; i < order.size(); ++i) y_of[order[i]] = kTop + kRow * static_cast<double>(i);

  const double bottom = kTop + kRow * static_cast<double>(rows.size());
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"runs over devices\" font-family=\"sans-serif\" "
      "font-size=\"12\" fill=\"#333\">\n",
      kWidth, bottom + kBottom);
  std::string last_lane;
  for (const size_t row : order) {
    if (rows[row].lane != last_lane)
      svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 8,
                         y_of[row] + 13, svg_text(rows[row].lane));
    last_lane = rows[row].lane;
  }
  const Unit unit = unit_for(total);
  for (const double tick : ticks_of({0, total / unit.seconds})) {
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" stroke=\"#ddd\"/>\n"
        "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
        px(tick * unit.seconds), kTop, bottom, bottom + 16, tick);
  }
  for (size_t i = 1; i < stretches.size(); ++i)
    svg += fmt::format("<line class=\"cut\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>\n",
                       px(stretches[i].shown), kTop, bottom);
  for (size_t i = 0; i < spans.size(); ++i) {
    const auto& span = spans[i];
    const double left = px(shown(span.begin)), wide = std::max(1.0, px(shown(span.end)) - left - 1);
    svg += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" "
        "rx=\"2\"><title>{}</title></rect>\n",
        svg_text(span.state), left, y_of[row_of[i]] + 2, wide, kRow - 4, svg_text(span.name));
    if (static_cast<double>(span.name.size()) * kLetter + 6 < wide)
      svg += fmt::format("<text class=\"in\" x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"11\">{}</text>\n",
                         left + 4, y_of[row_of[i]] + 13, svg_text(span.name));
  }
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{} from the first start{}</text>\n",
                     (kLeft + kRight) / 2, bottom + 36, unit.name,
                     stretches.size() > 1 ? "; idle times are cut out at the dashed lines" : "");
  return svg + "</svg>\n";
}

}  // namespace expctl
