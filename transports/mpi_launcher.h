// mpi_launcher.h: mpirun, which makes processes one job: they may share memory, and each is told by
// its environment who it is and where mpirun's server is (PMIx), which MPI_Init asks about the
// others.
#pragma once

#include <array>
#include <initializer_list>
#include <string>
#include <vector>

#include "harness/daemon.h"
#include "harness/transport.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

/// Where mpirun's memory and the files of its sessions are.
inline Private mpi_places() {
  return {.emptied = {"/dev/shm"}};
}

/// mpirun of two programs, of ranks 0 and 1, with all that it makes below `directory`.
inline std::vector<std::string> mpirun(const std::string& directory,
                                       const std::array<std::vector<std::string>, 2>& programs) {
  std::vector<std::string> words;
  const auto add = [&](std::initializer_list<std::string> more) {
    words.insert(words.end(), more);
  };
  add({"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"});
  add({"--mca", "pml", "ob1", "--mca", "btl", "vader,self"});
  add({"--mca", "oob_tcp_if_include", "lo", "--mca", "orte_tmpdir_base", directory});
  add({"--mca", "btl_vader_backing_directory", directory});
  for (const std::vector<std::string>& program : programs) {
    if (&program != &programs[0]) add({":"});
    add({"-n", "1"});
    words.insert(words.end(), program.begin(), program.end());
  }
  return words;
}

/// As people start them. It ends when both have, or ends both when one has failed.
class MpiLauncher {
 public:
  MpiLauncher(const Shape& shape, const Programs& programs)
      : namespaces_(*shape.directory, mpi_places()),
        mpirun_(*shape.directory, mpirun(mpi_places().emptied[0], programs.commands),
                programs.are_there) {}

 private:
  PrivateNamespaces namespaces_;
  Daemon mpirun_;
};

}  // namespace ipcbench
