// mutex: the process-shared mutex of pthread_mutex_init(3). Variants say what becomes of it when
// its holder dies (robust), and of a holder that keeps a more urgent process waiting (pi).
#include <fmt/format.h>

#include "scenarios/matrix.h"
#include "transports/pshared.h"

namespace ipcbench {
namespace {

class Mutex {
 public:
  struct Variant {
    int robust;
    int protocol;
  };

  static constexpr Facts facts =
      pshared_facts("mutex.normal", "pthread mutex in shared memory", Peers::many_to_many);

  static std::string unavailable(const Variant& variant) {
    pthread_mutex_t mutex;
    const int error = make_mutex(&mutex, variant.robust, variant.protocol);
    return error == 0 ? "" : fmt::format("pthread_mutex_init: {}", ::strerror(error));
  }

  struct Holder {
    pthread_mutex_t* mutex;
    bool owner_died = false;
    void lock() {
      const int error = ::pthread_mutex_lock(mutex);
      if (error != 0) [[unlikely]]
        take_over(error);
    }
    void unlock() { check_pthread(::pthread_mutex_unlock(mutex), "pthread_mutex_unlock"); }

    /// A robust mutex whose holder has died is held already: only its state is to be mended.
    [[gnu::cold, gnu::noinline]] void take_over(int error) {
      if (error != EOWNERDEAD) check_pthread(error, "pthread_mutex_lock");
      check_pthread(::pthread_mutex_consistent(mutex), "pthread_mutex_consistent");
      owner_died = true;
    }
  };

  explicit Mutex(const Shape& shape) {
    const auto& variant = shape.variant_as<Variant>();
    check_pthread(make_mutex(mutex_.get(), variant.robust, variant.protocol), "pthread_mutex_init");
  }
  Holder producer() { return {.mutex = mutex_.get()}; }
  Holder consumer() { return {.mutex = mutex_.get()}; }

 private:
  Shared<pthread_mutex_t> mutex_;
};

}  // namespace

std::vector<Row> mutex_rows() {
  static constexpr Mutex::Variant normal{PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_NONE};
  static constexpr Mutex::Variant robust{PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE};
  static constexpr Mutex::Variant pi{PTHREAD_MUTEX_STALLED, PTHREAD_PRIO_INHERIT};
  return {row<Mutex>(Mutex::facts, normal),
          row<Mutex>(pshared_facts("mutex.robust", "pthread mutex that tells of a dead holder",
                                   Peers::many_to_many),
                     robust),
          row<Mutex>(pshared_facts("mutex.pi", "pthread mutex with priority inheritance",
                                   Peers::many_to_many),
                     pi)};
}

}  // namespace ipcbench
