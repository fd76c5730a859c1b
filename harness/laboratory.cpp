#include "harness/laboratory.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <sstream>

#include <fmt/format.h>

#include "harness/clock.h"

namespace ipcbench {
namespace {

constexpr std::int64_t experiment_ms = 40'000;
constexpr std::int64_t question_ns = 20'000'000'000;  // however busy the machine is

/// The descriptor through which an experiment answers; 3 after let_go_of_descriptors().
int answer_fd = -1;

/// What the first letter of an answer says.
enum class Kind : char { answer = 'a', undecided = 'u', scarce = 's', error = 'e' };

/// Whether an error says that the machine, or the user, has no room left, whatever is tried.
bool is_scarcity(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOSPC;
}

[[noreturn]] void conduct(const std::function<std::string(Bench&)>& experiment, Bench& bench,
                          pid_t laboratory) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != laboratory) ::_exit(1);
  ::signal(SIGPIPE, SIG_IGN);
  // The C library writes there when it ends a subject: what it says isn't the user's business.
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nowhere, STDERR_FILENO);
  ::close(nowhere);
  Kind kind = Kind::answer;
  std::string answer;
  try {
    answer = experiment(bench);
  } catch (const Undecided& undecided) {
    kind = Kind::undecided;
    answer = undecided.what();
  } catch (const std::system_error& error) {
    kind = is_scarcity(error.code().value()) ? Kind::scarce : Kind::error;
    answer = error.what();
  } catch (const std::exception& error) {
    kind = Kind::error;
    answer = error.what();
  }
  answer.insert(answer.begin(), static_cast<char>(kind));
  answer.resize(std::min<std::size_t>(answer.size(), 2000));
  const ssize_t written = ::write(answer_fd, answer.data(), answer.size());
  ::_exit(written < 0 ? 1 : 0);
}

/// What a process has used and waited for, up to now. Gone: it has neither.
struct Look {
  bool is_gone = false;
  bool is_asleep = false;
  bool is_in_kernel = false;   ///< it waits there, and no signal but SIGKILL ends that
  std::int64_t used_ns = 0;    ///< of a processor
  std::int64_t queued_ns = 0;  ///< for a processor, as of when it last had one
};

/// Adds a thread to the look at its process.
void look_at_thread(Look& look, const std::string& directory) {
  const std::string status = read_text(directory + "/stat");
  const std::size_t name_end = status.rfind(')');
  const char state =
      name_end == std::string::npos || name_end + 2 >= status.size() ? 'X' : status[name_end + 2];
  look.is_gone &= state == 'Z' || state == 'X';
  look.is_asleep &= state == 'S';
  look.is_in_kernel |= state == 'D';
  std::int64_t used_ns = 0;
  std::int64_t queued_ns = 0;
  std::istringstream(read_text(directory + "/schedstat")) >> used_ns >> queued_ns;
  look.used_ns += used_ns;
  look.queued_ns += queued_ns;
}

/// All threads of a process: those of a library may be busy while its caller sleeps.
Look look_at(pid_t pid) {
  if (pid == 0) return {.is_gone = true};
  Look look{.is_gone = true, .is_asleep = true};
  std::error_code error;
  for (const auto& thread :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), error))
    look_at_thread(look, thread.path());
  return look;
}

/// Everything that subjects do is to be seen in this.
std::uint64_t progress(const Bench& bench) {
  std::uint64_t sum = bench.open;
  for (std::size_t place = 0; place < Bench::places; ++place)
    sum += bench.count[place] + bench.step[place] + (bench.ended_ns[place] == 0 ? 0U : 1U);
  return sum;
}

/// For how long the subjects have stood still.
class Stillness {
 public:
  explicit Stillness(const Bench& bench) : bench_(bench) { begin(); }

  bool has_lasted(std::int64_t quiet_ns) {
    if (progress(bench_) != progress_) begin();
    for (std::size_t place = 0; place < Bench::places; ++place)
      if (!is_still(looks_[place], look_at(bench_.pid[place]), quiet_ns)) return false;
    return true;
  }

 private:
  void begin() {
    progress_ = progress(bench_);
    since_ns_ = monotonic_ns();
    for (std::size_t place = 0; place < Bench::places; ++place)
      looks_[place] = look_at(bench_.pid[place]);
  }
  /// It slept, or did nothing with the processor that it had.
  bool is_still(const Look& then, const Look& now, std::int64_t quiet_ns) const {
    const std::int64_t enough_ns = quiet_ns / 3;
    if (now.is_gone) return true;
    const std::int64_t passed_ns = monotonic_ns() - since_ns_;
    if (passed_ns < quiet_ns) return false;
    if (now.used_ns - then.used_ns >= enough_ns) return true;
    const std::int64_t waited_ns = passed_ns - (now.queued_ns - then.queued_ns);
    // In the kernel it may wait for a device, or for a program that is being started.
    if (now.is_in_kernel) return waited_ns >= 10 * quiet_ns;
    return now.is_asleep && waited_ns >= quiet_ns;
  }

  const Bench& bench_;
  std::uint64_t progress_ = 0;
  std::int64_t since_ns_ = 0;
  std::array<Look, Bench::places> looks_;
};

void note(char* text, std::size_t size, std::string_view what) {
  text[what.copy(text, size - 1)] = '\0';
}

void note_error(Bench& bench, std::size_t place, std::string_view sign, std::string_view what) {
  note(bench.sign[place], sizeof bench.sign[place], sign);
  note(bench.error[place], sizeof bench.error[place], what.empty() ? sign : what);
}

/// Notes which subjects were ended by a signal: the C library, or the kernel, does that too.
void note_deaths(Bench& bench) {
  for (std::size_t place = 0; place < Bench::places; ++place) {
    const pid_t pid = bench.pid[place];
    int status = 0;
    if (pid == 0 || ::waitpid(pid, &status, WNOHANG) != pid) continue;
    const char* name = WIFSIGNALED(status) ? ::sigabbrev_np(WTERMSIG(status)) : nullptr;
    note_error(bench, place, name == nullptr ? "ended" : fmt::format("SIG{}", name),
               WIFSIGNALED(status) ? signal_text(WTERMSIG(status)) : "it ended");
    bench.pid[place] = 0;
    bench.ended_ns[place].store(monotonic_ns(), std::memory_order_release);
  }
}

}  // namespace

std::string in_the_lab(const std::function<std::string(Bench&)>& experiment) {
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
  const bool is_done = retry([&] { return ::poll(&waiting, 1, experiment_ms); }) == 1;
  ::kill(-pid, SIGKILL);
  int status = 0;
  retry([&] { return ::waitpid(pid, &status, 0); });
  while (retry([&] { return ::waitpid(-pid, nullptr, 0); }) > 0) {
  }
  if (!is_done) throw Undecided(fmt::format("not done after {} s", experiment_ms / 1000));
  if (status != 0)
    throw std::runtime_error(fmt::format("the experiment ended with status {}", status));
  std::array<char, 2000> text;
  const ssize_t got = ::read(answer_end.get(), text.data(), text.size());
  const std::string answer(text.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  const Kind kind = answer.empty() ? Kind::error : static_cast<Kind>(answer[0]);
  const std::string words = answer.empty() ? "no answer" : answer.substr(1);
  if (kind == Kind::undecided) throw Undecided(words);
  if (kind == Kind::scarce) throw Scarce(words);
  if (kind == Kind::error) throw std::runtime_error(words);
  return words;
}

void fork_subject(Bench& bench, std::size_t place, const std::function<void()>& body) {
  const pid_t experimenter = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid != 0) {
    bench.pid.at(place) = pid;
    return;
  }
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != experimenter) ::_exit(1);
  try {
    body();
  } catch (const std::system_error& error) {
    const char* name = ::strerrorname_np(error.code().value());
    note_error(bench, place, name == nullptr ? "error" : name, error.what());
  } catch (const LinkClosed& closed) {
    note_error(bench, place, "EOF", closed.what());
  } catch (const std::exception& error) {
    note_error(bench, place, "an error", error.what());
  }
  bench.ended_ns[place].store(monotonic_ns(), std::memory_order_release);
  // It stays, so that its descriptors do: only a killed subject is gone.
  while (true) ::pause();
}

void kill_subject(Bench& bench, std::size_t place) {
  const pid_t pid = bench.pid.at(place).exchange(0);
  check(::kill(pid, SIGKILL), "kill");
  retry([&] { return ::waitpid(pid, nullptr, 0); });
}

void let_go_of_descriptors() {
  constexpr int kept = 3;
  if (answer_fd != kept) {
    check(::dup3(answer_fd, kept, O_CLOEXEC), "dup3");
    answer_fd = kept;
  }
  ::close_range(kept + 1, ~0U, 0);
}

bool happens(Bench& bench, const std::function<bool()>& question, std::int64_t quiet_ns) {
  const std::int64_t begin_ns = monotonic_ns();
  Stillness stillness(bench);
  for (int round = 1;; ++round) {
    if (question()) return true;
    note_deaths(bench);
    if (round % 20 == 0 && stillness.has_lasted(quiet_ns)) return question();
    if (monotonic_ns() - begin_ns > question_ns)
      throw Undecided(fmt::format("still going on after {} s", question_ns / 1'000'000'000));
    const timespec pause{0, 200'000};
    ::nanosleep(&pause, nullptr);
  }
}

void await(const std::function<bool()>& question) {
  const timespec pause{0, 100'000};
  while (!question()) ::nanosleep(&pause, nullptr);
}

}  // namespace ipcbench
