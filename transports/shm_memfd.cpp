// shm_memfd: a file without a name, of memfd_create(2), with a ring in it. It is sealed, and the
// producer's end passes it to the consumer's end through a socket (SCM_RIGHTS).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cstring>
#include <stdexcept>

#include "transports/shm.h"

namespace ipcbench {
namespace {

enum { memfd, to_consumer, from_producer, fd_count };

/// A peer that could shrink the file could kill whoever touches what is gone (SIGBUS).
constexpr int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

SharedMemory make(const Name*, std::size_t size) {
  Fd file(check(::memfd_create("ipcbench", MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create"));
  check(::ftruncate(file.get(), static_cast<off_t>(size)), "ftruncate", "memfd");
  check(::fcntl(file.get(), F_ADD_SEALS, seals), "fcntl", "F_ADD_SEALS");
  int sockets[2];
  check(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), "socketpair");
  SharedMemory memory{Mapping(size, file.get())};
  memory.fds.resize(fd_count);
  memory.fds[memfd] = std::move(file);
  memory.fds[to_consumer] = Fd(sockets[0]);
  memory.fds[from_producer] = Fd(sockets[1]);
  return memory;
}

/// A message of one byte that carries one descriptor.
struct Parcel {
  char byte = 0;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  iovec bytes{&byte, 1};
  msghdr message{.msg_name = nullptr,
                 .msg_namelen = 0,
                 .msg_iov = &bytes,
                 .msg_iovlen = 1,
                 .msg_control = control,
                 .msg_controllen = sizeof control,
                 .msg_flags = 0};
};

void send_fd(int socket, int fd) {
  Parcel parcel;
  cmsghdr* const header = CMSG_FIRSTHDR(&parcel.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  check(retry([&] { return ::sendmsg(socket, &parcel.message, MSG_NOSIGNAL); }), "sendmsg");
}

Fd receive_fd(int socket) {
  Parcel parcel;
  check(retry([&] { return ::recvmsg(socket, &parcel.message, MSG_CMSG_CLOEXEC); }), "recvmsg");
  const cmsghdr* const header = CMSG_FIRSTHDR(&parcel.message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) fail_closed("recvmsg");
  int fd;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

/// The consumer uses only what it was passed, and only if it is sealed.
void open(SharedMemory& memory, Side side) {
  if (side == Side::producer) {
    send_fd(memory.fds[to_consumer].get(), memory.fds[memfd].get());
  } else {
    const Fd passed = receive_fd(memory.fds[from_producer].get());
    if (check(::fcntl(passed.get(), F_GET_SEALS), "fcntl", "F_GET_SEALS") != seals)
      throw std::runtime_error("the memory that was passed isn't sealed");
    memory.mapping = Mapping(memory.mapping.size(), passed.get());
  }
  memory.fds.clear();
}

}  // namespace

std::vector<Row> shm_memfd_rows() {
  static constexpr Memory memory{.name = "shm_memfd",
                                 .summary = "a sealed memfd",
                                 .naming = Naming::inherited,
                                 .persistence = Persistence::process,
                                 .standard = "Linux",
                                 .kind = std::nullopt,
                                 .map = make,
                                 .open = open};
  return ring_rows(memory);
}

}  // namespace ipcbench
