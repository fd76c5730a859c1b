// program_under_test.h: for tests, the built program as a user runs it: in a process of its own,
// with private TMPDIR and XDG_STATE_HOME, under a deadline.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/clock.h"
#include "harness/name.h"
#include "harness/unix.h"

namespace ipcbench {

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// A directory of a test, removed at its end with all that is in it.
class Sandbox {
 public:
  Sandbox() {
    path_ = temporary_directory() + "/test-ipcbench.XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) fail("mkdtemp", path_);
    std::filesystem::create_directory(temporary());
    std::filesystem::create_directory(state());
  }
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  ~Sandbox() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

  /// A path in it.
  std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string temporary() const { return path("tmp"); }
  std::string state() const { return path("state"); }

  std::string write(std::string_view name, std::string_view text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  std::string read(std::string_view name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// What runs have left in TMPDIR.
  std::vector<std::string> leftovers() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(temporary()))
      names.push_back(entry.path().filename().string());
    return names;
  }

  /// Processes that run with this TMPDIR: the program's, with all its children.
  std::vector<pid_t> processes() const {
    const std::string variable = "TMPDIR=" + temporary();
    std::vector<pid_t> pids;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string pid = entry.path().filename().string();
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      std::ifstream file(entry.path() / "environ", std::ios::binary);
      const std::string environment{std::istreambuf_iterator<char>(file), {}};
      if (environment.find(variable) != std::string::npos) pids.push_back(std::stoi(pid));
    }
    return pids;
  }

 private:
  std::string path_;
};

struct Command {
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;
  std::function<void()> prepare;  ///< in the child, before it becomes the program
  std::string stdout_path;        ///< where stdout goes in place of the test's pipe, or ""
};

/// One execution of the program. Its destructor kills what is left of it.
class Program {
 public:
  static constexpr std::int64_t deadline_ns = 60'000'000'000;

  Program(const Sandbox& sandbox, const Command& command) {
    std::array<Fd, 2> write_ends;
    for (std::size_t i = 0; i < 2; ++i) {
      int fds[2];
      check(::pipe2(fds, O_CLOEXEC), "pipe2");
      ends_[i] = Fd(fds[0]);
      write_ends[i] = Fd(fds[1]);
    }
    // The smallest pipe there is: who doesn't read holds the program up after a page of progress.
    ::fcntl(write_ends[1].get(), F_SETPIPE_SZ, 4096);
    pid_ = check(::fork(), "fork");
    if (pid_ == 0) become(sandbox, command, write_ends[0].get(), write_ends[1].get());
    ::setpgid(pid_, pid_);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (!is_reaped_) {
      ::kill(-pid_, SIGKILL);
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void send(int signal) const { ::kill(pid_, signal); }

  /// Reads stderr, no more than is needed, until the text occurs. False at its end or deadline.
  bool wait_for(std::string_view text) {
    while (err.find(text) == std::string::npos) {
      pollfd poller{ends_[1].get(), POLLIN, 0};
      if (::poll(&poller, 1, static_cast<int>(deadline_ns / 1'000'000)) != 1) return false;
      char letter = 0;
      if (::read(ends_[1].get(), &letter, 1) != 1) return false;
      err += letter;
    }
    return true;
  }

  /// Reads stdout and stderr until every process that holds them is gone, and reaps the program.
  /// Returns its exit status, 128 + n where signal n ended it, or -1 after the deadline.
  int finish() {
    std::array<std::string*, 2> texts{&out, &err};
    const std::int64_t end_ns = monotonic_ns() + deadline_ns;
    while (ends_[0] || ends_[1]) {
      const auto left_ms = static_cast<int>((end_ns - monotonic_ns()) / 1'000'000);
      std::array<pollfd, 2> pollers{{{ends_[0].get(), POLLIN, 0}, {ends_[1].get(), POLLIN, 0}}};
      if (left_ms <= 0 || ::poll(pollers.data(), 2, left_ms) == 0) return -1;
      for (std::size_t i = 0; i < 2; ++i) {
        if (pollers[i].revents == 0) continue;
        std::array<char, 4096> buffer;
        const ssize_t got = ::read(ends_[i].get(), buffer.data(), buffer.size());
        if (got > 0) texts[i]->append(buffer.data(), static_cast<std::size_t>(got));
        if (got <= 0) ends_[i].close();
      }
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    is_reaped_ = true;
    was_killed = WIFSIGNALED(status);
    return was_killed ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

  std::string out;
  std::string err;
  bool was_killed = false;

 private:
  [[noreturn]] static void become(const Sandbox& sandbox, const Command& command, int out,
                                  int err) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);
    ::dup2(command.stdout_path.empty() ? out : ::open(command.stdout_path.c_str(), O_WRONLY),
           STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    if (command.prepare) command.prepare();

    std::map<std::string, std::string> environment{{"TMPDIR", sandbox.temporary()},
                                                   {"XDG_STATE_HOME", sandbox.state()},
                                                   {"HOME", sandbox.path("home")},
                                                   {"PATH", "/usr/bin:/bin"}};
    for (const auto& [name, value] : command.environment) environment[name] = value;
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
    std::vector<std::string> arguments{"ipcbench"};
    arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
    ::execve(IPCBENCH_PROGRAM, pointers(arguments).data(), pointers(variables).data());
    ::_exit(126);
  }

  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (std::string& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
  }

  std::array<Fd, 2> ends_;
  pid_t pid_ = -1;
  bool is_reaped_ = false;
};

/// What came of a command.
struct Finished {
  int status;
  std::string out;
  std::string err;
};

inline Finished run_program(const Sandbox& sandbox, const Command& command) {
  Program program(sandbox, command);
  const int status = program.finish();
  return {status, program.out, program.err};
}
inline Finished run_program(const Sandbox& sandbox, std::vector<std::string> arguments) {
  return run_program(sandbox, Command{std::move(arguments), {}, {}, ""});
}

}  // namespace ipcbench
