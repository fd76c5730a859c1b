// rows_test.h: for tests that go through every row of the table.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "harness/modules.h"
#include "harness/row.h"
#include "harness/unix.h"

namespace ipcbench {

/// The index of each row, as a test's parameter.
inline auto every_row() {
  return testing::Range(std::size_t{0}, all_rows().size());
}

/// "shm_posix_spin": a test's name has letters, digits and underscores alone.
inline std::string row_name(const testing::TestParamInfo<std::size_t>& row) {
  std::string name(all_rows()[row.param].facts.name);
  for (char& c : name)
    if (c == '.') c = '_';
  return name;
}

/// Why the row can't be run here, or "". A module is asked in another process, as in a run: the
/// test has none of its code.
inline std::string why_unavailable(const Row& row) {
  std::string why = row.unavailable();
  if (!why.empty() || row.module == nullptr) return why;
  int fds[2];
  check(::pipe2(fds, O_CLOEXEC), "pipe2");
  const Fd answer(fds[0]);
  Fd answer_end(fds[1]);
  const pid_t child = check(::fork(), "fork");
  if (child == 0) {
    why = loaded(row).unavailable();
    ::_exit(::write(answer_end.get(), why.data(), why.size()) >= 0 ? 0 : 1);
  }
  answer_end.close();
  char part[256];
  for (ssize_t size; (size = ::read(answer.get(), part, sizeof part)) > 0;)
    why.append(part, static_cast<std::size_t>(size));
  int status = 0;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("the module crashed when it was asked");
  return why;
}

}  // namespace ipcbench
