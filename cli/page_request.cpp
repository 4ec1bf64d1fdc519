#include "cli/page_request.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "core/error.h"
#include "core/text.h"
#include "reports/templates.h"

namespace expctl {
namespace {

/// 127.0.0.1, localhost and [::1], with the port; port 80 need not be said.
bool is_own_host(std::string host, int port) {
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const char* name : {"127.0.0.1", "localhost", "[::1]"}) {
    if (host == fmt::format("{}:{}", name, port) || (port == 80 && host == name)) return true;
  }
  return false;
}

bool parse_choice(const std::string& word, ListChoice& choice) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) return false;
  const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
  if (key == "state") {
    choice.state = run_state_from(value);
    return choice.state.has_value();
  }
  if (key == "order") {
    choice.newest_first = value == "newest";
    return choice.newest_first || value == "best";
  }
  constexpr size_t kMostPages = 1'000'000;
  const auto page = key == "page" ? parse_number<size_t>(value) : std::nullopt;
  choice.page = page.value_or(choice.page);
  return page && *page > 0 && *page <= kMostPages;
}

/// Without what the query chooses.
std::optional<PageAddress> parse_path(const std::string& path) {
  const auto parts = split(path, '/');  // the first is "", what stands before the first slash
  const auto at = [&](const char* first, size_t count) {
    return parts.size() == count && parts[0].empty() && parts[1] == first;
  };
  if (path == "/") return PageAddress{PageKind::kHome, "", {}};
  if (at("runs", 2)) return PageAddress{PageKind::kRunList, "", {}};
  if (at("devices", 2)) return PageAddress{PageKind::kDevices, "", {}};
  const bool is_log = at("runs", 4) && parts[3] == "log";
  if (!is_log && !at("runs", 3) && !at("sweeps", 3)) return std::nullopt;
  const auto id = parse_id(parts[2]);
  if (!id || (id->kind == IdKind::kSweep) != (parts[1] == "sweeps")) return std::nullopt;
  const PageKind kind = is_log                       ? PageKind::kLog
                        : id->kind == IdKind::kSweep ? PageKind::kSweep
                                                     : PageKind::kRun;
  return PageAddress{kind, parts[2], {}};
}

PageResponse message(int status, const std::string& workspace, const std::string& title,
                     const std::string& text) {
  PageResponse response;
  response.status = status;
  response.body = message_page(workspace, title, text);
  return response;
}

PageResponse failure(const Error& e, const std::string& workspace) {
  const bool is_passing = e.code() == ErrorCode::kRegistry;
  return message(is_passing ? 503 : 500, workspace, is_passing ? "Not now" : "That went wrong",
                 e.hint().empty() ? e.what() : fmt::format("{} ({})", e.what(), e.hint()));
}

PageResponse page_at(const std::string& target, const std::string& workspace, const PageSource& pages) {
  const auto address = parse_page_address(target);
  const auto page = address ? pages(*address) : std::nullopt;
  if (!page) return message(404, workspace, "Not found", "There is no such page, sweep or run.");
  PageResponse response;
  response.body = *page;
  return response;
}

}  // namespace

const std::map<std::string, std::string>& page_headers() {
  static const std::map<std::string, std::string> headers = {
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
       "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cache-Control", "no-store"}};
  return headers;
}

std::optional<PageAddress> parse_page_address(const std::string& target) {
  const size_t mark = std::min(target.find('?'), target.size());
  auto address = parse_path(target.substr(0, mark));
  if (!address || mark == target.size()) return address;
  for (const auto& word : split(target.substr(mark + 1), '&')) {
    if (!parse_choice(word, address->choice)) return std::nullopt;
  }
  return address;
}

PageResponse answer(const PageRequest& request, int port, const std::string& workspace,
                    const PageSource& pages) {
  if (!is_own_host(request.host, port))
    return {403,
            "text/plain; charset=utf-8",
            fmt::format(
                "This is http://127.0.0.1:{0}/ or http://localhost:{0}/ only; through ssh -L take the same "
                "port.\n",
                port),
            {}};
  if (request.method != "GET" && request.method != "HEAD")
    return {405, "text/plain; charset=utf-8", "Nothing can be changed here.\n", {{"Allow", "GET, HEAD"}}};
  if (request.target == "/style.css")
    return {200, "text/css; charset=utf-8", std::string(template_text("style.css")), {}};
  if (request.target == "/live.js")
    return {200, "text/javascript; charset=utf-8", std::string(template_text("live.js")), {}};
  try {
    return page_at(request.target, workspace, pages);
  } catch (const Error& e) {
    return failure(e, workspace);
  } catch (const std::exception& e) {
    return failure(Error(e.what()), workspace);
  }
}

}  // namespace expctl
