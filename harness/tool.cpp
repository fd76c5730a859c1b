#include "harness/tool.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "harness/unix.h"

namespace ipcbench {
namespace {

[[noreturn]] void become(std::vector<std::string> arguments, const std::array<Fd, 3>& files,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  for (int fd = 0; fd < 3; ++fd)
    if (::dup2(files[static_cast<std::size_t>(fd)].get(), fd) == -1) ::_exit(126);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execvp(pointers[0], pointers.data());
  ::_exit(errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 127 : 126);
}

}  // namespace

Fd memory_file(const char* name) {
  return Fd(check(::memfd_create(name, MFD_CLOEXEC), "memfd_create", name));
}

std::string content_of(const Fd& file) {
  struct stat status;
  check(::fstat(file.get(), &status), "fstat");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t part = check(retry([&] {
                                 return ::pread(file.get(), text.data() + got, text.size() - got,
                                                static_cast<off_t>(got));
                               }),
                               "pread");
    if (part == 0) break;
    got += static_cast<std::size_t>(part);
  }
  text.resize(got);
  return text;
}

ToolResult run_tool(const std::vector<std::string>& arguments, std::string_view input) {
  // Not pipes: however much goes in and comes out, nobody waits for a reader.
  const std::array<Fd, 3> files{memory_file("stdin"), memory_file("stdout"), memory_file("stderr")};
  while (!input.empty()) {
    const ssize_t written =
        check(retry([&] { return ::write(files[0].get(), input.data(), input.size()); }), "write",
              "memory");
    input.remove_prefix(static_cast<std::size_t>(written));
  }
  check(::lseek(files[0].get(), 0, SEEK_SET), "lseek");

  const pid_t parent = ::getpid();
  const pid_t pid = check(::fork(), "fork");
  if (pid == 0) become(arguments, files, parent);
  int status = 0;
  check(retry([&] { return ::waitpid(pid, &status, 0); }), "waitpid");
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), content_of(files[1]),
          content_of(files[2])};
}

}  // namespace ipcbench
