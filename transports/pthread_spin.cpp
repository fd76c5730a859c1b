// pthread_spin: the process-shared lock of pthread_spin_init(3). Whoever waits never sleeps.
#include "scenarios/matrix.h"
#include "transports/pshared.h"

namespace ipcbench {
namespace {

class PthreadSpin {
 public:
  static constexpr Facts facts =
      pshared_facts("pthread_spin", "pthread spin lock in shared memory", Peers::many_to_many);

  static std::string unfit(const Shape& shape) {
    return shape.shares_core ? "spinning needs a core for each end" : "";
  }

  struct Holder {
    pthread_spinlock_t* spin;
    void lock() { check_pthread(::pthread_spin_lock(spin), "pthread_spin_lock"); }
    void unlock() { check_pthread(::pthread_spin_unlock(spin), "pthread_spin_unlock"); }
  };

  explicit PthreadSpin(const Shape&) {
    check_pthread(::pthread_spin_init(spin_.get(), PTHREAD_PROCESS_SHARED), "pthread_spin_init");
  }
  Holder producer() { return {spin_.get()}; }
  Holder consumer() { return {spin_.get()}; }

 private:
  Shared<pthread_spinlock_t> spin_;
};

}  // namespace

std::vector<Row> pthread_spin_rows() {
  return {row<PthreadSpin>()};
}

}  // namespace ipcbench
