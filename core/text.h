// Small text helpers that several folders need: splitting, number formatting, "did you mean".
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace expctl {

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string_view trim(std::string_view text);

/// The last `lines` lines of a text.
std::string tail_lines(std::string_view text, int lines);

/// The number that the whole text is, in decimal and without a plus or a space; nothing for any other text,
/// and where T cannot hold it.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [last, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && last == end ? std::optional<T>(value) : std::nullopt;
}

/// The seconds of "45s", "90m" or "2h", more than none; nothing for any other text.
std::optional<double> parse_duration(std::string_view text);

/// The shortest decimal that reads back as the same double, written as Python's repr() does (100.0, 1e-05).
std::string format_number(double value);

/// "12 s", "3 min 4 s", "2 h 5 min".
std::string duration_text(double seconds);

/// "512 bytes", "38.0 MiB": in the largest of bytes, KiB, MiB, GiB and TiB of which it is one at least.
std::string bytes_text(int64_t bytes);

/// "1 run", "3 runs"; `several` where an s is not enough ("entries").
std::string counted(size_t count, std::string_view one, std::string_view several = {});

/// Levenshtein distance in bytes.
int edit_distance(std::string_view a, std::string_view b);

/// The candidate that another program calls `word` (core/key_aliases.h), else the nearest to it; "" where
/// none is near enough to be what was meant, as of words of one or two letters.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// "; did you mean 'learning_rate'?" or "", to append to an error message.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// A word as one argument of a POSIX shell, quoted where it has to be.
std::string shell_quote(std::string_view word);

}  // namespace expctl
