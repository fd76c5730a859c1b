#include "harness/unix.h"

#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include <charconv>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>

namespace ipcbench {

void fail(const char* call, std::string_view object) {
  const int error = errno;
  throw std::system_error(error, std::generic_category(),
                          object.empty() ? call : fmt::format("{}({})", call, object));
}

void fail_closed(const char* call) {
  throw LinkClosed(fmt::format("{}: the other end has closed the link", call));
}

// By number: the C library's own declaration is not usable from C++ in glibc 2.36.
Fd open_pidfd(pid_t pid) {
  return Fd(static_cast<int>(check(::syscall(SYS_pidfd_open, pid, 0), "pidfd_open")));
}

Mapping::Mapping(std::size_t size, int fd, off_t offset) : size_(size) {
  const int flags = MAP_SHARED | MAP_POPULATE | (fd == -1 ? MAP_ANONYMOUS : 0);
  address_ = check(::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, offset), "mmap");
}

Mapping Mapping::own_pages(std::size_t size) {
  constexpr int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  Mapping mapping;
  mapping.address_ = check(::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0), "mmap");
  mapping.size_ = size;
  return mapping;
}

Mapping::~Mapping() {
  if (address_ != nullptr) ::munmap(address_, size_);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  std::string result = text.str();
  while (!result.empty() &&
         (result.back() == '\n' || result.back() == ' ' || result.back() == '\0'))
    result.pop_back();
  return result;
}

std::uint64_t read_number(const std::string& path, std::uint64_t otherwise) {
  const std::string text = read_text(path);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end != text.data() ? number : otherwise;
}

std::string signal_text(int signal) {
  const char* description = ::sigdescr_np(signal);
  return fmt::format("signal {} ({})", signal, description == nullptr ? "unknown" : description);
}

}  // namespace ipcbench
