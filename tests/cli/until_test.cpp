#include "cli/until.h"

#include <ctime>

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;

namespace {

double local(int year, int month, int day, int hour, int minute) {
  std::tm time{};
  time.tm_year = year - 1900;
  time.tm_mon = month - 1;
  time.tm_mday = day;
  time.tm_hour = hour;
  time.tm_min = minute;
  time.tm_isdst = -1;
  return static_cast<double>(std::mktime(&time));
}

}  // namespace

TEST_CASE("until: a time of the day is the next one, a day's is its own, a duration is from now", "[cli]") {
  const double now = local(2026, 5, 31, 22, 15);
  CHECK(parse_until("23:00", now) == local(2026, 5, 31, 23, 0));
  CHECK(parse_until("07:30", now) == local(2026, 6, 1, 7, 30));
  CHECK(parse_until("2026-06-02T07:30", now) == local(2026, 6, 2, 7, 30));
  CHECK(parse_until("2026-06-02 07:30", now) == local(2026, 6, 2, 7, 30));
  CHECK(parse_until("90m", now) == now + 5400);
  CHECK(parse_until("1.5h", now) == now + 5400);
}

TEST_CASE("until: what is no time, or past, is refused", "[cli]") {
  const double now = local(2026, 5, 31, 22, 15);
  for (const char* text : {"", "soon", "25:00", "10:70", "2026-02-31T10:00", "10:30x", "5d", "-3h", "0m", "h",
                           "infh", "2026-13-01T07:30"}) {
    INFO(text);
    CHECK_THROWS_WITH(parse_until(text, now), Catch::Contains("not a time"));
  }
  CHECK_THROWS_WITH(parse_until("2026-05-30T10:00", now), Catch::Contains("that is past"));
}
