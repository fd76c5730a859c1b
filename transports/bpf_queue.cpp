// bpf_queue: a queue of values in the kernel, a BPF map of type BPF_MAP_TYPE_QUEUE. Processes push
// and pop by bpf(2), and so do BPF programs, for whom it is meant: a tracer's program pushes
// events, and the tracer pops them (https://docs.kernel.org/bpf/map_queue_stack.html).
//
// All values have one size, which is the map's: a message stands in front of so many bytes, with
// its own size, and all of them are copied, by way of a buffer that each call allocates. A full
// queue refuses, an empty one has nothing, and nobody is woken: an end asks again and again, or
// sleeps at an eventfd(2) until the other one has done something.
#include <cstring>
#include <new>

#include "scenarios/matrix.h"
#include "transports/bells.h"
#include "transports/bpf.h"
#include "transports/ring.h"

namespace ipcbench {
namespace {

/// What a value of the map begins with; the message follows.
using Size = std::uint64_t;

/// Where the two sides wait: for a message, and for room.
template <class Wait>
struct Waits {
  alignas(128) Wait reader;
  alignas(128) Wait writer;
};

/// An end's view of the map: a value in its own memory, and the calls that move it.
class Value {
 public:
  Value(int map, std::size_t size) : memory_(size) {
    element_.map_fd = static_cast<__u32>(map);
    element_.value = reinterpret_cast<std::uintptr_t>(memory_.data());
    std::memset(memory_.data(), 0, size);
  }
  Bytes message(std::size_t size) { return {memory_.data() + sizeof(Size), size}; }
  Size& size() { return *reinterpret_cast<Size*>(memory_.data()); }

  bool push() { return is_done(BPF_MAP_UPDATE_ELEM, E2BIG, "BPF_MAP_UPDATE_ELEM"); }
  bool pop() {
    return is_done(BPF_MAP_LOOKUP_AND_DELETE_ELEM, ENOENT, "BPF_MAP_LOOKUP_AND_DELETE_ELEM");
  }

 private:
  /// EBUSY: the lock of the queue couldn't be had for a while.
  bool is_done(bpf_cmd command, int refusal, const char* name) {
    if (bpf::call(command, element_) == 0) return true;
    if (errno != refusal && errno != EBUSY && errno != EINTR) [[unlikely]]
      fail("bpf", name);
    return false;
  }

  AlignedBuffer memory_;
  bpf_attr element_{};
};

Fd make_queue(std::size_t value_size, std::size_t entries) {
  return bpf::make_map(BPF_MAP_TYPE_QUEUE, 0, value_size, entries);
}

/// Asked from above: what is too large is refused at once.
std::size_t largest_value() {
  static const std::size_t most = [] {
    std::size_t size = std::size_t{64} << 20;
    while (size > 8 && !bpf::why_not([&] { make_queue(size, 1); }, "").empty()) size /= 2;
    return size;
  }();
  return most;
}

template <class Wait>
class BpfQueue {
 public:
  static constexpr bool sleeps = !std::is_same_v<Wait, Yield>;
  static constexpr Facts facts{
      .name = sleeps ? "bpf_queue.eventfd" : "bpf_queue.yield",
      .summary = sleeps ? "queue in the kernel, a BPF map, and an eventfd to wait at"
                        : "queue in the kernel, a BPF map, waits by sched_yield",
      .family = Family::queue,
      .naming = Naming::inherited,
      .handle = Handle::fd,
      .boundary = Boundary::message,
      .persistence = Persistence::process,
      .delivery = Delivery::reliable,
      .peers = sleeps ? Peers::one_to_one : Peers::many_to_many,
      .pollable = false,
      .copies = 4,  // into a buffer of the call, the queue, such a buffer again, and out of it
      .standard = "Linux"};

  static std::string unavailable() {
    return bpf::why_not([] { make_queue(8, 1); }, "CAP_BPF");
  }
  /// A value must fit into one piece of the kernel's memory (KMALLOC_MAX_SIZE, a power of two).
  static std::size_t message_max() { return largest_value() - sizeof(Size); }

  struct Producer {
    Value value;
    Waits<Wait>* waits;
    Bytes reserve(std::size_t size) {
      value.size() = size;
      return value.message(size);
    }
    void commit() {
      waits->writer.wait([this] { return value.push(); });
      waits->reader.wake();
    }
  };
  struct Consumer {
    Value value;
    Waits<Wait>* waits;
    View peek(std::size_t) {
      waits->reader.wait([this] { return value.pop(); });
      waits->writer.wake();
      return value.message(value.size());
    }
    void release() {}
  };

  explicit BpfQueue(const Shape& shape)
      : value_size_(sizeof(Size) + shape.size),
        depth_(Ring<Wait>::slots_for(shape)),  // as in shared memory, so that the two compare
        map_(make_queue(value_size_, depth_)),
        memory_(sizeof(Waits<Wait>)),
        waits_(new (memory_.data()) Waits<Wait>),
        reader_keeper_(shape, waits_->reader),
        writer_keeper_(shape, waits_->writer) {}

  std::size_t depth() const { return depth_; }
  Producer producer() { return {Value(map_.get(), value_size_), waits_}; }
  Consumer consumer() { return {Value(map_.get(), value_size_), waits_}; }

 private:
  std::size_t value_size_;
  std::size_t depth_;
  Fd map_;
  Mapping memory_;
  Waits<Wait>* waits_;
  Keeper<Wait> reader_keeper_;
  Keeper<Wait> writer_keeper_;
};

}  // namespace

std::vector<Row> bpf_queue_rows() {
  return {row<BpfQueue<Yield>>(), row<BpfQueue<Asleep<EventfdBell>>>()};
}

}  // namespace ipcbench
