// cond: a process-shared condition variable (pthread_cond_wait(3)), with its mutex and a count.
#include "scenarios/matrix.h"
#include "transports/pshared.h"

namespace ipcbench {
namespace {

class Cond {
 public:
  static constexpr Facts facts =
      pshared_facts("cond", "pthread mutex and condition variable", Peers::many_to_many);

  struct Monitor {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    std::uint64_t count;

    void lock() { check_pthread(::pthread_mutex_lock(&mutex), "pthread_mutex_lock"); }
    void unlock() { check_pthread(::pthread_mutex_unlock(&mutex), "pthread_mutex_unlock"); }
  };

  // Signalled after the unlock, so that who wakes doesn't find the mutex taken.
  struct Producer {
    Monitor* monitor;
    void notify() {
      monitor->lock();
      ++monitor->count;
      monitor->unlock();
      check_pthread(::pthread_cond_signal(&monitor->changed), "pthread_cond_signal");
    }
  };
  struct Consumer {
    Monitor* monitor;
    void wait() {
      monitor->lock();
      while (monitor->count == 0)
        check_pthread(::pthread_cond_wait(&monitor->changed, &monitor->mutex), "pthread_cond_wait");
      --monitor->count;
      monitor->unlock();
    }
  };

  explicit Cond(const Shape&) {
    check_pthread(make_mutex(&monitor_.get()->mutex), "pthread_mutex_init");
    pthread_condattr_t attributes;
    ::pthread_condattr_init(&attributes);
    ::pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    const int error = ::pthread_cond_init(&monitor_.get()->changed, &attributes);
    ::pthread_condattr_destroy(&attributes);
    check_pthread(error, "pthread_cond_init");
  }
  Producer producer() { return {monitor_.get()}; }
  Consumer consumer() { return {monitor_.get()}; }

 private:
  Shared<Monitor> monitor_;
};

}  // namespace

std::vector<Row> cond_rows() {
  return {row<Cond>()};
}

}  // namespace ipcbench
