#include "reports/timeline_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

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

/// Where time lies, the gaps cut out.
class TimeAxis {
 public:
  explicit TimeAxis(std::vector<Stretch> stretches)
      : stretches_(std::move(stretches)),
        total_s_(stretches_.back().shown + stretches_.back().end - stretches_.back().begin),
        unit_(unit_for(total_s_)) {}

  double x_of(double time) const {
    for (auto stretch = stretches_.rbegin(); stretch != stretches_.rend(); ++stretch) {
      if (time >= stretch->begin) return x_of_shown(stretch->shown + time - stretch->begin);
    }
    return x_of_shown(0);
  }

  std::string draw(double bottom) const {
    std::string svg;
    for (const double tick : ticks_of({0, total_s_ / unit_.seconds})) {
      svg += fmt::format(
          "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\" stroke=\"#ddd\"/>\n"
          "<text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
          x_of_shown(tick * unit_.seconds), kTop, bottom, bottom + 16, tick);
    }
    for (size_t i = 1; i < stretches_.size(); ++i)
      svg += fmt::format("<line class=\"cut\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>\n",
                         x_of_shown(stretches_[i].shown), kTop, bottom);
    return svg;
  }

  std::string draw_title(double bottom) const {
    return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{} from the first start{}</text>\n",
                       (kLeft + kRight) / 2, bottom + 36, unit_.name,
                       stretches_.size() > 1 ? "; idle times are cut out at the dashed lines" : "");
  }

 private:
  double x_of_shown(double seconds) const { return kLeft + seconds / total_s_ * (kRight - kLeft); }

  std::vector<Stretch> stretches_;
  double total_s_;
  Unit unit_;
};

/// The spans of a row do not overlap; rows of a lane stand together.
struct Rows {
  std::vector<std::string> lanes;  ///< of each row
  std::vector<size_t> row_of;      ///< of each span
};

double top_of(size_t row) {
  return kTop + kRow * static_cast<double>(row);
}

Rows place_rows(const std::vector<TimelineSpan>& spans) {
  struct Row {
    std::string lane;
    double until;
  };
  std::vector<Row> rows;
  Rows placed;
  for (const auto& span : spans) {
    const auto free = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
      return row.lane == span.lane && row.until <= span.begin;
    });
    placed.row_of.push_back(static_cast<size_t>(free - rows.begin()));
    if (free == rows.end())
      rows.push_back({span.lane, span.end});
    else
      free->until = span.end;
  }
  std::vector<size_t> order(rows.size()), place(rows.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return rows[a].lane < rows[b].lane; });
  for (const size_t row : order) {
    place[row] = placed.lanes.size();
    placed.lanes.push_back(rows[row].lane);
  }
  for (size_t& row : placed.row_of) row = place[row];
  return placed;
}

std::string draw_lanes(const std::vector<std::string>& lanes) {
  std::string svg, last;
  for (size_t row = 0; row < lanes.size(); ++row) {
    if (lanes[row] != last)
      svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 8,
                         top_of(row) + 13, svg_text(lanes[row]));
    last = lanes[row];
  }
  return svg;
}

std::string draw_bar(const TimelineSpan& span, const TimeAxis& axis, double top) {
  const double left = axis.x_of(span.begin), wide = std::max(1.0, axis.x_of(span.end) - left - 1);
  std::string svg = fmt::format(
      "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" "
      "rx=\"2\"><title>{}</title></rect>\n",
      svg_text(span.state), left, top + 2, wide, kRow - 4, svg_text(span.name));
  if (static_cast<double>(span.name.size()) * kLetter + 6 < wide)
    svg += fmt::format("<text class=\"in\" x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"11\">{}</text>\n", left + 4,
                       top + 13, svg_text(span.name));
  return svg;
}

}  // namespace

std::string timeline_chart(std::vector<TimelineSpan> spans) {
  std::erase_if(spans, [](const TimelineSpan& span) { return !(span.end > span.begin); });
  if (spans.empty()) return "";
  std::stable_sort(spans.begin(), spans.end(),
                   [](const auto& a, const auto& b) { return a.begin < b.begin; });
  const TimeAxis axis(busy_stretches(spans));
  const Rows rows = place_rows(spans);
  const double bottom = top_of(rows.lanes.size());
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"runs over devices\" font-family=\"sans-serif\" "
      "font-size=\"12\" fill=\"#333\">\n",
      kWidth, bottom + kBottom);
  svg += draw_lanes(rows.lanes) + axis.draw(bottom);
  for (size_t i = 0; i < spans.size(); ++i) svg += draw_bar(spans[i], axis, top_of(rows.row_of[i]));
  return svg + axis.draw_title(bottom) + "</svg>\n";
}

}  // namespace expctl
