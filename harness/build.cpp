#include "harness/build.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "harness/clock.h"
#include "harness/text.h"
#include "harness/tool.h"
#include "harness/unix.h"

namespace ipcbench {
namespace {

namespace fs = std::filesystem;

constexpr double plan_deadline_s = 60;
constexpr double start_deadline_s = 60;   ///< for what a run takes beside its own deadline
constexpr std::int64_t grace_ms = 2'000;  ///< to end what it has begun, when it is asked to

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// The caller's environment without its flags for ipcbench, which stand on the command line.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    if (!text.starts_with("IPCBENCH_") &&
        !more.contains(std::string(text.substr(0, text.find('=')))))
      variables.emplace_back(text);
  }
  for (const auto& [name, value] : more) variables.push_back(name + "=" + value);
  return variables;
}

/// The last line of what a program complained of.
std::string complaint(const std::string& err) {
  std::string_view text = err;
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t line = text.rfind('\n');
  if (line != std::string_view::npos) text.remove_prefix(line + 1);
  return text.empty() ? "it said nothing" : printable(text, 300);
}

std::string what_came_of(const Build::Output& output, double deadline_s) {
  if (output.is_late) return fmt::format("hangs: not done after {:.0f} s", deadline_s);
  if (output.status == 127) return "can't be executed";
  if (output.status > 128)
    return fmt::format("was killed by {}: {}", signal_text(output.status - 128),
                       complaint(output.err));
  return fmt::format("ended with status {}: {}", output.status, complaint(output.err));
}

/// A key as a regular expression that matches it alone.
std::string exactly(const std::string& key) {
  std::string pattern = "^";
  for (const char c : key) {
    if (std::string_view(".[]{}()*+?^$|\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern + "$";
}

std::string ns(std::int64_t time_ns) {
  return fmt::format("{}ns", time_ns);
}

}  // namespace

std::string own_path() {
  return fs::read_symlink("/proc/self/exe").string();
}

Build::Build(std::string name, const std::string& path, const RunDirectory& directory,
             Interrupts& interrupts)
    : name_(std::move(name)),
      path_(fs::absolute(path).string()),
      words_{path_},
      directory_(directory),
      interrupts_(interrupts) {
  std::error_code error;
  if (!fs::exists(path_, error))
    throw UsageError(fmt::format("{}: {}: there is no such program; expected a build of ipcbench",
                                 name_, printable(path)));
  if (fs::path(path_).extension() == ".so") {
    words_ = {own_path(), "--plugin", path_};
    return;
  }
  if (!fs::is_regular_file(path_, error) || ::access(path_.c_str(), X_OK) != 0)
    throw UsageError(fmt::format("{}: {}: can't be executed; expected a build of ipcbench", name_,
                                 printable(path)));
}

/// A command that has been started. Its destructor ends what is left of it.
class Build::Child {
 public:
  Child(const Build& build, const std::vector<std::string>& arguments,
        const std::map<std::string, std::string>& environment);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }

  /// Waits for its end, or so many seconds. Throws Interrupted.
  Output finish(double deadline_s);

 private:
  bool wait_until(std::int64_t end_ns, bool heeds_interrupts);
  int end();

  Interrupts& interrupts_;
  Fd out_ = memory_file("stdout");
  Fd err_ = memory_file("stderr");
  pid_t pid_ = -1;
  Fd pidfd_;
};

Build::Child::Child(const Build& build, const std::vector<std::string>& arguments,
                    const std::map<std::string, std::string>& environment)
    : interrupts_(build.interrupts_) {
  if (interrupts_.arrived() != 0) throw Interrupted{};
  std::vector<std::string> words = build.words_;
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::map<std::string, std::string> more = environment;
  more["XDG_STATE_HOME"] = build.directory_.path();  // its journals are nobody's
  std::vector<std::string> variables = environment_with(more);
  const std::vector<char*> argv = pointers(words);
  const std::vector<char*> envp = pointers(variables);
  const pid_t parent = ::getpid();
  pid_ = check(::fork(), "fork");
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // it ends its own processes then
    Interrupts::restore();
    if (::getppid() != parent) ::_exit(126);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (::dup2(null, 0) == -1 || ::dup2(out_.get(), 1) == -1 || ::dup2(err_.get(), 2) == -1)
      ::_exit(126);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::setpgid(pid_, pid_);
  pidfd_ = Fd(check(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)), "pidfd_open"));
}

bool Build::Child::wait_until(std::int64_t end_ns, bool heeds_interrupts) {
  while (true) {
    std::array<pollfd, 2> fds{{{pidfd_.get(), POLLIN, 0}, {interrupts_.fd(), POLLIN, 0}}};
    const std::int64_t left_ms = std::max<std::int64_t>(0, (end_ns - monotonic_ns()) / 1'000'000);
    const int ready = ::poll(fds.data(), heeds_interrupts ? 2 : 1, static_cast<int>(left_ms) + 1);
    if (ready > 0 && fds[0].revents != 0) return true;
    if (heeds_interrupts && interrupts_.arrived() != 0) return false;
    if (monotonic_ns() >= end_ns) return false;
  }
}

/// Asks it to end, then ends it with all of its group. Returns its status as of waitpid(2).
int Build::Child::end() {
  if (pid_ == -1) return 0;
  if (!wait_until(monotonic_ns(), false)) {
    ::kill(pid_, SIGTERM);
    wait_until(monotonic_ns() + grace_ms * 1'000'000, false);
  }
  ::kill(-pid_, SIGKILL);  // whatever is left of it
  int status = 0;
  retry([&] { return ::waitpid(pid_, &status, 0); });
  while (retry([&] { return ::waitpid(-pid_, nullptr, WNOHANG); }) > 0) {
  }
  pid_ = -1;
  return status;
}

Build::Output Build::Child::finish(double deadline_s) {
  Output output;
  output.is_late = !wait_until(monotonic_ns() + std::llround(deadline_s * 1e9), true);
  const int status = end();
  if (interrupts_.arrived() != 0) throw Interrupted{};
  output.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  output.out = content_of(out_);
  output.err = content_of(err_);
  return output;
}

Build::Output Build::execute(const std::vector<std::string>& arguments,
                             const std::map<std::string, std::string>& environment,
                             double deadline_s) const {
  return Child(*this, arguments, environment).finish(deadline_s);
}

Plan Build::plan(const std::vector<std::string>& flags) const {
  std::vector<std::string> arguments{"run", "--dry-run", "--json"};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  const Output output = execute(arguments, {}, plan_deadline_s);
  if (output.is_late || output.status != 0)
    throw BuildError(fmt::format("{} ({}) makes no plan: it {}", name_, printable(path_, 300),
                                 what_came_of(output, plan_deadline_s)));
  try {
    return plan_from_json(Json::parse(output.out));
  } catch (const std::exception& error) {
    throw BuildError(fmt::format("{} ({}) makes no plan that can be read ({}): is it ipcbench?",
                                 name_, printable(path_, 300), printable(error.what(), 200)));
  }
}

Json Build::run(const Plan& plan, const PlannedCell& cell,
                const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> arguments{"run"};
  for (std::string& flag : flags_of(plan, cell)) arguments.push_back(std::move(flag));
  const double deadline_s = start_deadline_s + static_cast<double>(plan.timeout_ns) / 1e9;
  const Output output = execute(arguments, environment, deadline_s);
  return document_of(output, cell, deadline_s);
}

Json Build::document_of(const Output& output, const PlannedCell& cell, double deadline_s) const {
  // 3: the run failed, and the results say why.
  if (output.is_late || (output.status != 0 && output.status != 3))
    throw BuildError(fmt::format("{} ({}), {}: it {}", name_, printable(path_, 300), cell.key(),
                                 what_came_of(output, deadline_s)));
  Json document = Json::parse(output.out, nullptr, false);
  if (!document.is_object() || !document.contains("runs") || !document["runs"].is_array() ||
      document["runs"].size() != 1 || !document["runs"][0].is_object() ||
      !document.contains("context"))
    throw BuildError(fmt::format(
        "{} ({}), {}: expected a results file of one run, got: {}", name_, printable(path_, 300),
        cell.key(), output.out.empty() ? complaint(output.err) : printable(output.out, 100)));
  return document;
}

Json Build::run_with(const Build& consumer, const Plan& plan, const PlannedCell& cell) const {
  const std::string name = fmt::format("ab-{}", directory_.token());
  const double deadline_s = start_deadline_s + static_cast<double>(plan.timeout_ns) / 1e9;
  std::vector<std::string> serve{"serve", cell.transport, "--name", name, "-S", cell.scenario};
  const auto add = [&](const char* flag, const std::string& value) {
    serve.insert(serve.end(), {flag, value});
  };
  if (cell.size) add("-s", std::to_string(*cell.size));
  if (cell.manner.waiting != Waiting::block) add("--wait", std::string(text(cell.manner.waiting)));
  if (cell.place.cpus[1] >= 0) add("--cpu", std::to_string(cell.place.cpus[1]));
  add("--depth", std::to_string(plan.depth));
  add("--count", std::to_string(plan.count));
  add("--warmup", ns(plan.warmup_ns));
  add("--min-time", ns(plan.min_time_ns));
  add("--timeout", ns(plan.timeout_ns));
  std::vector<std::string> connect{"connect", "--name", name, "-o", "-"};
  if (cell.place.cpus[0] >= 0)
    connect.insert(connect.end(), {"--cpu", std::to_string(cell.place.cpus[0])});

  Child served(consumer, serve, {});
  const Output output = execute(connect, {}, deadline_s);
  const Output served_output = served.finish(output.status == 0 ? deadline_s : 1);
  if (served_output.status != 0 && !served_output.is_late)
    throw BuildError(fmt::format("{} ({}), {}: as the consumer it {}", consumer.name_,
                                 printable(consumer.path_, 300), cell.key(),
                                 what_came_of(served_output, deadline_s)));
  Json document = document_of(output, cell, deadline_s);
  document["runs"][0]["key"] = cell.key();  // these commands don't know placements
  document["runs"][0]["placement"] = cell.place.name;
  return document;
}

std::string why_not_mixed(const PlannedCell& cell) {
  PlannedCell plain = cell;
  plain.load = {};
  const Manner usual;
  if (!cell.mix.name.empty() || cell.manner.is_mailbox() || cell.manner.peer != usual.peer ||
      plain.key() != cell.key())
    return "serve and connect have no such cells";
  return "";
}

std::vector<std::string> flags_of(const Plan& plan, const PlannedCell& cell) {
  std::vector<std::string> flags{"-t", cell.transport, "-S", cell.scenario};
  const auto add = [&](const std::string& flag, const std::string& value) {
    flags.push_back(flag);
    flags.push_back(value);
  };
  // What is as usual isn't mentioned: older builds don't know all of it.
  if (!cell.mix.name.empty())
    add("--size-dist", cell.mix.name);
  else if (cell.size)
    add("-s", std::to_string(*cell.size));
  if (cell.place.name.starts_with("pin:"))
    add("--pin", cell.place.name.substr(4));
  else
    add("--placement", cell.place.name);
  const Manner usual;
  if (cell.manner.waiting != usual.waiting) add("--wait", std::string(text(cell.manner.waiting)));
  if (cell.manner.start != usual.start) add("--start", std::string(text(cell.manner.start)));
  if (cell.manner.is_mailbox())
    add("--peers", fmt::format("{}x{}", cell.manner.producers, cell.manner.consumers));
  const Row* row = find_row(cell.transport);
  if (cell.manner.peer != usual.peer && !(row != nullptr && row->kernel_served))
    add("--peer", std::string(text(cell.manner.peer)));
  if (const auto index = find_scenario(cell.scenario))
    for (const Axis& axis : all_axes())
      if (has_axis(all_scenarios()[*index], axis) &&
          (axis.is_shown || cell.load.*axis.value != Load{}.*axis.value))
        add(fmt::format("--{}", axis.name), axis.text(cell.load.*axis.value, axis));
  add("--warmup", ns(plan.warmup_ns));
  add("--min-time", ns(plan.min_time_ns));
  add("--timeout", ns(plan.timeout_ns));
  add("--depth", std::to_string(plan.depth));
  add("--count", std::to_string(plan.count));
  add("--repeats", "1");
  add("--retries", "0");
  add("--filter", exactly(cell.key()));
  if (plan.quiet_machine) flags.emplace_back("--quiet-machine");
  for (const char* flag : {"--quiet", "--output", "-"}) flags.emplace_back(flag);
  return flags;
}

}  // namespace ipcbench
