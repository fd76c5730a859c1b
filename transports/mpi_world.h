// mpi_world.h: a world of MPI for two ends that mpirun hasn't started.
//
// It starts two keepers of these places, which write their environment down and sleep; the ends
// take the environments over.
#pragma once

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "harness/daemon.h"
#include "harness/transport.h"
#include "transports/mpi_launcher.h"
#include "transports/private_namespaces.h"

namespace ipcbench {

class MpiWorld {
 public:
  explicit MpiWorld(const RunDirectory& directory)
      : namespaces_(directory, mpi_places()),
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

  /// Takes the environment of a place over.
  void enter(int rank) const {
    places_[rank].await();
    std::ifstream place(places_[rank].text());
    for (std::string variable; std::getline(place, variable, '\0');) {
      const std::size_t equals = variable.find('=');
      if (variable.starts_with("OMPI_") || variable.starts_with("PMIX_"))
        ::setenv(variable.substr(0, equals).c_str(), variable.c_str() + equals + 1, 1);
    }
  }

 private:
  /// Every mpirun takes itself for the same one, by its number: what they name would clash.
  std::string own_directory() const {
    return "/dev/shm" / std::filesystem::path(places_[0].text()).stem();
  }
  /// mpirun is the first process of a namespace of processes: when it is gone, so are its children,
  /// and nobody has to reap them.
  std::vector<std::string> command() const {
    std::vector<std::string> words{"unshare", "--pid", "--fork", "--kill-child"};
    if (::geteuid() != 0) words.emplace_back("--map-current-user");
    const auto keeper = [](const Name& place) -> std::vector<std::string> {
      return {"sh", "-c", "env -0 > \"$0.new\" && mv \"$0.new\" \"$0\" && exec sleep infinity",
              place.text()};
    };
    for (std::string& word : mpirun(own_directory(), {keeper(places_[0]), keeper(places_[1])}))
      words.push_back(std::move(word));
    return words;
  }

  PrivateNamespaces namespaces_;
  Name places_[2];  ///< what the keepers write
  pid_t owner_;
  std::optional<Daemon> mpirun_;
};

}  // namespace ipcbench
