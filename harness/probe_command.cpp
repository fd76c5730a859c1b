// ipcbench probe: the facts of transports, proved on this kernel, as text, Markdown or JSON.
//
// An experiment is idle most of the time: it waits to see that nothing happens. So several
// transports are probed at once, each by a process of its own, the prober.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "harness/commands.h"
#include "harness/driver.h"
#include "harness/probe.h"
#include "harness/results.h"
#include "harness/table.h"
#include "harness/text.h"

namespace ipcbench {
namespace {

/// A transport, and what its prober says of it.
struct Probed {
  const Row* row = nullptr;
  bool is_done = false;
  std::string unavailable = {};
  std::vector<Proof> proofs = {};  ///< none where it is unavailable
};

std::string_view mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::proved:
      return "✓";
    case Verdict::contradicted:
      return "✗";
    case Verdict::untestable:
      return "·";
  }
  return "?";
}

std::string kernel_text() {
  utsname name{};
  check(::uname(&name), "uname");
  return fmt::format("{} {}", name.sysname, name.release);
}

std::vector<Probed> rows_of(const std::vector<std::string>& patterns) {
  std::vector<Probed> rows;
  for (const std::string& pattern : patterns.empty() ? std::vector<std::string>{"*"} : patterns)
    for (const Row* row : match_rows(pattern)) {
      const auto is_it = [&](const Probed& one) { return one.row == row; };
      if (!row->links.empty() && std::none_of(rows.begin(), rows.end(), is_it))
        rows.push_back({.row = row});
    }
  return rows;
}

Json to_json(const Probed& one) {
  Json row{{"transport", one.row->facts.name},
           {"unavailable", one.unavailable.empty() ? Json(nullptr) : Json(one.unavailable)},
           {"facts", Json::array()}};
  for (const Proof& proof : one.proofs)
    row["facts"].push_back({{"fact", proof.fact},
                            {"value", proof.value},
                            {"verdict", text(proof.verdict)},
                            {"how", proof.how}});
  return row;
}

/// What to_json() wrote, back again.
void read_json(Probed& one, const std::string& line) {
  const Json row = Json::parse(line);
  if (!row.at("unavailable").is_null()) one.unavailable = row.at("unavailable");
  const std::vector<std::string_view> facts = probe_facts();
  for (const Json& fact : row.at("facts")) {
    Verdict verdict = Verdict::untestable;
    for (const Verdict candidate : {Verdict::proved, Verdict::contradicted})
      if (fact.at("verdict") == text(candidate)) verdict = candidate;
    one.proofs.push_back({facts.at(one.proofs.size()), fact.at("value"), verdict, fact.at("how")});
  }
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
    std::fflush(stdout);
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
      read_json(*probed_, text_);
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
      Probed one{.row = &row, .unavailable = row.unavailable()};
      const RunDirectory directory;
      if (one.unavailable.empty()) one.proofs = probe(row, directory);
      line = dump(to_json(one));
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

/// Probes them all, several at once, and shows each as soon as those before it are shown. Returns
/// the signal that interrupted it, or 0.
int probe_all(std::vector<Probed>& all, const std::function<void(const Probed&)>& show) {
  const std::size_t most = 2 * std::max(1U, std::thread::hardware_concurrency());
  const bool shows_progress = ::isatty(STDERR_FILENO) == 1;
  check(::prctl(PR_SET_CHILD_SUBREAPER, 1), "prctl", "PR_SET_CHILD_SUBREAPER");
  Interrupts interrupts;
  std::vector<Prober> probers;
  std::vector<Probed*> waiting;
  for (Probed& one : all) waiting.push_back(&one);
  std::size_t shown = 0;
  while (shown < all.size() && interrupts.arrived() == 0) {
    for (auto next = waiting.begin(); next != waiting.end() && probers.size() < most;) {
      const bool must_wait = std::any_of(probers.begin(), probers.end(), [&](const Prober& other) {
        return are_in_each_others_way(*(*next)->row, *other.probed().row);
      });
      if (!must_wait) probers.emplace_back(**next);
      next = must_wait ? next + 1 : waiting.erase(next);
    }
    if (shows_progress)
      fmt::print(stderr, "\r\033[K[{}/{}] {}", all.size() - waiting.size() - probers.size(),
                 all.size(), probers.front().probed().row->facts.name);
    std::vector<pollfd> fds{{interrupts.fd(), POLLIN, 0}};
    for (const Prober& prober : probers) fds.push_back({prober.fd(), POLLIN, 0});
    check(retry([&] { return ::poll(fds.data(), fds.size(), -1); }), "poll");
    for (std::size_t i = fds.size(); --i != 0;) {
      if (fds[i].revents == 0 || probers[i - 1].read()) continue;
      probers[i - 1].join();
      probers.erase(probers.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    if (shows_progress) fmt::print(stderr, "\r\033[K");
    for (; shown < all.size() && all[shown].is_done; ++shown) show(all[shown]);
  }
  for (const Prober& prober : probers) prober.kill();
  while (retry([] { return ::waitpid(-1, nullptr, 0); }) > 0) {  // and their experiments'
  }
  return interrupts.arrived();
}

/// A block for each transport, with a line for each fact and how it was found.
std::string as_text(const Probed& one) {
  std::string lines = fmt::format("{}: {}\n", one.row->facts.name, one.row->facts.summary);
  if (!one.unavailable.empty()) return lines + fmt::format("  not here: {}\n", one.unavailable);
  for (const Proof& proof : one.proofs)
    lines += fmt::format("  {} {:<15} {}  ({})\n", mark(proof.verdict), proof.fact, proof.value,
                         proof.verdict == Verdict::proved
                             ? proof.how
                             : fmt::format("{}: {}", text(proof.verdict), proof.how));
  return lines;
}

/// "17 facts proved, none contradicted, 3 not testable here; 1 transport isn't here"
std::string count_text(const std::vector<Probed>& all) {
  std::array<std::size_t, 3> count{};
  std::size_t missing = 0;
  for (const Probed& one : all) {
    for (const Proof& proof : one.proofs) ++count.at(static_cast<std::size_t>(proof.verdict));
    if (!one.unavailable.empty()) ++missing;
  }
  return fmt::format(
      "{} transports: {} facts proved, {} contradicted, {} not testable here; {} not here",
      all.size(), count[0], count[1], count[2], missing);
}

/// One table: a row for each transport, a column for each fact.
std::string as_markdown(const std::vector<Probed>& all) {
  Table table{.title = fmt::format("What the mechanisms do, by experiment on {}", kernel_text()),
              .columns = {"transport"},
              .rows = {}};
  for (const std::string_view fact : probe_facts()) table.columns.emplace_back(fact);
  for (const Probed& one : all) {
    std::vector<std::string> row{std::string(one.row->facts.name)};
    for (const Proof& proof : one.proofs)
      row.push_back(fmt::format("{} {}", mark(proof.verdict), printable(proof.value)));
    if (one.proofs.empty())
      row.resize(table.columns.size(), fmt::format("not here: {}", printable(one.unavailable)));
    table.rows.push_back(std::move(row));
  }
  return fmt::format("{}\n✓ proved, ✗ contradicted, · not testable here. {}.\n",
                     render_markdown(table), count_text(all));
}

std::string as_json(const std::vector<Probed>& all) {
  Json rows = Json::array();
  for (const Probed& one : all) rows.push_back(to_json(one));
  return dump(
      {{"schema", "ipcbench-probe/1"}, {"kernel", kernel_text()}, {"transports", std::move(rows)}},
      2);
}

}  // namespace

int probe_command(const std::vector<std::string>& transports, const std::string& format) {
  if (format != "text" && format != "md" && format != "json")
    throw UsageError(fmt::format("--format '{}': expected text, md or json", printable(format)));
  std::vector<Probed> all = rows_of(transports);
  if (all.empty())
    throw UsageError("probe: a roofline is no mechanism between processes; expected another one");
  sweep();
  const int signal = probe_all(all, [&](const Probed& one) {
    if (format != "text") return;
    fmt::print("{}{}", &one == &all.front() ? "" : "\n", as_text(one));
    std::fflush(stdout);
  });
  if (signal != 0) {
    sweep();
    fmt::print(stderr, "ipcbench: interrupted by {}\n", signal_text(signal));
    return 128 + signal;
  }
  if (format == "text") fmt::print("\n{}\n", count_text(all));
  if (format == "md") fmt::print("{}", as_markdown(all));
  if (format == "json") fmt::print("{}\n", as_json(all));
  const auto is_contradicted = [](const Proof& proof) {
    return proof.verdict == Verdict::contradicted;
  };
  if (std::none_of(all.begin(), all.end(), [&](const Probed& one) {
        return std::any_of(one.proofs.begin(), one.proofs.end(), is_contradicted);
      }))
    return exit_ok;
  fmt::print(stderr, "ipcbench: a fact that a transport claims was contradicted (✗)\n");
  return exit_failed;
}

}  // namespace ipcbench
