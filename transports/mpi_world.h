// mpi_world.h: a world of MPI for two ends that mpirun hasn't started.
//
// Processes are of one job, and so may share memory, where mpirun has made them so: it tells each
// of them by its environment who it is, and where mpirun's server is (PMIx), which MPI_Init asks
// about the others. Here it starts two keepers of these places, which write their environment down
// and sleep; the ends take the environments over.
#pragma once

#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/daemon.h"
#include "harness/transport.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

class MpiWorld {
 public:
  explicit MpiWorld(const RunDirectory& directory)
      : namespaces_(directory, hidden()),
        places_{{directory, NameKind::note}, {directory, NameKind::note}},
        owner_(::getpid()) {
    if (!directory.is_ours()) {
      const Name log(directory, NameKind::path);  // the daemon's: names are numbered alike
      return;
    }
    std::filesystem::create_directory(own_directory());
    mpirun_.emplace(directory, command(), [&] {
      return ::access(places_[0].text().c_str(), F_OK) == 0 &&
             ::access(places_[1].text().c_str(), F_OK) == 0;
    });
  }
  MpiWorld(const MpiWorld&) = delete;
  MpiWorld& operator=(const MpiWorld&) = delete;
  /// Asked to end, mpirun would take its time.
  ~MpiWorld() {
    if (!mpirun_ || ::getpid() != owner_) return;
    if (mpirun_->pid() > 0) ::kill(mpirun_->pid(), SIGKILL);
    mpirun_.reset();
    std::error_code error;
    std::filesystem::remove_all(own_directory(), error);
  }

  static std::string unavailable() {
    for (const char* program : {"mpirun", "unshare"})
      if (std::string why =
              Daemon::why_missing(program, program[0] == 'm' ? "openmpi-bin" : "util-linux");
          !why.empty())
        return why;
    return PrivateNamespaces::unavailable(hidden());
  }

  /// Makes the calling process one of the two, once in its life: MPI can't be started twice. So its
  /// later links are of the world of its first one.
  void enter(int rank, bool shares_core) const {
    static bool is_there = false;
    if (is_there) return;
    is_there = true;
    places_[rank].await();
    std::ifstream place(places_[rank].text());
    for (std::string variable; std::getline(place, variable, '\0');) {
      const std::size_t equals = variable.find('=');
      if (variable.starts_with("OMPI_") || variable.starts_with("PMIX_"))
        ::setenv(variable.substr(0, equals).c_str(), variable.c_str() + equals + 1, 1);
    }
    ::setenv("OMPI_MCA_mpi_yield_when_idle", shares_core ? "1" : "0", 1);
    if (::MPI_Init(nullptr, nullptr) != MPI_SUCCESS) throw std::runtime_error("MPI_Init failed");
    ::MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  }

 private:
  /// Where its memory and the files of its sessions are.
  static Private hidden() { return {.emptied = {"/dev/shm"}}; }

  /// Every mpirun takes itself for the same one, by its number: what they name would clash.
  std::string own_directory() const {
    return "/dev/shm" / std::filesystem::path(places_[0].text()).stem();
  }
  /// mpirun is the first process of a namespace of processes: when it is gone, so are its children,
  /// and nobody has to reap them.
  std::vector<std::string> command() const {
    std::vector<std::string> words{"unshare", "--pid", "--fork", "--kill-child"};
    if (::geteuid() != 0) words.emplace_back("--map-current-user");
    const auto add = [&](std::initializer_list<std::string> more) {
      words.insert(words.end(), more);
    };
    add({"mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"});
    add({"--mca", "pml", "ob1", "--mca", "btl", "vader,self"});
    add({"--mca", "oob_tcp_if_include", "lo", "--mca", "orte_tmpdir_base", own_directory()});
    add({"--mca", "btl_vader_backing_directory", own_directory()});
    for (const Name& place : places_) {
      if (&place != &places_[0]) add({":"});
      add({"-n", "1", "sh", "-c",
           "env -0 > \"$0.new\" && mv \"$0.new\" \"$0\" && exec sleep infinity", place.text()});
    }
    return words;
  }

  PrivateNamespaces namespaces_;
  Name places_[2];  ///< what the keepers write
  pid_t owner_;
  std::optional<Daemon> mpirun_;
};

}  // namespace ipcbench
