// shm_file: a regular file, mapped with MAP_SHARED, with a ring in it. The kernel writes it back
// to its disk meanwhile, if it has one.
#include <fcntl.h>

#include "transports/shm.h"

namespace ipcbench {
namespace {

/// The file's blocks are taken beforehand: a store to a page that finds no room on the disk is
/// answered with SIGBUS.
SharedMemory map_file(const Name* name, std::size_t size) {
  const int flags = O_RDWR | O_CLOEXEC | (name->is_ours() ? O_CREAT | O_EXCL : 0);
  const Fd file(check(::open(name->text().c_str(), flags, 0600), "open", name->text()));
  if (name->is_ours()) {
    errno = ::posix_fallocate(file.get(), 0, static_cast<off_t>(size));
    if (errno != 0) fail("posix_fallocate", name->text());
  }
  return {Mapping(size, file.get())};
}

}  // namespace

std::vector<Row> shm_file_rows() {
  static constexpr Memory memory{.name = "shm_file",
                                 .summary = "a mapped file",
                                 .naming = Naming::pathname,
                                 .persistence = Persistence::filesystem,
                                 .standard = "POSIX",
                                 .kind = NameKind::path,
                                 .map = map_file};
  return ring_rows(memory);
}

}  // namespace ipcbench
