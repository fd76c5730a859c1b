// pipe.h: the two ends of a pipe, which pipe and fifo share.
#pragma once

#include "harness/unix.h"

namespace ipcbench {

struct PipeWriter {
  Fd fd;
  void send(View message) { write_all(fd.get(), message); }
};

struct PipeReader {
  Fd fd;
  std::size_t recv(Bytes buffer) { return read_all(fd.get(), buffer); }
};

}  // namespace ipcbench
