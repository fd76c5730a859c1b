// iceoryx: Eclipse iceoryx: loans of shared memory, which a subscriber reads where the publisher
// wrote them. Its daemon, RouDi, gives the memory and introduces the ends; no message passes it.
//
// A subscriber polls, or sleeps at a WaitSet. A publisher waits, by yielding, for a subscriber
// whose queue is full; by default that would drop its oldest message
// (https://github.com/eclipse-iceoryx/iceoryx/tree/release_2.0/iceoryx_examples/iceoptions).
#include <memory>
#include <string>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/iceoryx_ends.h"

namespace ipcbench {
namespace {

template <IceoryxWait how>
struct Iceoryx {
  static constexpr Facts facts =
      LibraryFacts{.name = how == IceoryxWait::poll ? "iceoryx.poll" : "iceoryx.waitset",
                   .summary = how == IceoryxWait::poll ? "iceoryx, loans; subscribers poll"
                                                       : "iceoryx, loans; a WaitSet wakes",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 0,
                   .carrier = how == IceoryxWait::poll ? "shm_posix.yield" : "shm_posix.posix_sem"};
  static constexpr std::string_view settings =
      "WAIT_FOR_CONSUMER BLOCK_PRODUCER queueCapacity=depth monitoring-mode=off mempool=64 "
      "MiB, 24 chunks at least";

  static std::string unavailable() { return Roudi::unavailable(); }

  explicit Iceoryx(const Shape& shape)
      : shape_(shape),
        roudi_(Roudi::get(shape)),
        there_(*shape.directory, NameKind::note),
        back_(*shape.directory, NameKind::note) {
    static int links = 0;
    service_ = fmt::format("link{}", links++);
  }
  std::size_t depth() const { return Roudi::depth(shape_); }
  IceoryxEnd<how> producer() { return {shape_, service_, "there", "back", there_, back_}; }
  IceoryxEnd<how> consumer() { return {shape_, service_, "back", "there", back_, there_}; }

 private:
  Shape shape_;
  std::shared_ptr<Roudi> roudi_;
  Name there_;
  Name back_;
  std::string service_;
};

}  // namespace

std::vector<Row> iceoryx_rows() {
  return {row<Iceoryx<IceoryxWait::poll>>(), row<Iceoryx<IceoryxWait::waitset>>()};
}

}  // namespace ipcbench
