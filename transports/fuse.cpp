// fuse: a file that a process answers for, by FUSE, the file system in user space (fuse(4)). A
// write(2) or read(2) of it becomes a request that the kernel puts before that process, and lasts
// until it has replied: so does every file of sshfs, of a FUSE overlay or of a document portal.
//
// The consumer mounts the file and serves it with the low-level interface of libfuse
// (https://libfuse.github.io/doxygen/fuse__lowlevel_8h.html); the producer opens it. What the
// producer writes is a message to the consumer; for one back it reads, and the consumer replies to
// that when it has one. The file is opened with direct_io: requests go past the page cache, one for
// each call, and the kernel copies between the caller's pages and the server's.
//
// The mount is in a namespace of the run, and goes with it. The server's end of FUSE, /dev/fuse, is
// opened in the consumer: if another process held it too, requests would wait for ever once the
// consumer is gone.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "scenarios/matrix.h"
#include "transports/fuse_ends.h"
#include "transports/private_namespaces.h"

namespace ipcbench {
namespace {

class Fuse {
  static inline const Private own_mounts{.has_mounts = true};

 public:
  static constexpr Facts facts{.name = "fuse",
                               .summary = "file that the other process serves, by FUSE",
                               .family = Family::file,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 1,
                               .standard = "Linux"};
  static constexpr std::string_view settings = "direct_io max_write=1MiB threads=1";

  static std::string unavailable() {
    if (!Fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC)))
      return fmt::format("open(/dev/fuse): {}", std::strerror(errno));
    return PrivateNamespaces::unavailable(own_mounts);
  }
  /// What one request carries: more would be cut in two.
  static std::size_t message_max() {
    constexpr std::uint64_t pages = 256;  // FUSE_MAX_MAX_PAGES, of the kernel and of libfuse
    return std::min(pages, read_number("/proc/sys/fs/fuse/max_pages_limit", pages)) *
           static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  }

  explicit Fuse(const Shape& shape)
      : namespaces_(*shape.directory, own_mounts),
        file_(*shape.directory, NameKind::path),
        mounted_(*shape.directory, NameKind::note),
        size_(shape.size) {
    constexpr int flags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
    const char* path = file_.text().c_str();
    if (file_.is_ours()) Fd(check(::open(path, flags, 0600), "open", path));
  }

  FuseClient producer() {
    mounted_.await();
    const char* path = file_.text().c_str();
    // Until the server is asked it is root's file, and not for writing where root isn't known.
    struct stat status {};
    check(::stat(path, &status), "stat", path);
    const auto open = [&] { return ::open(path, O_RDWR | O_CLOEXEC); };
    return {Fd(check(retry(open), "open", path)), size_};
  }
  FuseServer consumer() {
    FuseServer server(file_.text(), size_);
    mounted_.publish("mounted");
    server.await_client();
    return server;
  }

 private:
  PrivateNamespaces namespaces_;
  Name file_;
  Name mounted_;
  std::size_t size_;
};

}  // namespace

std::vector<Row> fuse_rows() {
  return {row<Fuse>()};
}

}  // namespace ipcbench
