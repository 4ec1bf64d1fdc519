#include "cli/page_request.h"

#include "core/error.h"
#include "tests/support/support.h"

using namespace expctl;
using Catch::Matchers::Contains;

namespace {

constexpr int kPort = 8123;

PageRequest get(const std::string& target, const std::string& host = "127.0.0.1:8123") {
  return {"GET", host, target};
}

/// Knows the overview and run1.
std::optional<std::string> small_site(const PageAddress& address) {
  if (address.kind == PageKind::kHome) return "the overview";
  if (address.id == "run1") return "page of run1";
  return std::nullopt;
}

PageResponse answer_to(const PageRequest& request) {
  return answer(request, kPort, "/ws", small_site);
}

}  // namespace

TEST_CASE("page request: only this machine's own names are answered", "[cli]") {
  for (const char* host : {"127.0.0.1:8123", "localhost:8123", "LocalHost:8123", "[::1]:8123"})
    CHECK(answer_to(get("/", host)).status == 200);
  for (const char* host : {"", "evil.example", "evil.example:8123", "127.0.0.1", "127.0.0.1:80",
                           "127.0.0.1:8123.evil.example", "localhost.evil.example:8123", "127.0.0.1:8123 "}) {
    INFO(host);
    const PageResponse response = answer_to(get("/", host));
    CHECK(response.status == 403);
    CHECK_THAT(response.body, !Contains("overview") && Contains("http://localhost:8123/ only"));
  }
  CHECK(answer(get("/", "localhost"), 80, "/ws", small_site).status == 200);
}

TEST_CASE("page request: nothing but looking", "[cli]") {
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "get", "TRACE"}) {
    const PageResponse response = answer_to({method, "localhost:8123", "/"});
    CHECK(response.status == 405);
    CHECK(response.headers.at("Allow") == "GET, HEAD");
  }
  CHECK(answer_to({"HEAD", "localhost:8123", "/"}).status == 200);
}

TEST_CASE("page request: what is no page is not found, whatever the path tries", "[cli]") {
  for (const char* target : {"",
                             "//",
                             "/..",
                             "/../etc/passwd",
                             "/runs/..",
                             "/runs/../registry.db",
                             "/runs/run1/../run1",
                             "/runs/",
                             "/runs/run1/",
                             "/runs/run01",
                             "/runs/run1%00",
                             "/runs/%72un1",
                             "/runs/sweep1",
                             "/sweeps/run1",
                             "/runs/run1/train.log",
                             "/runs/run1/log/x",
                             "/registry.db",
                             "/style.css/..",
                             "/runs/run99999999999999999999",
                             "/runs/run2",
                             "/?page=0",
                             "/?page=x",
                             "/?page=1000001",
                             "/?page=",
                             "/runs?state=lost",
                             "/runs?order=1",
                             "/?x=1",
                             "/?",
                             "http://127.0.0.1:8123/"}) {
    INFO(target);
    const PageResponse response = answer_to(get(target));
    CHECK(response.status == 404);
    CHECK_THAT(response.body, Contains("There is no such page, sweep or run."));
  }
}

TEST_CASE("page request: addresses of pages", "[cli]") {
  const auto is = [](const char* target, PageKind kind, const std::string& id) {
    const auto address = parse_page_address(target);
    INFO(target);
    REQUIRE(address);
    CHECK(address->kind == kind);
    CHECK(address->id == id);
  };
  is("/", PageKind::kHome, "");
  is("/runs", PageKind::kRunList, "");
  is("/devices", PageKind::kDevices, "");
  is("/sweeps/sweep3", PageKind::kSweep, "sweep3");
  is("/runs/run12", PageKind::kRun, "run12");
  is("/runs/ens1", PageKind::kRun, "ens1");
  is("/runs/run12/log", PageKind::kLog, "run12");
  const auto chosen = parse_page_address("/runs?state=failed&order=newest&page=7").value().choice;
  CHECK(chosen.state == RunState::kFailed);
  CHECK(chosen.newest_first);
  CHECK(chosen.page == 7);
  CHECK_FALSE(parse_page_address("/runs?order=best").value().choice.newest_first);
}

TEST_CASE("page request: a registry that is busy is another answer than one that is broken", "[cli]") {
  const auto failing = [](const Error& e) {
    return answer(get("/"), kPort, "/ws", [&](const PageAddress&) -> std::optional<std::string> { throw e; });
  };
  CHECK(failing(Error("busy", "try again", ErrorCode::kRegistry)).status == 503);
  const PageResponse broken = failing(Error("<b>damaged</b>", "put a copy back"));
  CHECK(broken.status == 500);
  CHECK_THAT(broken.body, Contains("&lt;b&gt;damaged&lt;&#x2F;b&gt; (put a copy back)") ||
                              Contains("&lt;b&gt;damaged&lt;/b&gt; (put a copy back)"));
}

TEST_CASE("page request: style sheet and script are the server's own", "[cli]") {
  CHECK(answer_to(get("/style.css")).type == "text/css; charset=utf-8");
  CHECK(answer_to(get("/live.js")).type == "text/javascript; charset=utf-8");
  const std::string policy = page_headers().at("Content-Security-Policy");
  CHECK_THAT(policy, Contains("default-src 'none'") && !Contains("unsafe") && !Contains("http"));
  for (const char* file : {"/style.css", "/live.js"}) {
    const std::string body = answer_to(get(file)).body;
    CHECK_THAT(body, !Contains("http:") && !Contains("https:") && !Contains("@import") && !Contains("url("));
  }
}
