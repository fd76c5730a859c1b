#include "harness/laboratory.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

#include "harness/clock.h"

namespace ipcbench {
namespace {

/// The descriptor through which an experiment answers; 3 after let_go_of_descriptors().
int answer_fd = -1;

[[noreturn]] void conduct(const std::function<std::string(Bench&)>& experiment, Bench& bench,
                          pid_t laboratory) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != laboratory) ::_exit(1);
  ::signal(SIGPIPE, SIG_IGN);
  std::string answer;
  try {
    answer = experiment(bench);
  } catch (const std::exception& error) {
    answer = std::string("error: ") + error.what();
  }
  answer.resize(std::min<std::size_t>(answer.size(), 2000));
  const ssize_t written = ::write(answer_fd, answer.data(), answer.size());
  ::_exit(written < 0 ? 1 : 0);
}

}  // namespace

std::optional<std::string> in_the_lab(const std::function<std::string(Bench&)>& experiment,
                                      std::int64_t deadline_ns) {
  const Mapping memory(sizeof(Bench));
  auto& bench = *new (memory.data()) Bench{};
  int fds[2];
  check(::pipe2(fds, O_CLOEXEC), "pipe2");
  const Fd answer_end(fds[0]);
  Fd question_end(fds[1]);
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl", "PR_SET_CHILD_SUBREAPER");
  const pid_t laboratory = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) {
    answer_fd = question_end.get();
    conduct(experiment, bench, laboratory);
  }
  ::setpgid(pid, pid);
  question_end.close();
  // The experimenter's end tells that it is done, not the pipe's, which its subjects hold too.
  const Fd pidfd = open_pidfd(pid);
  pollfd waiting{pidfd.get(), POLLIN, 0};
  const bool is_done = ::poll(&waiting, 1, static_cast<int>(deadline_ns / 1'000'000)) == 1;
  ::kill(-pid, SIGKILL);
  int status = 0;
  retry([&] { return ::waitpid(pid, &status, 0); });
  while (retry([&] { return ::waitpid(-pid, nullptr, 0); }) > 0) {
  }
  if (!is_done || status != 0) return std::nullopt;
  std::array<char, 2000> text;
  const ssize_t got = ::read(answer_end.get(), text.data(), text.size());
  return std::string(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
}

pid_t fork_subject(Bench& bench, std::size_t index, const std::function<void()>& body) {
  const pid_t experimenter = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != experimenter) ::_exit(1);
  try {
    body();
  } catch (const std::exception& error) {
    std::strncpy(bench.error[index], error.what(), sizeof bench.error[index] - 1);
    if (bench.error[index][0] == '\0') bench.error[index][0] = '?';
  }
  bench.ended_ns[index].store(monotonic_ns(), std::memory_order_release);
  // It stays, so that its descriptors do: only a killed subject is gone.
  while (true) ::pause();
}

void let_go_of_descriptors() {
  constexpr int kept = 3;
  if (answer_fd != kept) {
    check(::dup3(answer_fd, kept, O_CLOEXEC), "dup3");
    answer_fd = kept;
  }
  ::close_range(kept + 1, ~0U, 0);
}

bool within(std::int64_t ns, const std::function<bool()>& question) {
  const std::int64_t deadline_ns = monotonic_ns() + ns;
  while (!question()) {
    if (monotonic_ns() > deadline_ns) return false;
    const timespec pause{0, 100'000};
    ::nanosleep(&pause, nullptr);
  }
  return true;
}

}  // namespace ipcbench
