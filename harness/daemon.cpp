#include "harness/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/clock.h"
#include "harness/unix.h"

namespace ipcbench {
namespace {

constexpr std::size_t log_end_size = 160;  ///< of what a failure's reason has room for
constexpr int grace_ms = 500;              ///< to end when asked to

/// Those of this process, which are looked at where a run has failed.
std::set<Daemon*>& living() {
  static std::set<Daemon*> daemons;
  return daemons;
}

[[noreturn]] void become(const std::vector<std::string>& command, const std::string& log,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // outlives the exec
  if (::getppid() != parent) ::_exit(1);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const std::string why = fmt::format("{}\n", ::strerror(errno));
  const bool is_told = ::write(STDERR_FILENO, why.data(), why.size()) > 0;
  ::_exit(is_told ? 127 : 126);
}

}  // namespace

Daemon::Daemon(const RunDirectory& directory, std::vector<std::string> command,
               const std::function<bool()>& is_ready, std::int64_t patience)
    : program_(command.at(0)), log_(directory, NameKind::path), owner_(::getpid()) {
  pid_ = check(::fork(), "fork");
  if (pid_ == 0) become(command, log_.text(), owner_);
  const std::int64_t deadline_ns = monotonic_ns() + patience;
  while (!is_ready()) {
    std::string why;
    if (has_ended())
      why = how_it_ended();
    else if (monotonic_ns() > deadline_ns)
      why = fmt::format("{} wasn't ready after {:.3g} s", program_,
                        static_cast<double>(patience) / 1e9);
    if (!why.empty()) {
      end();
      throw std::runtime_error(why + log_end());
    }
    ::poll(nullptr, 0, 1);
  }
  living().insert(this);
}

Daemon::~Daemon() {
  if (::getpid() != owner_) return;
  living().erase(this);
  end();
}

/// Reaps it if it is over.
bool Daemon::has_ended() {
  if (pid_ > 0 && retry([&] { return ::waitpid(pid_, &status_, WNOHANG); }) == pid_) pid_ = -1;
  return pid_ <= 0;
}

void Daemon::end() {
  if (has_ended()) return;
  ::kill(pid_, SIGTERM);
  for (int left_ms = grace_ms; left_ms > 0 && !has_ended(); --left_ms) ::poll(nullptr, 0, 1);
  if (has_ended()) return;
  ::kill(pid_, SIGKILL);
  retry([&] { return ::waitpid(pid_, &status_, 0); });
  pid_ = -1;
}

std::string Daemon::how_it_ended() const {
  if (WIFSIGNALED(status_))
    return fmt::format("{} was ended by {}", program_, signal_text(WTERMSIG(status_)));
  return fmt::format("{} has exited with {}", program_, WEXITSTATUS(status_));
}

/// ": its log ends: …", in one line.
std::string Daemon::log_end() const {
  std::string text = read_text(log_.text());
  if (text.empty()) return "";
  if (text.size() > log_end_size) text = "…" + text.substr(text.size() - log_end_size);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return fmt::format("; its log ends: {}", text);
}

std::vector<Fd> Daemon::watch() {
  std::vector<Fd> pidfds;
  for (const Daemon* daemon : living())
    if (daemon->owner_ == ::getpid() && daemon->pid_ > 0)
      pidfds.push_back(open_pidfd(daemon->pid_));
  return pidfds;
}

std::int64_t Daemon::cpu_ns() {
  std::int64_t sum_ns = 0;
  for (const Daemon* daemon : living()) {
    clockid_t clock;
    if (daemon->pid_ > 0 && ::clock_getcpuclockid(daemon->pid_, &clock) == 0)  // it hasn't ended
      sum_ns += clock_ns(clock);
  }
  return sum_ns;
}

std::string Daemon::obituary() {
  std::string all;
  for (Daemon* daemon : living())
    if (daemon->has_ended())
      all += (all.empty() ? "" : "; ") + daemon->how_it_ended() + daemon->log_end();
  return all;
}

std::string Daemon::why_missing(const std::string& program, const std::string& package) {
  const char* const path = ::getenv("PATH");
  std::string rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string directory = rest.substr(0, rest.find(':'));
    if (::access((directory + "/" + program).c_str(), X_OK) == 0) return "";
    rest.erase(0, directory.size() + 1);
  }
  return fmt::format("no {} in PATH: install {}", program, package);
}

bool is_listening(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    throw std::runtime_error(
        fmt::format("{}: a socket's path has at most 107 bytes; choose a shorter TMPDIR", path));
  path.copy(address.sun_path, path.size());
  const Fd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace ipcbench
