#include "harness/counters.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>

#include <fmt/format.h>

namespace ipcbench {
namespace {

constexpr const char* sys_enter_id = "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id";

/// The type and number by which perf_event_open(2) knows a counter; no number: it has none here.
struct Event {
  std::uint32_t type;
  std::optional<std::uint64_t> config;
};

Event event_of(Counter counter) {
  switch (counter) {
    case Counter::cycles:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES};
    case Counter::instructions:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS};
    case Counter::cache_misses:
      return {PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES};
    case Counter::migrations:
      return {PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS};
    case Counter::system_calls:
      break;
  }
  std::uint64_t id = 0;
  if (std::ifstream(sys_enter_id) >> id) return {PERF_TYPE_TRACEPOINT, id};
  return {PERF_TYPE_TRACEPOINT, std::nullopt};
}

}  // namespace

std::string_view text(Counter counter) {
  switch (counter) {
    case Counter::cycles:
      return "cycles";
    case Counter::instructions:
      return "instructions";
    case Counter::cache_misses:
      return "cache_misses";
    case Counter::migrations:
      return "migrations";
    case Counter::system_calls:
      return "system_calls";
  }
  return "?";
}

std::string why_missing(Counter counter, std::int32_t error) {
  switch (error) {
    case 0:
      return "";
    case ECANCELED:
      return "counting slows context switches: set IPCBENCH_COUNTERS=1 for it";
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV:
      return counter == Counter::system_calls
                 ? "tracefs isn't mounted, or can't be read"
                 : "this processor, or its hypervisor, doesn't offer it";
    case EACCES:
    case EPERM:
      return "not permitted: see kernel.perf_event_paranoid";
    default:
      return fmt::format("perf_event_open: {}", std::strerror(error));
  }
}

Counters::Counters() {
  // With a counter open, every context switch saves and restores it: a blocking round trip took a
  // third longer. So they are for runs that want them.
  if (std::getenv("IPCBENCH_COUNTERS") == nullptr) {
    reading_.error.fill(ECANCELED);
    return;
  }
  for (std::size_t i = 0; i != counter_count; ++i) {
    const Event event = event_of(static_cast<Counter>(i));
    if (!event.config) {
      reading_.error[i] = ENOENT;
      continue;
    }
    perf_event_attr attributes{};
    attributes.size = sizeof attributes;
    attributes.type = event.type;
    attributes.config = *event.config;
    attributes.disabled = 1;
    attributes.inherit = 1;  // by the threads that a library starts from now on
    attributes.exclude_hv = 1;
    fds_[i] = Fd(static_cast<int>(
        ::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
    if (!fds_[i]) reading_.error[i] = errno;
  }
}

void Counters::start() {
  for (const Fd& fd : fds_)
    if (fd) ::ioctl(fd.get(), PERF_EVENT_IOC_ENABLE, 0);
}

CounterReading Counters::stop() {
  for (const Fd& fd : fds_)
    if (fd) ::ioctl(fd.get(), PERF_EVENT_IOC_DISABLE, 0);
  for (std::size_t i = 0; i != counter_count; ++i)
    if (fds_[i] && ::read(fds_[i].get(), &reading_.value[i], sizeof reading_.value[i]) !=
                       sizeof reading_.value[i])
      reading_.error[i] = EIO;
  return reading_;
}

}  // namespace ipcbench
