// quiet.h: what `run --quiet-machine` asks of the machine for as long as it lasts.
//
// Nothing is set that would have to be set back: a request of /dev/cpu_dma_latency ends when its
// descriptor is closed, and SCHED_FIFO is the ends' own (scheduling.h); so both are gone with the
// processes, whoever is killed.
#pragma once

#include <nlohmann/json.hpp>

#include "harness/unix.h"

namespace ipcbench {

class QuietMachine {
 public:
  /// Asks the kernel to keep idle CPUs awake (a latency of 0 µs), where that is permitted.
  QuietMachine();
  /// "quiet_machine" of a results file's context: what is held, and why something isn't.
  nlohmann::ordered_json record() const;

 private:
  Fd latency_;
  std::string why_no_latency_;
};

}  // namespace ipcbench
