// `expctl serve`: the workspace as pages on this machine, which follow what happens and change nothing.
#include <fmt/core.h>
#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "cli/live_pages.h"
#include "cli/verbs.h"
#include "core/error.h"
#include "runner/signal_wait.h"

namespace expctl {
namespace {

constexpr const char* kAddress = "127.0.0.1";
constexpr int kUsualPort = 8123;

/// httplib's own choice, SO_REUSEPORT, would let two servers share a port without either knowing.
void allow_fresh_port(int socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

PageRequest request_of(const httplib::Request& request) {
  const bool one_host = request.get_header_value_count("Host") == 1;
  return {request.method, one_host ? request.get_header_value("Host") : "", request.target};
}

void configure(httplib::Server& server) {
  constexpr size_t kThreads = 16;
  constexpr time_t kPatience_s = 5;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_keep_alive_max_count(1);  // a browser's idle connections would hold the threads,
  server.set_keep_alive_timeout(1);    // and its spare ones, on which nothing is asked, the end
  server.set_read_timeout(kPatience_s);
  server.set_write_timeout(kPatience_s);
  server.set_socket_options(allow_fresh_port);
  httplib::Headers headers;
  for (const auto& [name, value] : page_headers()) headers.emplace(name, value);
  server.set_default_headers(headers);
}

/// The port that it listens on. 0 takes any that is free.
int bind(httplib::Server& server, int port) {
  const int bound = port == 0                             ? server.bind_to_any_port(kAddress)
                    : server.bind_to_port(kAddress, port) ? port
                                                          : -1;
  if (bound > 0) return bound;
  throw Error(fmt::format("{}:{} cannot be listened on: {}", kAddress, port, std::strerror(errno)),
              "another expctl serve may be at work there; --port N takes another, --port 0 any that is free");
}

/// Every request goes to `source`; `pre_routing` because httplib's own routes would look at the body first.
void answer_with(httplib::Server& server, int port, const std::string& workspace, const PageSource& source) {
  server.set_pre_routing_handler(
      [port, workspace, source](const httplib::Request& request, httplib::Response& response) {
        const PageResponse page = answer(request_of(request), port, workspace, source);
        response.status = page.status;
        for (const auto& [name, value] : page.headers) response.set_header(name, value);
        response.set_content(page.body, page.type);
        return httplib::Server::HandlerResponse::Handled;
      });
}

/// Until a signal comes, which is returned; 0 where the server has ended by itself. The signals are held back
/// since before there were other threads.
int listen_until_signal(httplib::Server& server, SignalWait& signals,
                        const std::function<void()>& say_where) {
  constexpr auto kStart = std::chrono::milliseconds(1);
  constexpr double kLook_s = 1;
  std::atomic<bool> is_over = false;
  std::thread listener([&] {
    server.listen_after_bind();
    is_over = true;
  });
  while (!server.is_running() && !is_over)
    std::this_thread::sleep_for(kStart);  // stop() would do nothing yet
  say_where();
  int signal = 0;
  while (signal == 0 && !is_over) signal = signals.wait(kLook_s);
  server.stop();
  listener.join();
  return signal;
}

int serve(const Program& program, int port) {
  SignalWait signals({SIGINT, SIGTERM});
  std::signal(SIGPIPE, SIG_IGN);  // a browser that has gone
  LivePages pages(program.workspace());
  pages.page({PageKind::kHome, "", {}});  // what is wrong with the workspace is said here, not in a browser
  httplib::Server server;
  configure(server);
  const int bound = bind(server, port);
  const std::string workspace = program.workspace_dir.string();
  answer_with(server, bound, workspace, [&](const PageAddress& address) { return pages.page(address); });
  const int signal = listen_until_signal(server, signals, [&] {
    say(program, fmt::format("serving {} at http://{}:{}/ ; Ctrl-C ends it", workspace, kAddress, bound));
  });
  if (signal == 0) throw Error(fmt::format("{}:{}: no more connections can be taken", kAddress, bound));
  return 128 + signal;
}

}  // namespace

void add_serve(CLI::App& app, Program& program) {
  auto* verb = app.add_subcommand("serve", "Show sweeps, runs, curves, devices and logs as live pages");
  auto port = std::make_shared<int>(kUsualPort);
  verb->add_option("--port", *port,
                   fmt::format("Of 127.0.0.1; 0: any that is free (default: {})", kUsualPort))
      ->check(CLI::Range(0, 65535));
  on_call(verb, program, [&program, port] { return serve(program, *port); });
  verb->footer(
      "Example: expctl serve --port 8123, then open http://127.0.0.1:8123/. From another machine: ssh -L "
      "8123:127.0.0.1:8123 HOST");
}

}  // namespace expctl
