// boost_mq: Boost.Interprocess's message_queue: a priority queue in shared memory behind one mutex
// and two condition variables. Messages one way.
//
// They aren't robust: who is killed within send or receive leaves the mutex locked
// (https://www.boost.org/doc/libs/1_74_0/doc/html/interprocess/synchronization_mechanisms.html).
#include <algorithm>
#include <memory>

#include <boost/interprocess/ipc/message_queue.hpp>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/ring.h"

namespace ipcbench {
namespace {

using boost::interprocess::message_queue;

struct BoostMq {
  static constexpr Facts facts =
      LibraryFacts{.name = "boost_mq",
                   .summary = "Boost.Interprocess, message_queue in POSIX shared memory",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .persistence = Persistence::kernel,
                   .peers = Peers::many_to_many,
                   .copies = 2,
                   .carrier = "shm_posix.cond"};
  static constexpr std::string_view settings =
      "max_num_msg=depth, 2 MiB max_msg_size=size priority=0";

  // The memory is mapped in the process that uses it: an end's mapping is its own.
  struct Producer {
    std::unique_ptr<message_queue> queue;
    void send(View message) { queue->send(message.data(), message.size(), 0); }
  };
  struct Consumer {
    std::unique_ptr<message_queue> queue;
    std::size_t recv(Bytes buffer) {
      message_queue::size_type size = 0;
      unsigned priority = 0;
      queue->receive(buffer.data(), buffer.size(), size, priority);
      return size;
    }
  };

  explicit BoostMq(const Shape& shape)
      : depth_(Ring<Futex>::slots_for(shape)),  // as the carrier's ring, so that the two compare
        name_(*shape.directory, NameKind::posix_shm) {
    using namespace boost::interprocess;
    if (name_.is_ours())
      message_queue(create_only, name_.text().c_str(), depth_, shape.size, permissions(0600));
  }
  std::size_t depth() const { return depth_; }
  Producer producer() { return {open()}; }
  Consumer consumer() { return {open()}; }

 private:
  std::unique_ptr<message_queue> open() const {
    return std::make_unique<message_queue>(boost::interprocess::open_only, name_.text().c_str());
  }
  std::size_t depth_;
  Name name_;
};

}  // namespace

std::vector<Row> boost_mq_rows() {
  return {row<BoostMq>()};
}

}  // namespace ipcbench
