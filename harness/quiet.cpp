#include "harness/quiet.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "harness/results.h"
#include "harness/scheduling.h"

namespace ipcbench {

QuietMachine::QuietMachine() : latency_(::open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC)) {
  const std::int32_t latency_us = 0;
  if (latency_ && ::write(latency_.get(), &latency_us, sizeof latency_us) == sizeof latency_us)
    return;
  why_no_latency_ = fmt::format("/dev/cpu_dma_latency: {}", std::strerror(errno));
  latency_.close();
}

Json QuietMachine::record() const {
  const std::string why_not_fifo = ipcbench::why_not_fifo();
  const auto or_null = [](const std::string& why) { return why.empty() ? Json() : Json(why); };
  return {{"cpu_dma_latency_us", latency_ ? Json(0) : Json()},
          {"cpu_dma_latency_reason", or_null(why_no_latency_)},
          {"scheduler", why_not_fifo.empty() ? "fifo" : "other"},
          {"scheduler_reason", or_null(why_not_fifo)}};
}

}  // namespace ipcbench
