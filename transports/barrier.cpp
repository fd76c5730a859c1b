// barrier: the process-shared barrier of pthread_barrier_init(3), where two processes meet.
//
// As a signal it is a rendezvous: both verbs are the same call, and a notify too blocks until the
// other side waits. In a handoff, which waits after each notify, that costs nothing: whoever comes
// second at either barrier wakes the other one.
#include "scenarios/matrix.h"
#include "transports/pshared.h"

namespace ipcbench {
namespace {

class Barrier {
 public:
  /// Any two processes can meet: of several producers, two could meet each other.
  static constexpr Facts facts =
      pshared_facts("barrier", "pthread barrier where two processes meet", Peers::one_to_one);

  struct Visitor {
    pthread_barrier_t* barrier;
    void notify() { meet(); }
    void wait() { meet(); }
    void meet() {
      const int error = ::pthread_barrier_wait(barrier);
      if (error != PTHREAD_BARRIER_SERIAL_THREAD) check_pthread(error, "pthread_barrier_wait");
    }
  };

  explicit Barrier(const Shape&) {
    pthread_barrierattr_t attributes;
    ::pthread_barrierattr_init(&attributes);
    ::pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    const int error = ::pthread_barrier_init(barrier_.get(), &attributes, 2);
    ::pthread_barrierattr_destroy(&attributes);
    check_pthread(error, "pthread_barrier_init");
  }
  Visitor producer() { return {barrier_.get()}; }
  Visitor consumer() { return {barrier_.get()}; }

 private:
  Shared<pthread_barrier_t> barrier_;
};

}  // namespace

std::vector<Row> barrier_rows() {
  return {row<Barrier>()};
}

}  // namespace ipcbench
