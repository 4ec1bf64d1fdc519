#include "cli/until.h"

#include <fmt/core.h>

#include <cstdio>
#include <ctime>
#include <optional>

#include "core/error.h"
#include "core/text.h"

namespace expctl {
namespace {

/// The broken-down time that a text like one of the formats means, on the day of `now` where it names none.
std::optional<std::tm> clock_time_from(const std::string& text, std::time_t now, bool& has_day) {
  std::tm time{};
  ::localtime_r(&now, &time);
  time.tm_sec = 0;
  time.tm_isdst = -1;
  int used = 0;
  const auto size = static_cast<int>(text.size());
  has_day = std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[T ]%2d:%2d%n", &time.tm_year, &time.tm_mon,
                        &time.tm_mday, &time.tm_hour, &time.tm_min, &used) == 5 &&
            used == size;
  if (has_day) {
    time.tm_year -= 1900;
    time.tm_mon -= 1;
    return time;
  }
  used = 0;
  ::localtime_r(&now, &time);
  time.tm_sec = 0;
  time.tm_isdst = -1;
  const bool is_time =
      std::sscanf(text.c_str(), "%2d:%2d%n", &time.tm_hour, &time.tm_min, &used) == 2 && used == size;
  return is_time ? std::optional(time) : std::nullopt;
}

}  // namespace

double parse_until(const std::string& text, double now) {
  if (const auto seconds = parse_duration(text)) return now + *seconds;
  bool has_day = false;
  auto time = clock_time_from(text, static_cast<std::time_t>(now), has_day);
  const std::optional<std::tm> wanted = time;
  auto at = time ? static_cast<double>(std::mktime(&*time)) : -1;
  // mktime() takes 25:70 for another time: what it makes of the text must be what the text says.
  const bool is_real = time && time->tm_year == wanted->tm_year && time->tm_mon == wanted->tm_mon &&
                       time->tm_mday == wanted->tm_mday && time->tm_hour == wanted->tm_hour &&
                       time->tm_min == wanted->tm_min;
  if (!is_real) {
    throw Error(fmt::format("--until {}: not a time", text), "07:30, 2026-06-01T07:30, 90m or 8h",
                ErrorCode::kUsage);
  }
  if (at <= now && !has_day) {
    ++time->tm_mday;
    time->tm_isdst = -1;
    at = static_cast<double>(std::mktime(&*time));
  }
  if (at <= now) throw Error(fmt::format("--until {}: that is past", text), "", ErrorCode::kUsage);
  return at;
}

}  // namespace expctl
