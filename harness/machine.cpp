#include "harness/machine.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <gnu/libc-version.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "harness/build_info.h"
#include "harness/clock_offset.h"
#include "harness/text.h"
#include "harness/unix.h"

namespace ipcbench {
namespace {

nlohmann::json text_or_null(const std::string& path) {
  const std::string text = read_text(path);
  return text.empty() ? nlohmann::json(nullptr) : nlohmann::json(text);
}

nlohmann::json number_or_null(const std::string& path) {
  const std::string text = read_text(path);
  if (text.empty()) return nullptr;
  const std::uint64_t number = read_number(path, 0);
  return std::to_string(number) == text ? nlohmann::json(number) : nlohmann::json(text);
}

/// A field of /proc/cpuinfo or /proc/meminfo: "name : value".
nlohmann::json field(const std::string& text, std::string_view name) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos || line.find_first_not_of(" \t", name.size()) != colon) continue;
    const std::size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? nlohmann::json("") : nlohmann::json(line.substr(start));
  }
  return nullptr;
}

nlohmann::json virtualisation(const std::string& cpuinfo) {
  const nlohmann::json flags = field(cpuinfo, "flags");
  if (!flags.is_string()) return nullptr;  // only x86 says it there
  if ((flags.get<std::string>() + " ").find(" hypervisor ") == std::string::npos) return "none";
  for (const char* path : {"/sys/hypervisor/type", "/sys/class/dmi/id/product_name"})
    if (const std::string text = read_text(path); !text.empty()) return text;
  return "hypervisor";
}

/// Who emulates this machine: "tcg" (in software), "icount" (so that every instruction takes the
/// same time, as scripts/vm --icount does), "kvm", another hypervisor's own name, or null.
nlohmann::json virtualised() {
#if defined(__x86_64__)
  constexpr unsigned hypervisor_leaf = 0x40000000;
  unsigned eax = 0;
  unsigned name[3] = {};
  unsigned ecx = 0;
  if (__get_cpuid(1, &eax, &name[0], &ecx, &name[1]) == 0 || (ecx >> 31 & 1) == 0) return nullptr;
  __cpuid(hypervisor_leaf, eax, name[0], name[1], name[2]);
  const std::string who(reinterpret_cast<const char*>(name), sizeof name);
  if (who.starts_with("KVMKVMKVM")) return "kvm";
  if (!who.starts_with("TCGTCGTCG")) return who.substr(0, who.find('\0'));
  return read_text("/proc/cmdline").find("ipcbench.icount_shift=") == std::string::npos ? "tcg"
                                                                                        : "icount";
#else
  return nullptr;
#endif
}

/// The kernel's own parameters: what follows "--" is for init, and what names disks, hosts and
/// credentials is nobody's business.
nlohmann::json kernel_command_line() {
  std::istringstream words(read_text("/proc/cmdline"));
  std::string kept;
  for (std::string word; words >> word && word != "--";) {
    bool is_private = false;
    for (const char* name : {"root=", "resume=", "ip=", "nfsroot=", "nfsaddrs=", "hostname=",
                             "systemd.", "rd.", "init=", "rdinit=", "cryptdevice=", "BOOT_IMAGE="})
      is_private |= word.starts_with(name);
    if (is_private) continue;
    if (!kept.empty()) kept += ' ';
    kept += word;
  }
  return kept;
}

/// In steps of 16 MiB: the kernel's own share differs a little from boot to boot.
std::uint64_t ram_bytes() {
  const std::uint64_t bytes = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                              static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes >> 24 << 24;
}

nlohmann::json mitigations() {
  nlohmann::json all = nlohmann::json::object();
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/devices/system/cpu/vulnerabilities", error))
    all[entry.path().filename().string()] = read_text(entry.path());
  return all;
}

nlohmann::json libraries() {
  return {{"glibc", ::gnu_get_libc_version()},
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                              FMT_VERSION % 100)},
          {"nlohmann_json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                        NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)},
          {"cli11", CLI11_VERSION},
          {"google_benchmark", build_benchmark_version},
          {"hwloc", build_hwloc_version}};
}

/// Beginnings of their names.
constexpr std::string_view setting_variables[] = {"LD_PRELOAD=",
                                                  "LD_BIND_NOW=",
                                                  "LD_LIBRARY_PATH=",
                                                  "GLIBC_TUNABLES=",
                                                  "MALLOC_",
                                                  "UCX_",
                                                  "FI_",
                                                  "OMPI_",
                                                  "PMIX_",
                                                  "GRPC_",
                                                  "FASTRTPS_",
                                                  "FASTDDS_",
                                                  "CYCLONEDDS_",
                                                  "ICEORYX_",
                                                  "LCM_",
                                                  "NATS_",
                                                  "ZMQ_"};

std::string binary_digest() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return digest(bytes.str());
}

nlohmann::json identity(const Topology& topology) {
  const std::string cpuinfo = read_text("/proc/cpuinfo");
  utsname system{};
  ::uname(&system);
  return {{"cpu_model", field(cpuinfo, "model name")},
          {"microcode", field(cpuinfo, "microcode")},
          {"topology", topology.record()},
          {"ram_bytes", ram_bytes()},
          {"virtualisation", virtualisation(cpuinfo)},
          {"virtualised", virtualised()},
          {"architecture", system.machine},
          {"kernel_release", system.release},
          {"kernel_version", system.version},
          {"kernel_command_line", kernel_command_line()},
          {"mitigations", mitigations()},
          {"libraries", libraries()},
          {"compiler", build_compiler},
          {"compiler_flags", build_flags},
          {"build_type", build_type},
          {"commit", build_commit},
          {"dirty", build_dirty},
          {"binary_digest", binary_digest()}};
}

/// The tightest CPU limit of this process's control group and those above it, in CPUs (cgroup v2:
/// cpu.max holds "quota period"; v1: two files). Null where there is none.
nlohmann::json cgroup_cpus() {
  std::optional<double> tightest;
  const auto consider = [&](const std::string& quota, const std::string& period) {
    const double cpus = std::strtod(quota.c_str(), nullptr) / std::strtod(period.c_str(), nullptr);
    if (cpus > 0 && (!tightest || cpus < *tightest)) tightest = cpus;
  };
  std::istringstream lines(read_text("/proc/self/cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    std::string base = "/sys/fs/cgroup";
    if (!is_v2) base += "/cpu";
    for (std::filesystem::path group = line.substr(second + 1);; group = group.parent_path()) {
      const std::string at = base + group.string() + "/";
      std::istringstream v2(read_text(at + "cpu.max"));
      std::string quota;
      std::string period;
      if (v2 >> quota >> period && quota != "max") consider(quota, period);
      const std::string v1 = read_text(at + "cpu.cfs_quota_us");
      if (!v1.empty() && v1 != "-1") consider(v1, read_text(at + "cpu.cfs_period_us"));
      if (!group.has_relative_path()) break;
    }
  }
  return tightest ? nlohmann::json(*tightest) : nlohmann::json(nullptr);
}

nlohmann::json state(const Topology& topology, TickRate rate, ClockCost cost) {
  const std::string cpu = "/sys/devices/system/cpu/";
  timespec resolution{};
  ::clock_getres(CLOCK_MONOTONIC, &resolution);
  const ClockOffset offset = measure_clock_offset(rate);
  return {{"governor", text_or_null(cpu + "cpu0/cpufreq/scaling_governor")},
          {"no_turbo", number_or_null(cpu + "intel_pstate/no_turbo")},
          {"boost", number_or_null(cpu + "cpufreq/boost")},
          {"idle_driver", text_or_null(cpu + "cpuidle/current_driver")},
          {"idle_governor", text_or_null(cpu + "cpuidle/current_governor")},
          {"isolated_cpus", text_or_null(cpu + "isolated")},
          {"smt", text_or_null(cpu + "smt/control")},
          {"transparent_hugepage", text_or_null("/sys/kernel/mm/transparent_hugepage/enabled")},
          {"randomize_va_space", number_or_null("/proc/sys/kernel/randomize_va_space")},
          {"numa_balancing", number_or_null("/proc/sys/kernel/numa_balancing")},
          {"nmi_watchdog", number_or_null("/proc/sys/kernel/nmi_watchdog")},
          {"sched_rt_runtime_us", text_or_null("/proc/sys/kernel/sched_rt_runtime_us")},
          {"clock_source",
           text_or_null("/sys/devices/system/clocksource/clocksource0/current_clocksource")},
          {"tsc_usable", rate.usable()},
          {"cgroup_cpus", cgroup_cpus()},
          {"allowed_cpus", cpu_list_text(topology.allowed())},
          {"perf_event_paranoid", text_or_null("/proc/sys/kernel/perf_event_paranoid")},
          {"readings",
           {{"clock_resolution_ns", resolution.tv_nsec},
            {"monotonic_cost_ns", cost.monotonic_ns},
            {"tsc_cost_ns", rate.usable() ? nlohmann::json(cost.tsc_ns) : nlohmann::json(nullptr)},
            {"clock_offset_ns", offset.offset_ns},
            {"clock_offset_uncertainty_ns", offset.uncertainty_ns},
            {"clock_offset_processors", offset.processors},
            {"load_average", text_or_null("/proc/loadavg")},
            {"cpu_pressure", text_or_null("/proc/pressure/cpu")}}}};
}

nlohmann::json resource_limit(int resource) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return nullptr;
  return limit.rlim_cur == RLIM_INFINITY ? nlohmann::json("unlimited")
                                         : nlohmann::json(limit.rlim_cur);
}

nlohmann::json limits() {
  struct statvfs shm {};
  const bool has_shm = ::statvfs("/dev/shm", &shm) == 0;
  return {{"pipe_max_size", number_or_null("/proc/sys/fs/pipe-max-size")},
          {"mq_msg_max", number_or_null("/proc/sys/fs/mqueue/msg_max")},
          {"mq_msgsize_max", number_or_null("/proc/sys/fs/mqueue/msgsize_max")},
          {"mq_queues_max", number_or_null("/proc/sys/fs/mqueue/queues_max")},
          {"msgmax", number_or_null("/proc/sys/kernel/msgmax")},
          {"msgmnb", number_or_null("/proc/sys/kernel/msgmnb")},
          {"msgmni", number_or_null("/proc/sys/kernel/msgmni")},
          {"wmem_default", number_or_null("/proc/sys/net/core/wmem_default")},
          {"wmem_max", number_or_null("/proc/sys/net/core/wmem_max")},
          {"rmem_max", number_or_null("/proc/sys/net/core/rmem_max")},
          {"unix_max_dgram_qlen", number_or_null("/proc/sys/net/unix/max_dgram_qlen")},
          {"rlimit_msgqueue", resource_limit(RLIMIT_MSGQUEUE)},
          {"rlimit_memlock", resource_limit(RLIMIT_MEMLOCK)},
          {"rlimit_nofile", resource_limit(RLIMIT_NOFILE)},
          {"dev_shm_bytes",
           has_shm ? nlohmann::json(shm.f_blocks * shm.f_frsize) : nlohmann::json(nullptr)},
          {"security_modules", text_or_null("/sys/kernel/security/lsm")},
          {"io_uring_disabled", number_or_null("/proc/sys/kernel/io_uring_disabled")}};
}

}  // namespace

std::string digest(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return fmt::format("{:016x}", hash);
}

nlohmann::json settings_in_environment() {
  nlohmann::json set = nlohmann::json::object();
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    const std::string_view variable = *at;
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    for (const std::string_view beginning : setting_variables)
      if (variable.starts_with(beginning))
        set[printable(variable.substr(0, equals))] = printable(variable.substr(equals + 1), 400);
  }
  return set;
}

ProcessorTimes processor_times() {
  // cpu user nice system idle iowait irq softirq steal … (proc(5))
  std::istringstream line(read_text("/proc/stat"));
  std::string word;
  line >> word;
  ProcessorTimes times;
  double value = 0;
  for (int field = 0; field < 8 && line >> value; ++field) {
    times.all += value;
    if (field == 7) times.stolen = value;
  }
  return times;
}

double steal_fraction(const ProcessorTimes& before, const ProcessorTimes& after) {
  const double all = after.all - before.all;
  return all > 0 ? (after.stolen - before.stolen) / all : 0;
}

std::string identity_digest(const nlohmann::json& record) {
  return digest(record.at("identity").dump());
}

std::string state_digest(const nlohmann::json& record) {
  nlohmann::json settings = record.at("state");
  settings.erase("readings");
  return digest(settings.dump() + record.at("limits").dump());
}

nlohmann::json machine_record(const Topology& topology, TickRate rate, ClockCost cost) {
  nlohmann::json record{{"identity", identity(topology)},
                        {"state", state(topology, rate, cost)},
                        {"limits", limits()}};
  record["identity_digest"] = identity_digest(record);
  record["state_digest"] = state_digest(record);
  return record;
}

}  // namespace ipcbench
