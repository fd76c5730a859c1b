// shm_mpmc: a ring in POSIX shared memory, for several producers and consumers.
#include "scenarios/matrix.h"
#include "transports/mpmc_ring.h"

namespace ipcbench {
namespace {

template <class Wait>
struct Names;
template <>
struct Names<SpinYield> {
  static constexpr std::string_view name = "shm_mpmc";
  static constexpr std::string_view summary = "ring for many in shared memory, spins and yields";
};
template <>
struct Names<FutexForMany> {
  static constexpr std::string_view name = "shm_mpmc.futex";
  static constexpr std::string_view summary = "ring for many in shared memory, waits in futex";
};

template <class Wait>
class ShmMpmc {
 public:
  static constexpr Facts facts{.name = Names<Wait>::name,
                               .summary = Names<Wait>::summary,
                               .family = Family::shm,
                               .naming = Naming::pathname,
                               .handle = Handle::memory,
                               .boundary = Boundary::message,
                               .persistence = Persistence::kernel,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_many,
                               .pollable = false,
                               .copies = 0,
                               .standard = std::is_same_v<Wait, FutexForMany> ? "Linux" : "POSIX"};

  explicit ShmMpmc(const Shape& shape)
      : depth_(MpmcRing<Wait>::slots_for(shape)),
        name_(*shape.directory, NameKind::posix_shm),
        memory_(map_named(name_, MpmcRing<Wait>::bytes_for(shape))),
        ring_(memory_.data(), shape, name_.is_ours()) {}

  std::size_t depth() const { return depth_; }
  typename MpmcRing<Wait>::Producer producer() { return typename MpmcRing<Wait>::Producer(ring_); }
  typename MpmcRing<Wait>::Consumer consumer() { return typename MpmcRing<Wait>::Consumer(ring_); }

 private:
  std::size_t depth_;
  Name name_;
  Mapping memory_;
  MpmcRing<Wait> ring_;
};

}  // namespace

std::vector<Row> shm_mpmc_rows() {
  return {row<ShmMpmc<SpinYield>>(), row<ShmMpmc<FutexForMany>>()};
}

}  // namespace ipcbench
