#include "cli/download.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <limits>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/text.h"
#include "runner/tool_call.h"

namespace expctl {
namespace {
namespace fs = std::filesystem;

constexpr int kIdleTries = 5;
constexpr auto kFirstWait = std::chrono::milliseconds(500);

// curl's exit codes (man curl).
constexpr int kNoProxy = 5, kNoHost = 6, kNoConnection = 7, kHttp2 = 16, kPartial = 18, kHttpError = 22,
              kWriteError = 23, kTimedOut = 28, kNoRange = 33, kNoAnswer = 52, kSendError = 55,
              kReceiveError = 56, kHttp2Stream = 92;

struct CurlEnd {
  int exit_code = 0;
  int http_status = 0;
  std::string message;
  bool too_long = false;
};

std::vector<std::string> curl_argv(const DownloadRequest& request) {
  // What begins with https never goes on without it.
  const char* protocols = request.url.starts_with("https:") ? "=https" : "=http,https";
  return {"curl",
          "--disable",
          "--silent",
          "--show-error",
          "--fail",
          "--globoff",
          "--location",
          "--max-redirs",
          "10",
          "--proto",
          protocols,
          "--proto-redir",
          protocols,
          "--connect-timeout",
          "30",
          "--speed-limit",
          "1000",
          "--speed-time",
          "30",  // bytes/s, for so long
          "--continue-at",
          "-",
          "--write-out",
          "%{http_code}",
          "--output",
          request.part.string(),
          "--url",
          request.url};
}

/// "curl: (6) Could not resolve host: x" without its beginning.
std::string curl_message(const ToolResult& result) {
  std::string message(trim(result.err));
  message = message.substr(0, message.find('\n'));
  const auto begin = message.find(") ");
  if (message.starts_with("curl: (") && begin != std::string::npos) message = message.substr(begin + 2);
  return message.empty() ? fmt::format("curl ended with {}", result.exit_code) : message;
}

CurlEnd run_curl(const DownloadRequest& request, DownloadProgress& progress) {
  // An expctl that is killed takes it along: the next one must be the only writer of the file.
  ToolCall curl(curl_argv(request), std::numeric_limits<double>::infinity());
  while (true) {
    const auto result = curl.poll();
    const int64_t got = file_bytes(request.part);
    if (request.bytes > 0 && got > request.bytes) return {0, 0, "", true};
    if (result) return {result->exit_code, std::atoi(result->out.c_str()), curl_message(*result), false};
    progress.tick(got);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

bool may_go_better(const CurlEnd& end, bool has_worked) {
  switch (end.exit_code) {
    case kNoProxy:
    case kNoHost:
    case kNoConnection:
      return has_worked;  // else this machine is offline, which is said at once
    case kHttpError:
      return end.http_status >= 500 || end.http_status == 408 || end.http_status == 429;
    case kHttp2:
    case kPartial:
    case kTimedOut:
    case kNoAnswer:
    case kSendError:
    case kReceiveError:
    case kHttp2Stream:
      return true;
    default:
      return false;
  }
}

Error write_error(const DownloadRequest& request, const CurlEnd& end) {
  constexpr uintmax_t kFull_bytes = 1 << 16;
  std::error_code error;
  const auto space = fs::space(request.part.parent_path(), error);
  if (error || space.available >= kFull_bytes)
    return Error(fmt::format("cannot write {}: {}", request.part.string(), end.message));
  return Error(fmt::format("cannot write {}: No space left on device", request.part.string()),
               fmt::format("make room and call it again: it goes on after the {} bytes that are there",
                           file_bytes(request.part)));
}

Error error_of(const DownloadRequest& request, const CurlEnd& end) {
  if (end.exit_code == kWriteError) return write_error(request, end);
  if (end.exit_code == kHttpError)
    return Error(fmt::format("{}: the server answers {}", request.url, end.http_status), request.by_hand);
  return Error(fmt::format("cannot fetch {}: {}", request.url, end.message), request.by_hand);
}

}  // namespace

void download(const DownloadRequest& request, DownloadProgress& progress) {
  const int64_t at_first = file_bytes(request.part);
  int64_t most = at_first;
  auto wait = kFirstWait;
  progress.begin(request.url, request.name, at_first, request.bytes);
  for (int idle = 0;;) {
    const CurlEnd end = run_curl(request, progress);
    if (end.too_long) {
      fs::resize_file(request.part, 0);
      throw Error(
          fmt::format("{}: it serves more than the {} bytes that are published", request.url, request.bytes),
          request.by_hand);
    }
    if (end.exit_code == 0) break;
    // Only more than ever before is an advance: a server that knows no ranges may break off for ever.
    const int64_t got = file_bytes(request.part);
    const bool advanced = got > most;
    most = std::max(most, got);
    if (end.exit_code == kNoRange) {
      fs::resize_file(request.part, 0);
      continue;
    }
    idle = advanced ? 0 : idle + 1;
    if (advanced) wait = kFirstWait;
    if (idle == kIdleTries || !may_go_better(end, most > at_first)) throw error_of(request, end);
    std::this_thread::sleep_for(wait);
    wait *= 2;
  }
  progress.end();
}

}  // namespace expctl
