// The probers: an experiment is idle most of the time, as it waits to see that nothing happens. So
// several transports are probed at once, each by a process of its own.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "harness/driver.h"
#include "harness/modules.h"
#include "harness/probe.h"
#include "harness/results.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// After so long a module that hangs while it is loaded is given up; SIGALRM ends its prober.
constexpr unsigned loading_s = 30;

/// What a prober writes to its pipe.
std::string to_line(const Probed& one) {
  Json facts = Json::array();
  for (const Proof& proof : one.proofs)
    facts.push_back({proof.value, static_cast<int>(proof.verdict), proof.how});
  return dump({{"unavailable", one.unavailable}, {"facts", std::move(facts)}});
}

void read_line(Probed& one, const std::string& line) {
  const Json row = Json::parse(line);
  one.unavailable = row.at("unavailable");
  const std::vector<std::string_view> facts = probe_facts();
  for (const Json& fact : row.at("facts"))
    one.proofs.push_back(
        {facts.at(one.proofs.size()), fact.at(0), fact.at(1).get<Verdict>(), fact.at(2)});
}

/// A process that probes a transport and writes what it finds to a pipe.
class Prober {
 public:
  explicit Prober(Probed& one) : probed_(&one) {
    int fds[2];
    check(::pipe2(fds, O_CLOEXEC), "pipe2");
    answer_ = Fd(fds[0]);
    const Fd out(fds[1]);
    const pid_t driver = ::getpid();
    std::fflush(nullptr);
    pid_ = check(::fork(), "fork");
    if (pid_ == 0) be_prober(*one.row, driver, out.get());
  }

  Probed& probed() const { return *probed_; }
  int fd() const { return answer_.get(); }

  /// Reads what there is; false when that was all.
  bool read() {
    std::array<char, 4096> part;
    const ssize_t got = retry([&] { return ::read(answer_.get(), part.data(), part.size()); });
    if (got > 0) text_.append(part.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
  void join() {
    int status = 0;
    retry([&] { return ::waitpid(pid_, &status, 0); });
    if (status == 0 && !text_.empty()) {
      read_line(*probed_, text_);
    } else {
      const std::string why = fmt::format("its prober ended with status {}", status);
      for (const std::string_view fact : probe_facts())
        probed_->proofs.push_back({fact, "?", Verdict::contradicted, why});
    }
    probed_->is_done = true;
  }
  void kill() const { ::kill(pid_, SIGKILL); }

 private:
  [[noreturn]] static void be_prober(const Row& row, pid_t driver, int out) {
    std::string line;
    try {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != driver) ::_exit(1);
      ::alarm(loading_s);
      const Row& real = loaded(row);
      Probed one{.row = &real, .unavailable = real.unavailable()};
      ::alarm(0);
      const RunDirectory directory;
      if (one.unavailable.empty()) one.proofs = probe(row, directory);
      line = to_line(one);
    } catch (const std::exception& error) {
      fmt::print(stderr, "ipcbench: {}: {}\n", row.facts.name, printable(error.what(), 400));
      ::_exit(1);
    }
    for (std::string_view rest = line; !rest.empty();) {
      const ssize_t written = retry([&] { return ::write(out, rest.data(), rest.size()); });
      if (written <= 0) ::_exit(1);
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
    ::_exit(0);
  }

  Probed* probed_;
  pid_t pid_ = -1;
  Fd answer_;
  std::string text_;
};

/// Whether two transports may not be probed at once: some fill what a user has in all of messages
/// (RLIMIT_MSGQUEUE) or of signals (RLIMIT_SIGPENDING).
bool are_in_each_others_way(const Row& one, const Row& other) {
  return one.facts.family == other.facts.family &&
         (one.facts.family == Family::queue || one.facts.family == Family::signal);
}

/// Shows where it is, on a terminal.
void show_progress(std::size_t done, std::size_t of, const Row* at) {
  if (::isatty(STDERR_FILENO) != 1) return;
  fmt::print(stderr, "\r\033[K");
  if (at != nullptr) fmt::print(stderr, "[{}/{}] {}", done, of, at->facts.name);
}

/// Starts as many as there is room for.
void start(std::vector<Prober>& probers, std::vector<Probed*>& waiting) {
  const std::size_t most = std::max<std::size_t>(4, 2 * std::thread::hardware_concurrency());
  for (auto next = waiting.begin(); next != waiting.end() && probers.size() < most;) {
    const bool must_wait = std::any_of(probers.begin(), probers.end(), [&](const Prober& other) {
      return are_in_each_others_way(*(*next)->row, *other.probed().row);
    });
    if (!must_wait) probers.emplace_back(**next);
    next = must_wait ? next + 1 : waiting.erase(next);
  }
}

/// Waits until some have said something or an interrupt has arrived; takes out those that are done.
void attend(std::vector<Prober>& probers, const Interrupts& interrupts) {
  std::vector<pollfd> fds{{interrupts.fd(), POLLIN, 0}};
  for (const Prober& prober : probers) fds.push_back({prober.fd(), POLLIN, 0});
  check(retry([&] { return ::poll(fds.data(), fds.size(), -1); }), "poll");
  for (std::size_t i = fds.size(); --i != 0;) {
    if (fds[i].revents == 0 || probers[i - 1].read()) continue;
    probers[i - 1].join();
    probers.erase(probers.begin() + static_cast<std::ptrdiff_t>(i - 1));
  }
}

}  // namespace

ProbeResult probe_all(const std::vector<const Row*>& rows,
                      const std::function<void(const Probed&)>& show) {
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl", "PR_SET_CHILD_SUBREAPER");
  Interrupts interrupts;
  ProbeResult result;
  for (const Row* row : rows) result.all.push_back({.row = row});
  std::vector<Prober> probers;
  std::vector<Probed*> waiting;
  for (Probed& one : result.all) waiting.push_back(&one);
  for (std::size_t shown = 0; shown < rows.size() && interrupts.arrived() == 0;) {
    start(probers, waiting);
    show_progress(rows.size() - waiting.size() - probers.size(), rows.size(),
                  probers.front().probed().row);
    attend(probers, interrupts);
    show_progress(0, 0, nullptr);
    for (; shown < rows.size() && result.all[shown].is_done; ++shown) show(result.all[shown]);
  }
  for (const Prober& prober : probers) prober.kill();
  while (!probers.empty() && retry([] { return ::waitpid(-1, nullptr, 0); }) > 0) {
    // Their experiments die with them.
  }
  result.signal = interrupts.arrived();
  return result;
}

}  // namespace ipcbench
