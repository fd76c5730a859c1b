// shm_posix: POSIX shared memory of shm_open(3), with a ring in it. Messages are written and read
// in place: nothing is copied. A variant for each way that a side can wait.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scenarios/matrix.h"
#include "transports/ring.h"

namespace ipcbench {
namespace {

template <class Wait>
struct Names;
template <>
struct Names<Spin> {
  static constexpr std::string_view name = "shm_posix.spin";
  static constexpr std::string_view summary = "ring in POSIX shared memory, waits by spinning";
};
template <>
struct Names<Yield> {
  static constexpr std::string_view name = "shm_posix.yield";
  static constexpr std::string_view summary = "ring in POSIX shared memory, waits by sched_yield";
};
template <>
struct Names<Futex> {
  static constexpr std::string_view name = "shm_posix.futex";
  static constexpr std::string_view summary = "ring in POSIX shared memory, waits in futex";
};

template <class Wait>
struct ShmPosix {
  static constexpr Facts facts{.name = Names<Wait>::name,
                               .summary = Names<Wait>::summary,
                               .family = Family::shm,
                               .naming = Naming::pathname,
                               .handle = Handle::memory,
                               .boundary = Boundary::message,
                               .persistence = Persistence::kernel,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 0,
                               .standard = "POSIX"};

  static std::string unfit(const Shape& shape) {
    return Wait::needs_own_core && shape.shares_core ? "spinning needs a core for each end" : "";
  }

  explicit ShmPosix(const Shape& shape)
      : name_(*shape.directory, NameKind::posix_shm),
        memory_(map(name_, Ring<Wait>::bytes_for(shape))),
        ring_(memory_.data(), shape, name_.is_ours()),
        depth_(Ring<Wait>::slots_for(shape)) {}

  std::size_t depth() const { return depth_; }
  typename Ring<Wait>::Producer producer() { return typename Ring<Wait>::Producer(ring_); }
  typename Ring<Wait>::Consumer consumer() { return typename Ring<Wait>::Consumer(ring_); }

 private:
  static Mapping map(const Name& name, std::size_t size) {
    const int flags = O_RDWR | O_CLOEXEC | (name.is_ours() ? O_CREAT | O_EXCL : 0);
    const Fd fd(check(::shm_open(name.text().c_str(), flags, 0600), "shm_open", name.text()));
    if (name.is_ours())
      check(::ftruncate(fd.get(), static_cast<off_t>(size)), "ftruncate", name.text());
    return Mapping(size, fd.get());
  }

  Name name_;
  Mapping memory_;
  Ring<Wait> ring_;
  std::size_t depth_;
};

}  // namespace

std::vector<Row> shm_posix_rows() {
  return {row<ShmPosix<Spin>>(), row<ShmPosix<Yield>>(), row<ShmPosix<Futex>>()};
}

}  // namespace ipcbench
