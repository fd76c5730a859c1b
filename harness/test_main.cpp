// The main() of the tests that run transports: each test program has the kernel's names to itself,
// so that several of them run at once and each sees what it alone has left behind.
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "harness/name.h"
#include "harness/pair.h"

namespace ipcbench {
namespace {

/// A new network namespace has a loopback device, which is down.
void bring_loopback_up() {
  const Fd socket(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
  ifreq request{};
  std::string_view("lo").copy(request.ifr_name, sizeof request.ifr_name - 1);
  check(::ioctl(socket.get(), SIOCGIFFLAGS, &request), "ioctl", "SIOCGIFFLAGS");
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  check(::ioctl(socket.get(), SIOCSIFFLAGS, &request), "ioctl", "SIOCSIFFLAGS");
}

/// Mounts a file system in place of what everybody sees there, where there is such a place.
void mount_over(const char* path, const char* type, const char* options) {
  if (std::filesystem::exists(path))
    check(::mount("none", path, type, MS_NOSUID | MS_NODEV, options), "mount", path);
}

/// Moves to namespaces of its own: System V and POSIX queues, mounts (what has a name in a file
/// system), the network (ports, abstract sockets). False where the right to do so is missing.
bool enter_namespaces() {
  if (::unshare(CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET) != 0) return false;
  try {
    check(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "mount", "/");
    mount_over("/dev/shm", "tmpfs", "mode=1777");
    mount_over("/dev/mqueue", "mqueue", nullptr);
    bring_loopback_up();
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

/// Keeps other test programs waiting for as long as this process lives, where they would see each
/// other's objects.
void take_turn() {
  const std::string path =
      temporary_directory() + "/test-ipcbench." + std::to_string(::getuid()) + ".lock";
  static Fd lock;
  lock = Fd(check(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", path));
  check(retry([&] { return ::flock(lock.get(), LOCK_EX); }), "flock", path);
}

/// A temporary directory of its own: in the private /dev/shm, which vanishes with the last process
/// whatever becomes of it; else below the usual one.
class PrivateDirectory {
 public:
  explicit PrivateDirectory(std::string parent)
      : path_(std::move(parent) + "/test-ipcbench.XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) fail("mkdtemp", path_);
    ::setenv("TMPDIR", path_.c_str(), 1);
  }
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }

 private:
  std::string path_;
};

/// 77 where every test was skipped, so that ctest tells them from those that passed.
int run_all_tests() {
  const int status = RUN_ALL_TESTS();
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  const bool all_skipped =
      tests.skipped_test_count() > 0 && tests.skipped_test_count() == tests.test_to_run_count();
  return status == 0 && all_skipped ? 77 : status;
}

int run(int argc, char** argv) {
  // The ends of an exec start: they execute /proc/self/exe, which is this program.
  if (argc > 1 && std::string_view(argv[1]) == "end") return end_command({argv + 2, argv + argc});
  testing::InitGoogleTest(&argc, argv);
  if (GTEST_FLAG_GET(list_tests)) return RUN_ALL_TESTS();
  const bool is_alone = enter_namespaces();
  if (!is_alone) take_turn();
  const PrivateDirectory directory(is_alone ? "/dev/shm" : temporary_directory());
  return run_all_tests();
}

}  // namespace
}  // namespace ipcbench

int main(int argc, char** argv) {
  try {
    return ipcbench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
