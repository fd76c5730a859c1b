// boost_spsc: Boost.Lockfree's spsc_queue in shared memory: a ring of bytes for one writer and one
// reader, who ask again and again. A byte stream one way.
#include <new>

#include <boost/lockfree/spsc_queue.hpp>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/waits.h"

namespace ipcbench {
namespace {

constexpr std::size_t ring_size = 1 << 20;
/// With its capacity in the type it holds no pointer, and may lie at any address.
using Ring = boost::lockfree::spsc_queue<std::byte, boost::lockfree::capacity<ring_size>>;

struct BoostSpsc {
  static constexpr Facts facts =
      LibraryFacts{.name = "boost_spsc",
                   .summary = "Boost.Lockfree, spsc_queue of bytes in shared memory",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .handle = Handle::memory,
                   .boundary = Boundary::stream,
                   .persistence = Persistence::kernel,
                   .copies = 2,
                   .carrier = "shm_posix.yield"};
  static constexpr std::string_view settings = "spsc_queue<std::byte> capacity=1 MiB";

  struct Producer {
    Mapping memory;
    void send(View message) {
      Ring& ring = ring_in(memory);
      SpinYield().wait([&] {
        message = message.subspan(ring.push(message.data(), message.size()));
        return message.empty();
      });
    }
  };
  struct Consumer {
    Mapping memory;
    std::size_t recv(Bytes buffer) {
      Ring& ring = ring_in(memory);
      const std::size_t size = buffer.size();
      SpinYield().wait([&] {
        buffer = buffer.subspan(ring.pop(buffer.data(), buffer.size()));
        return buffer.empty();
      });
      return size;
    }
  };

  explicit BoostSpsc(const Shape& shape)
      : size_(shape.size),
        name_(*shape.directory, NameKind::posix_shm),
        memory_(map_named(name_, sizeof(Ring))) {
    if (name_.is_ours()) new (memory_.data()) Ring;
  }
  std::size_t depth() const { return std::max<std::size_t>(1, ring_size / size_); }
  Producer producer() { return {std::move(memory_)}; }
  Consumer consumer() { return {std::move(memory_)}; }

 private:
  static Ring& ring_in(const Mapping& memory) {
    return *std::launder(reinterpret_cast<Ring*>(memory.data()));
  }
  std::size_t size_;
  Name name_;
  Mapping memory_;
};

}  // namespace

std::vector<Row> boost_spsc_rows() {
  return {row<BoostSpsc>()};
}

}  // namespace ipcbench
