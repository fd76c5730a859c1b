// unix.h: owners for what the kernel hands out (Fd, Mapping), and system calls that throw.
//
// EINTR is retried here and nowhere else. Everything may be called in any process of a run.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace ipcbench {

/// Memory that is lent for writing, and memory that is lent for reading. Sizes are bytes.
using Bytes = std::span<std::byte>;
using View = std::span<const std::byte>;

/// Throws std::system_error with errno and "call(object)".
[[noreturn, gnu::cold, gnu::noinline]] void fail(const char* call, std::string_view object = {});

/// The other end has closed the link.
struct LinkClosed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Throws LinkClosed.
[[noreturn, gnu::cold, gnu::noinline]] void fail_closed(const char* call);

/// Passes a system call's result through, and throws when it is -1 (or MAP_FAILED).
template <class Result>
inline Result check(Result result, const char* call, std::string_view object = {}) {
  if (result == static_cast<Result>(-1)) [[unlikely]]
    fail(call, object);
  return result;
}
inline void* check(void* result, const char* call, std::string_view object = {}) {
  if (result == MAP_FAILED) [[unlikely]]
    fail(call, object);
  return result;
}

/// Repeats a system call for as long as a signal interrupts it.
template <class Call>
inline auto retry(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) [[unlikely]] result = call();
  return result;
}

/// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

/// A descriptor that becomes readable when the process ends (pidfd_open(2)).
Fd open_pidfd(pid_t pid);

/// Owns a readable and writable memory mapping of `size` bytes: shared, its pages already present,
/// unless it is made by own_pages(). It is inherited over fork, and each process unmaps its own
/// copy.
class Mapping {
 public:
  Mapping() = default;
  /// Maps `size` bytes of `fd` from `offset`, or anonymous memory where `fd` is -1.
  explicit Mapping(std::size_t size, int fd = -1, off_t offset = 0);
  /// Memory of the calling process alone, whose pages come when they are touched.
  static Mapping own_pages(std::size_t size);
  /// Takes over memory that was mapped in another way (shmat(2), huge pages).
  static Mapping adopt(void* address, std::size_t size) {
    Mapping mapping;
    mapping.address_ = address;
    mapping.size_ = size;
    return mapping;
  }
  Mapping(Mapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(size_, other.size_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  std::byte* data() const { return static_cast<std::byte*>(address_); }
  std::size_t size() const { return size_; }

 private:
  void* address_ = nullptr;
  std::size_t size_ = 0;
};

/// The whole of a small text file, without trailing white space; "" where it can't be read.
std::string read_text(const std::string& path);

/// The number in a one-line file such as /proc/sys/fs/pipe-max-size; `otherwise` where there is
/// none.
std::uint64_t read_number(const std::string& path, std::uint64_t otherwise);

/// "signal 9 (Killed)".
std::string signal_text(int signal);

}  // namespace ipcbench
