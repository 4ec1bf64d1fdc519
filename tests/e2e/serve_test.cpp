// `expctl serve`, asked by curl.
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <regex>

#include "core/text.h"
#include "tests/e2e/command_sweep.h"

using namespace expctl;
using namespace expctl::test;
using Catch::Matchers::Contains;

namespace {

/// `expctl serve` on a free port.
class Server {
 public:
  explicit Server(const TempDir& folder) : log_(folder / "serve.log") {
    std::filesystem::remove(log_);  // another one's, which has ended
    pid_ = ::fork();
    if (pid_ == 0) start(folder);
    REQUIRE(wait_until(10, [&] { return said().find('\n') != std::string::npos; }));
    std::smatch found;
    const std::string text = said();
    INFO(text);
    REQUIRE(
        std::regex_search(text, found, std::regex("at (http://127\\.0\\.0\\.1:([0-9]+))/ ; Ctrl-C ends it")));
    address_ = found[1];
    port_ = found[2];
  }
  ~Server() {
    if (pid_ > 0) end(SIGKILL);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  const std::string& port() const { return port_; }
  std::string said() const { return std::filesystem::exists(log_) ? read_file(log_) : ""; }

  /// Its exit code, 128 + signal where the signal itself has ended it.
  int end(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  /// The answer's headers and body.
  std::string get(const std::string& path, const std::vector<std::string>& options = {}) const {
    std::vector<std::string> argv = {"curl",      "-s", "-i",         "--path-as-is",
                                     "--noproxy", "*",  "--max-time", "10"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back(address_ + path);
    return run_program(argv).out;
  }
  std::string status(const std::string& path, const std::vector<std::string>& options = {}) const {
    const std::string answer = get(path, options);
    return answer.substr(0, answer.find("\r\n"));
  }

 private:
  [[noreturn]] void start(const TempDir& folder) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (std::freopen(log_.c_str(), "w", stderr) == nullptr) ::_exit(126);
    const std::string program = (bin_dir() / "expctl").string(), workspace = (folder / "runs").string();
    ::execl(program.c_str(), "expctl", "--workspace", workspace.c_str(), "serve", "--port", "0", nullptr);
    ::_exit(127);
  }

  std::filesystem::path log_;
  pid_t pid_ = 0;
  std::string address_, port_;
};

/// One scored run, whose log and parameter hold a script, and one that has failed.
void make_runs(const TempDir& folder) {
  write_sweep(
      folder,
      R"("echo '<script>alert(1)</script>'; echo '{\"q1\": \"blue\"}' > predictions.json", "exit 3")");
  sweep(folder, 4);
}

constexpr const char* kOk = "HTTP/1.1 200 OK";

}  // namespace

TEST_CASE("serve: pages of a workspace, escaped, to this machine and to look only", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  Server server(folder);
  for (const char* path : {"/", "/runs", "/runs?state=failed", "/sweeps/sweep1", "/runs/run1", "/runs/run2",
                           "/runs/run1/log", "/devices", "/style.css", "/live.js"}) {
    INFO(path);
    const std::string answer = server.get(path);
    CHECK_THAT(answer, Catch::StartsWith(kOk));
    CHECK_THAT(answer, Contains("Content-Security-Policy: default-src 'none'") &&
                           Contains("X-Content-Type-Options: nosniff") &&
                           Contains("Cache-Control: no-store"));
    CHECK_THAT(answer, !Contains("<script>alert(1)"));
  }
  CHECK_THAT(server.get("/"), Contains("100.000") && Contains("sweep1"));
  CHECK_THAT(server.get("/runs/run1"), Contains("&lt;script&gt;alert(1)"));
  CHECK_THAT(server.get("/runs/run1/log"), Contains("&lt;script&gt;alert(1)"));
  CHECK_THAT(server.get("/runs/run2"), Contains("exit_code"));
  CHECK(server.status("/", {"-I"}) == kOk);
  for (const char* path :
       {"/..", "/../registry.db", "/runs/../registry.db", "/runs/run9", "/sweeps/sweep9", "/x"})
    CHECK(server.status(path) == "HTTP/1.1 404 Not Found");
  CHECK(server.status("/", {"-H", "Host: evil.example"}) == "HTTP/1.1 403 Forbidden");
  CHECK(server.status("/", {"-H", "Host: localhost:" + server.port()}) == kOk);
  for (const char* method : {"POST", "PUT", "DELETE"})
    CHECK(server.status("/runs/run1", {"-X", method, "-d", "x=1"}) == "HTTP/1.1 405 Method Not Allowed");
}

TEST_CASE("serve: many clients at once, and one that says nothing", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  const Server server(folder);
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::stoi(server.port())));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(silent, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const auto answers = run_program({"curl", "-s", "-Z", "--parallel-immediate", "--noproxy", "*",
                                    "--max-time", "20", "-o", "/dev/null", "-w", "%{http_code}\n",
                                    "http://127.0.0.1:" + server.port() + "/runs?page=[1-40]"});
  const auto lines = split(answers.out, '\n');
  CHECK(std::count(lines.begin(), lines.end(), "200") == 40);
  ::close(silent);
}

TEST_CASE("serve: ends as told, and a port has one server", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  Server server(folder);
  const auto second = run_program({(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(),
                                   "serve", "--port", server.port()});
  CHECK(second.exit_code == 1);
  CHECK_THAT(second.err,
             Contains("127.0.0.1:" + server.port() + " cannot be listened on: Address already in use") &&
                 Contains("--port 0"));
  CHECK(server.status("/") == kOk);
  CHECK(server.end(SIGINT) == 130);
  Server again(folder);
  CHECK(again.end(SIGTERM) == 143);
}

TEST_CASE("serve: without a workspace it says so", "[e2e]") {
  const TempDir folder;
  const auto result = run_program(
      {(bin_dir() / "expctl").string(), "--workspace", (folder / "runs").string(), "serve", "--port", "0"});
  CHECK(result.exit_code == 3);
  CHECK_THAT(result.err, Contains("there is no registry"));
}

TEST_CASE("serve: follows a sweep at work, whose registry and folders it leaves alone", "[e2e]") {
  const TempDir folder;
  write_sweep(folder, R"("while [ ! -e ../../go ]; do sleep 0.05; done; echo 'now over'")");
  const pid_t scheduler = start_sweep(folder);
  Server server(folder);
  CHECK(wait_until(10, [&] { return server.get("/").find("Running now") != std::string::npos; }));
  CHECK_THAT(server.get("/devices"), Contains("href=\"/runs/run1\""));
  CHECK_THAT(server.get("/runs/run1"), Contains("class=\"state running\""));
  write_file(folder / "go", "");
  int status = 0;
  ::waitpid(scheduler, &status, 0);
  CHECK(WEXITSTATUS(status) == 0);
  CHECK_THAT(server.get("/runs/run1"), Contains("class=\"state succeeded\"") && Contains("now over"));
  CHECK_THAT(server.get("/"), !Contains("Running now"));
  const std::string before = read_file(folder / "runs/registry.db");
  for (const char* path : {"/", "/sweeps/sweep1", "/runs/run1", "/devices"})
    CHECK(server.status(path) == kOk);
  CHECK(read_file(folder / "runs/registry.db") == before);
}

TEST_CASE("serve: a registry that is lost or damaged is said on the page, and the server lives on", "[e2e]") {
  const TempDir folder;
  make_runs(folder);
  Server server(folder);
  for (const auto& file : find_files(folder / "runs", "registry.db*")) std::filesystem::remove(file);
  CHECK(server.status("/") == "HTTP/1.1 500 Internal Server Error");
  write_file(folder / "runs/registry.db",
             "no database, and long enough to be looked at as one of SQLite's, surely");
  CHECK_THAT(server.get("/"), Contains("500") && Contains("is damaged or no registry"));
}
