// rwlock: the process-shared lock of pthread_rwlock_init(3), taken for writing.
#include "scenarios/matrix.h"
#include "transports/pshared.h"

namespace ipcbench {
namespace {

class Rwlock {
 public:
  static constexpr Facts facts =
      pshared_facts("rwlock", "pthread read-write lock, taken for writing", Peers::many_to_many);

  struct Holder {
    pthread_rwlock_t* rwlock;
    void lock() { check_pthread(::pthread_rwlock_wrlock(rwlock), "pthread_rwlock_wrlock"); }
    void unlock() { check_pthread(::pthread_rwlock_unlock(rwlock), "pthread_rwlock_unlock"); }
  };

  explicit Rwlock(const Shape&) {
    pthread_rwlockattr_t attributes;
    ::pthread_rwlockattr_init(&attributes);
    ::pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    const int error = ::pthread_rwlock_init(rwlock_.get(), &attributes);
    ::pthread_rwlockattr_destroy(&attributes);
    check_pthread(error, "pthread_rwlock_init");
  }
  Holder producer() { return {rwlock_.get()}; }
  Holder consumer() { return {rwlock_.get()}; }

 private:
  Shared<pthread_rwlock_t> rwlock_;
};

}  // namespace

std::vector<Row> rwlock_rows() {
  return {row<Rwlock>()};
}

}  // namespace ipcbench
