#include "harness/scheduling.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "harness/unix.h"

namespace ipcbench {
namespace {

bool may_be_real_time() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur >= 1) return true;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  return ::syscall(SYS_capget, &header, data) == 0 && (data[0].effective >> CAP_SYS_NICE & 1) != 0;
}

}  // namespace

SchedulerCounts scheduler_counts() {
  SchedulerCounts counts;
  // "ran waited slices", in ns (proc(5)); needs CONFIG_SCHED_INFO
  const std::string waited = read_text("/proc/self/schedstat");
  if (const std::size_t space = waited.find(' '); space != std::string::npos)
    counts.kept_waiting_ns = std::strtoll(waited.c_str() + space, nullptr, 10);
  // "se.nr_migrations    :      3"; needs CONFIG_SCHED_DEBUG on older kernels
  const std::string statistics = read_text("/proc/self/sched");
  if (const std::size_t at = statistics.find("nr_migrations"); at != std::string::npos)
    if (const std::size_t colon = statistics.find(':', at); colon != std::string::npos)
      counts.migrations = std::strtoll(statistics.c_str() + colon + 1, nullptr, 10);
  return counts;
}

const char* why_not_fifo() {
  // Without the file there are deadline servers (Linux 6.12) or no real-time scheduling at all.
  if (read_text("/proc/sys/kernel/sched_rt_runtime_us") == "-1")
    return "real-time throttling is off, so that a spinning end could stop the machine: "
           "sysctl -w kernel.sched_rt_runtime_us=950000";
  if (!may_be_real_time()) return "it needs CAP_SYS_NICE, or ulimit -r 1";
  return "";
}

bool run_by_fifo() {
  const sched_param lowest{.sched_priority = 1};
  return *why_not_fifo() == '\0' && ::sched_setscheduler(0, SCHED_FIFO, &lowest) == 0;
}

}  // namespace ipcbench
