// A run's log as its supervisor sees it: kept from growing without end, and read for what went wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace expctl {

constexpr int64_t kLargestLog = int64_t{256} << 20;

/// Where the log has grown beyond `largest` bytes, takes out its middle, and says so in its place: its first
/// and its last 1 MiB stay. Whoever writes it appends (O_APPEND), and goes on doing so; what is written in
/// the same moment may be lost.
void cap_log(const std::filesystem::path& log, int64_t largest = kLargestLog);

/// Whether the end of a log is that of a program which could not allocate memory: the words of CUDA, PyTorch,
/// Python and C++ for it.
bool says_out_of_memory(std::string_view tail);

}  // namespace expctl
