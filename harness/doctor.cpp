#include "harness/doctor.h"

#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "harness/machine.h"
#include "harness/scheduling.h"
#include "harness/text.h"
#include "harness/unix.h"

namespace ipcbench {
namespace {

class Report {
 public:
  explicit Report(const nlohmann::json& machine) : machine_(machine) {}

  void good(std::string subject, std::string seen) {
    findings_.push_back({Severity::good, std::move(subject), std::move(seen), "", ""});
  }
  void note(std::string subject, std::string seen, std::string matters, std::string remedy) {
    findings_.push_back({Severity::note, std::move(subject), std::move(seen), std::move(matters),
                         std::move(remedy)});
  }
  void warn(std::string subject, std::string seen, std::string matters, std::string remedy) {
    findings_.push_back({Severity::warning, std::move(subject), std::move(seen), std::move(matters),
                         std::move(remedy)});
  }

  /// The text at a place of the record; "" where it is null or missing.
  std::string text(const char* pointer) const {
    const nlohmann::json::json_pointer at(pointer);
    if (!machine_.contains(at) || machine_.at(at).is_null()) return "";
    const nlohmann::json& value = machine_.at(at);
    return value.is_string() ? value.get<std::string>() : value.dump();
  }
  double number(const char* pointer, double otherwise) const {
    const std::string value = text(pointer);
    char* end = nullptr;
    const double parsed = std::strtod(value.c_str(), &end);
    return end == value.c_str() ? otherwise : parsed;
  }
  std::vector<Finding> findings() && { return std::move(findings_); }

 private:
  const nlohmann::json& machine_;
  std::vector<Finding> findings_;
};

void judge_build(Report& report) {
  const std::string type = report.text("/identity/build_type");
  const bool sanitised =
      report.text("/identity/compiler_flags").find("-fsanitize") != std::string::npos;
  if (type.empty()) return;
  if (type != "Release" || sanitised)
    report.warn("build", sanitised ? "built with sanitizers" : fmt::format("build type {}", type),
                "Its numbers say nothing about the mechanisms.",
                "cmake --preset release && cmake --build --preset release");
  else
    report.good("build", "release");
  if (report.text("/identity/dirty") == "true")
    report.note("source", "built from a tree with uncommitted changes",
                "Nobody else can build the same program again.", "Commit, and build again.");
}

void judge_load(Report& report, const Readings& readings) {
  const double cores = report.number("/identity/topology/cores", 1);
  if (readings.load_1min > 0.5 * cores)
    report.warn("load",
                fmt::format("load average {:.2f} on {:.0f} cores", readings.load_1min, cores),
                "Other processes take the cores away in the middle of runs.",
                "Stop them, or wait: uptime; top");
  else
    report.good("load", fmt::format("load average {:.2f}", readings.load_1min));
  if (readings.cpu_pressure_percent > 3)
    report.warn("CPU pressure",
                fmt::format("{:.1f} % over ten seconds", readings.cpu_pressure_percent),
                "Somebody waits for a core that much of the time; means follow it.",
                "Stop what runs beside: top");
  if (readings.steal_percent > 0.5)
    report.warn("steal", fmt::format("{:.1f} %", readings.steal_percent),
                "The hypervisor gives this machine's cores to others.",
                "Use a machine with dedicated cores.");
}

void judge_processor(Report& report) {
  const std::string governor = report.text("/state/governor");
  if (!governor.empty() && governor != "performance")
    report.warn("frequency", fmt::format("governor {}", governor),
                "Short runs measure how fast the clock speeds up.",
                "cpupower frequency-set -g performance");
  if (report.text("/state/no_turbo") == "0" || report.text("/state/boost") == "1")
    report.note("turbo", "on", "The clock depends on temperature and on the other cores.",
                "echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or "
                "echo 0 > /sys/devices/system/cpu/cpufreq/boost");
  if (report.text("/state/smt") == "on")
    report.note("SMT", "on", "A sibling's work slows a core down.",
                "echo off > /sys/devices/system/cpu/smt/control");
  if (report.number("/identity/topology/cores", 2) < 2)
    report.warn("cores", "one", "cross-core runs and spinning transports are skipped.",
                "Use a machine with two cores or more.");
  if (report.number("/identity/topology/cores", 0) > 2 &&
      report.text("/state/isolated_cpus").empty())
    report.note("isolated cores", "none", "The scheduler may put anything beside the two ends.",
                "Boot with isolcpus=2,3 and pin with --pin 2,3, where there are cores to spare.");
}

void judge_waking(Report& report) {
  const std::string virtualisation = report.text("/identity/virtualisation");
  if (!virtualisation.empty() && virtualisation != "none")
    report.note("virtual machine", virtualisation,
                "An idle virtual core is given back, so waking a peer on it takes tens of "
                "microseconds: cross-core round trips of all that blocks are long.",
                "Compare ratios within one run; measure on the hardware that you will use.");
  const std::string driver = report.text("/state/idle_driver");
  if (driver == "haltpoll")
    report.note("idle states", "driver haltpoll",
                "An idle virtual core halts at once, and waking it goes through the hypervisor.",
                "ipcbench run --quiet-machine: holds /dev/cpu_dma_latency at 0, and says so.");
  else if (!driver.empty() && driver != "none")
    report.note("idle states", fmt::format("driver {}", driver),
                "A sleeping core takes time to wake, and blocking transports pay it.",
                "ipcbench run --quiet-machine: holds /dev/cpu_dma_latency at 0, and says so.");
}

void judge_clock(Report& report) {
  const std::string source = report.text("/state/clock_source");
  if (report.text("/state/tsc_usable") == "true")
    report.good("clock",
                fmt::format("time-stamp counter, {} ns a read; the processors' clocks are {} ns "
                            "apart (±{})",
                            report.text("/state/readings/tsc_cost_ns"),
                            report.text("/state/readings/clock_offset_ns"),
                            report.text("/state/readings/clock_offset_uncertainty_ns")));
  else
    report.warn(
        "clock", fmt::format("clock source {}", source.empty() ? "unknown" : source),
        fmt::format("The counter isn't trusted; a clock read costs {} ns of each round trip.",
                    report.text("/state/readings/monotonic_cost_ns")),
        "Boot with clocksource=tsc tsc=reliable if the processor's counter is invariant.");
}

/// What --quiet-machine could hold here.
void judge_permissions(Report& report, const Readings& readings) {
  const std::string why =
      !readings.why_no_latency.empty() ? readings.why_no_latency : readings.why_no_fifo;
  if (why.empty())
    report.good("quiet machine", "ipcbench run --quiet-machine can hold all that it asks for");
  else
    report.note("quiet machine", why, "ipcbench run --quiet-machine goes without.",
                "sudo ipcbench run --quiet-machine …, on CPUs that nobody else needs");
}

void judge_system(Report& report) {
  if (const std::string quota = report.text("/state/cgroup_cpus"); !quota.empty())
    report.warn("CPU quota", fmt::format("{} CPUs", quota),
                "The control group stops the ends when their share is used up.",
                "Run outside of it, or without a CPU limit.");
  if (report.text("/state/transparent_hugepage").find("[always]") != std::string::npos)
    report.note("huge pages", "transparent ones always",
                "Large buffers may get huge pages in one run and not in the next.",
                "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  if (report.text("/state/numa_balancing") == "1" &&
      report.number("/identity/topology/numa_nodes", 1) > 1)
    report.note("NUMA balancing", "on", "Pages are unmapped and moved while the ends use them.",
                "sysctl -w kernel.numa_balancing=0");
  if (report.text("/state/nmi_watchdog") == "1")
    report.note("NMI watchdog", "on", "It interrupts every core, and takes a counter of each.",
                "sysctl -w kernel.nmi_watchdog=0");
  if (const std::string layout = report.text("/state/randomize_va_space");
      !layout.empty() && layout != "0")
    report.note("address layout", "randomised",
                "Layout changes from run to run; repeats in fresh processes average over it.",
                "Nothing: leave it on and use more repeats.");
}

struct Limit {
  const char* pointer;
  const char* name;
  double enough;
  const char* matters;
  const char* remedy;
};

constexpr std::array limits{
    Limit{"/limits/mq_msg_max", "fs.mqueue.msg_max", 64,
          "posix_mq holds that many messages, so its flood is shallow.",
          "sysctl -w fs.mqueue.msg_max=64"},
    Limit{"/limits/mq_msgsize_max", "fs.mqueue.msgsize_max", 65536,
          "Larger messages are skipped for posix_mq.", "sysctl -w fs.mqueue.msgsize_max=65536"},
    Limit{"/limits/msgmax", "kernel.msgmax", 65536, "Larger messages are skipped for sysv_msg.",
          "sysctl -w kernel.msgmax=65536 kernel.msgmnb=4194304"},
    Limit{"/limits/wmem_default", "net.core.wmem_default", 1048576,
          "Larger messages are skipped for unix_dgram and unix_seqpacket.",
          "sysctl -w net.core.wmem_default=1048576"},
    Limit{"/limits/rlimit_msgqueue", "RLIMIT_MSGQUEUE", 819200,
          "posix_mq gets fewer messages of large sizes.", "ulimit -q 8388608"},
};

void judge_limits(Report& report) {
  for (const Limit& limit : limits) {
    const std::string value = report.text(limit.pointer);
    if (value.empty() || value == "unlimited" || report.number(limit.pointer, 0) >= limit.enough)
      continue;
    report.note(limit.name, value, limit.matters, limit.remedy);
  }
}

}  // namespace

Readings take_readings() {
  Readings readings;
  const ProcessorTimes before = processor_times();
  const timespec pause{0, 200'000'000};
  ::nanosleep(&pause, nullptr);
  readings.steal_percent = 100 * steal_fraction(before, processor_times());
  readings.load_1min = std::strtod(read_text("/proc/loadavg").c_str(), nullptr);
  const std::string pressure = read_text("/proc/pressure/cpu");
  if (const std::size_t at = pressure.find("avg10="); at != std::string::npos)
    readings.cpu_pressure_percent = std::strtod(pressure.c_str() + at + 6, nullptr);
  readings.why_no_fifo = why_not_fifo();
  if (::access("/dev/cpu_dma_latency", W_OK) != 0)
    readings.why_no_latency = fmt::format("/dev/cpu_dma_latency: {}", std::strerror(errno));
  return readings;
}

std::vector<Finding> diagnose(const nlohmann::json& machine, const Readings& readings) {
  Report report(machine);
  judge_build(report);
  judge_load(report, readings);
  judge_processor(report);
  judge_waking(report);
  judge_clock(report);
  judge_system(report);
  judge_permissions(report, readings);
  judge_limits(report);
  return std::move(report).findings();
}

nlohmann::json to_json(const std::vector<Finding>& findings) {
  static constexpr std::array words{"good", "note", "warning"};
  nlohmann::json all = nlohmann::json::array();
  for (const Finding& finding : findings)
    all.push_back({{"severity", words.at(static_cast<std::size_t>(finding.severity))},
                   {"subject", finding.subject},
                   {"seen", finding.seen},
                   {"matters", finding.matters},
                   {"remedy", finding.remedy}});
  return all;
}

}  // namespace ipcbench
