// kmod_ring: memory that our kernel module allocates and both processes map, with a ring in it.
// Messages are written and read in place. A side waits by spinning, by yielding, in an ioctl that
// sleeps while a word is as expected (as futex(2) does), or in poll(2) for a bell, as with UIO.
#include "scenarios/matrix.h"
#include "transports/kmod_waits.h"

namespace ipcbench {
namespace {

constexpr Facts facts_of(std::string_view name, std::string_view summary) {
  Facts facts = kmod_facts(name, summary);
  facts.naming = Naming::inherited;
  facts.handle = Handle::memory;
  facts.peers = Peers::one_to_one;
  facts.pollable = false;
  facts.copies = 0;
  return facts;
}

Shape with_size(Shape shape, std::size_t size) {
  shape.size = size;
  return shape;
}

template <class Wait>
class KmodRing {
 public:
  struct Variant {};
  static constexpr Facts facts = facts_of("kmod_ring", "ring in memory of our kernel module");

  static std::string unavailable() { return kmod_unavailable(); }
  static std::size_t message_max() {
    return IPCBENCH_MESSAGE_MAX / 2 - 4096;
  }  // there are two slots
  static std::string unfit(const Shape& shape) {
    return Wait::needs_own_core && shape.shares_core ? "spinning needs a core for each end" : "";
  }

  explicit KmodRing(const Shape& shape)
      : shape_(shape),
        channel_(IPCBENCH_RING, with_size(shape, Ring<Wait>::bytes_for(shape))),
        producer_(held()),
        consumer_(channel_.session(IPCBENCH_CONSUMER)),
        memory_(Ring<Wait>::bytes_for(shape), producer_.get()),
        ring_(memory_.data(), shape, true) {
    prepare(ring_.reader(), {consumer_.get(), producer_.get()}, memory_.data());
    prepare(ring_.writer(), {producer_.get(), consumer_.get()}, memory_.data());
  }

  std::size_t depth() const { return Ring<Wait>::slots_for(shape_); }
  typename Ring<Wait>::Producer producer() { return typename Ring<Wait>::Producer(ring_); }
  typename Ring<Wait>::Consumer consumer() { return typename Ring<Wait>::Consumer(ring_); }

 private:
  Fd held() {
    channel_.hold();
    return channel_.session(IPCBENCH_PRODUCER);
  }

  Shape shape_;
  KmodChannel channel_;
  Fd producer_;
  Fd consumer_;
  Mapping memory_;
  Ring<Wait> ring_;
};

}  // namespace

std::vector<Row> kmod_ring_rows() {
  static constexpr auto row_of = []<class Wait>(std::type_identity<Wait>, std::string_view name,
                                                std::string_view summary) {
    static constexpr typename KmodRing<Wait>::Variant none{};
    return row<KmodRing<Wait>>(facts_of(name, summary), none);
  };
  return {row_of(std::type_identity<Spin>(), "kmod_ring.spin",
                 "ring in memory of our kernel module, waits by spinning"),
          row_of(std::type_identity<Yield>(), "kmod_ring.yield",
                 "ring in memory of our kernel module, waits by sched_yield"),
          row_of(std::type_identity<WordWait>(), "kmod_ring.ioctl",
                 "ring in memory of our kernel module, waits in an ioctl"),
          row_of(std::type_identity<Asleep<PollBell>>(), "kmod_ring.poll",
                 "ring in memory of our kernel module, waits in poll")};
}

}  // namespace ipcbench
