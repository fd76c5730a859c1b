// private_namespaces.h: namespaces of a run's own (namespaces(7)): directories that are empty
// there, in which a library has names that it chooses, a network that has nothing but a loopback,
// and none of System V's objects. Nobody is met there, and nothing is left: all of it goes with the
// run's last process.
//
// Who may not have namespaces may have them within a user namespace, as the same user.
#pragma once

#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/name.h"
#include "harness/unix.h"

namespace ipcbench {

/// What a run has to itself.
struct Private {
  std::vector<std::string> emptied = {};  ///< directories, but for the run directory in them
  bool has_network = false;
  bool has_mounts = false;  ///< what is mounted there is nowhere else
  bool has_ipc = false;     ///< System V's objects (ipc_namespaces(7))

  int kinds() const {
    return (emptied.empty() && !has_mounts ? 0 : CLONE_NEWNS) | (has_network ? CLONE_NEWNET : 0) |
           (has_ipc ? CLONE_NEWIPC : 0);
  }
};

namespace detail {

inline void write_file(const char* path, const std::string& text) {
  if (!(std::ofstream(path) << text).flush()) fail("write", path);
}

inline void unshare_kinds(int kinds) {
  if (::unshare(kinds) == 0) return;
  const std::string user = fmt::format("{0} {0} 1", ::geteuid());
  const std::string group = fmt::format("{0} {0} 1", ::getegid());
  check(::unshare(CLONE_NEWUSER | kinds), "unshare");
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", user);
  write_file("/proc/self/gid_map", group);
}

/// Mounts over the directories. What is below `kept` stays where it is.
inline void empty_directories(const std::vector<std::string>& emptied, const std::string& kept) {
  check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount", "/");
  const Fd held(check(::open(kept.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC), "open", kept));
  for (const std::string& directory : emptied)
    check(::mount("none", directory.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "mount",
          directory);
  if (std::filesystem::exists(kept)) return;
  std::filesystem::create_directories(kept);
  const std::string source = fmt::format("/proc/self/fd/{}", held.get());
  check(::mount(source.c_str(), kept.c_str(), nullptr, MS_BIND, nullptr), "mount", kept);
}

/// A new network's loopback is down, and takes no multicast: neither flag nor route.
inline void raise_loopback() {
  const Fd socket(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  loopback.ifr_flags = IFF_UP | IFF_RUNNING | IFF_MULTICAST;
  check(::ioctl(socket.get(), SIOCSIFFLAGS, &loopback), "ioctl", "SIOCSIFFLAGS lo");
  const auto address = [](in_addr_t number) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(number);
    sockaddr any;
    std::memcpy(&any, &in, sizeof any);
    return any;
  };
  rtentry route{};
  route.rt_dst = address(0xe0000000);
  route.rt_genmask = address(0xf0000000);
  route.rt_flags = RTF_UP;
  route.rt_dev = loopback.ifr_name;
  check(::ioctl(socket.get(), SIOCADDRT, &route), "ioctl", "SIOCADDRT 224.0.0.0/4");
}

inline void enter(const Private& what, const std::string& kept) {
  unshare_kinds(what.kinds());
  if ((what.kinds() & CLONE_NEWNS) != 0) empty_directories(what.emptied, kept);
  if (what.has_network) raise_loopback();
}

inline void join(pid_t pid, int kinds) {
  const Fd maker = open_pidfd(pid);
  if (::setns(maker.get(), kinds) != 0) check(::setns(maker.get(), CLONE_NEWUSER | kinds), "setns");
}

}  // namespace detail

/// Moves the calling process, which must be a runner, and with it all that it starts; or, where two
/// programs are the ends, each of them to the same place. The first one of a process does so, and
/// all that come after it are there already.
class PrivateNamespaces {
 public:
  PrivateNamespaces(const RunDirectory& directory, const Private& what)
      : maker_(directory, NameKind::note) {
    static bool is_there = false;
    if (!is_there && directory.is_ours()) detail::enter(what, directory.path());
    if (directory.is_ours())
      maker_.publish(::getpid());
    else if (!is_there)
      detail::join(static_cast<pid_t>(maker_.await_number()), what.kinds());
    is_there = true;
  }

  /// Why there is none here, or "". A child tries.
  static std::string unavailable(const Private& what) {
    const pid_t child = check(::fork(), "fork");
    if (child == 0) {
      try {
        detail::enter(what, "/");
      } catch (const std::system_error& error) {
        ::_exit(error.code().value());
      }
      ::_exit(0);
    }
    int status = 0;
    check(retry([&] { return ::waitpid(child, &status, 0); }), "waitpid");
    if (status == 0) return "";
    return fmt::format("no namespaces of its own: {}; it takes CAP_SYS_ADMIN or user namespaces",
                       WIFEXITED(status) ? std::strerror(WEXITSTATUS(status)) : "killed");
  }

 private:
  Name maker_;
};

}  // namespace ipcbench
