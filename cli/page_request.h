// What `expctl serve` answers to a request: a function of the request, of the port, and of where pages come
// from.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "reports/pages.h"

namespace expctl {

struct PageRequest {
  std::string method;
  std::string host;    ///< the header; "" where it is missing, or there more than once
  std::string target;  ///< as it was sent: path and query
};

enum class PageKind { kHome, kRunList, kSweep, kRun, kLog, kDevices };

struct PageAddress {
  PageKind kind = PageKind::kHome;
  std::string id;  ///< of a sweep, a run or an ensemble
  ListChoice choice;
};

struct PageResponse {
  int status = 200;
  std::string type = "text/html; charset=utf-8";
  std::string body;
  std::map<std::string, std::string> headers;  ///< beside page_headers()
};

/// What every response says: nothing from elsewhere is loaded, nobody may show the page in theirs, nothing is
/// kept.
const std::map<std::string, std::string>& page_headers();

/// The page at an address; nothing where there is no such sweep or run.
using PageSource = std::function<std::optional<std::string>(const PageAddress&)>;

/// The address that a path with its query names; nothing where there is none. A path is never that of a file.
std::optional<PageAddress> parse_page_address(const std::string& target);

/// Only this machine's own names are answered (another's name that leads here is an attack by DNS), only GET
/// and HEAD; what `pages` throws becomes an answer too.
PageResponse answer(const PageRequest& request, int port, const std::string& workspace,
                    const PageSource& pages);

}  // namespace expctl
