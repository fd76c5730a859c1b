// pipe.h: the two ends of a pipe, which pipe and fifo share.
#pragma once

#include "harness/waiting.h"

namespace ipcbench {

struct PipeWriter {
  Waitable fd;
  void send(View message) { write_all(fd, message); }
};

struct PipeReader {
  Waitable fd;
  std::size_t recv(Bytes buffer) { return read_all(fd, buffer); }
};

}  // namespace ipcbench
