// mpi: Open MPI, by MPI_Send and MPI_Recv between the two processes of a world. What carries them
// is the shared memory of its transfer layer "vader"; large messages are taken out of the other
// process by process_vm_readv(2). Who waits polls, and yields where cores are shared
// (https://www.open-mpi.org/faq/?category=running, on its "aggressive" and "degraded" modes).
#include <mpi.h>
#include <stdlib.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/mpi_end.h"
#include "transports/mpi_launcher.h"
#include "transports/mpi_world.h"

namespace ipcbench {
namespace {

struct Mpi {
  using Launcher = MpiLauncher;
  static constexpr Facts facts =
      LibraryFacts{.name = "mpi",
                   .summary = "Open MPI, MPI_Send and MPI_Recv through shared memory",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 2,
                   .standard = "MPI",
                   .carrier = "shm_posix.yield"};
  static constexpr std::string_view settings =
      "pml=ob1 btl=vader,self btl_vader_backing_directory=/dev/shm "
      "mpi_yield_when_idle=shares_core --bind-to none --oversubscribe; MPI_Alloc_mem";

  static std::string unavailable() {
    std::string why = Daemon::why_missing("mpirun", "openmpi-bin");
    if (why.empty()) why = Daemon::why_missing("unshare", "util-linux");
    return why.empty() ? PrivateNamespaces::unavailable(mpi_places()) : why;
  }

  explicit Mpi(const Shape& shape) : shape_(shape), tag_(next_tag()) {
    if (!shape.is_launched) world_.emplace(*shape.directory);
  }
  MpiEnd producer() { return enter(0); }
  MpiEnd consumer() { return enter(1); }

 private:
  static int next_tag() {
    static int made = 0;
    return made++;
  }
  /// A process becomes one of the two once in its life: MPI can't be started twice. So its later
  /// links are of the world of its first one.
  MpiEnd enter(int rank) const {
    static bool is_there = false;
    if (!std::exchange(is_there, true)) {
      if (world_) world_->enter(rank);
      ::setenv("OMPI_MCA_mpi_yield_when_idle", shape_.shares_core ? "1" : "0", 1);
      if (::MPI_Init(nullptr, nullptr) != MPI_SUCCESS) throw std::runtime_error("MPI_Init failed");
      ::MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    }
    return {rank, tag_, shape_.size};
  }

  Shape shape_;
  int tag_;
  std::optional<MpiWorld> world_;
};

}  // namespace

std::vector<Row> mpi_rows() {
  return {row<Mpi>()};
}

}  // namespace ipcbench
