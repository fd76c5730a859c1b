// memcpy: the roofline of bandwidth. One process writes a message, copies it once with memcpy(3),
// and reads the copy: no transport that copies can be faster on one core.
#include <cstring>
#include <memory>

#include "scenarios/matrix.h"

namespace ipcbench {
namespace {

struct Memcpy {
  static constexpr Facts facts{.name = "memcpy",
                               .summary = "roofline: one process writes, copies once, and reads",
                               .family = Family::roofline,
                               .naming = Naming::inherited,
                               .handle = Handle::memory,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 1,
                               .standard = "ISO C"};

  struct End {
    std::unique_ptr<std::byte[]> source;
    std::unique_ptr<std::byte[]> destination;
    std::size_t size = 0;
    Bytes reserve(std::size_t bytes) {
      size = bytes;
      return {source.get(), bytes};
    }
    void commit() {
      std::memcpy(destination.get(), source.get(), size);
      asm volatile("" : : "r"(destination.get()) : "memory");  // the copy is really made
    }
    View peek(std::size_t) { return {destination.get(), size}; }
    void release() {}
  };

  explicit Memcpy(const Shape& shape) : size_(shape.size) {}
  End alone() {
    return {std::make_unique<std::byte[]>(size_), std::make_unique<std::byte[]>(size_)};
  }

 private:
  std::size_t size_;
};

}  // namespace

std::vector<Row> memcpy_rows() {
  return {row<Memcpy>()};
}

}  // namespace ipcbench
