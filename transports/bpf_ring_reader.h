// bpf_ring_reader.h: the end that reads a BPF map of type BPF_MAP_TYPE_RINGBUF: its records lie in
// memory that the kernel writes and the process may only read.
#pragma once

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "harness/transport.h"

namespace ipcbench {

class BpfRingReader {
 public:
  /// What a record of ours begins with; the message follows.
  using Size = std::uint64_t;
  static std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
  }
  /// Of a record of so many bytes, with its header.
  static constexpr std::size_t room_for(std::size_t length) {
    return (BPF_RINGBUF_HDR_SZ + length + 7) / 8 * 8;
  }

  BpfRingReader(Waitable map, std::size_t ring_size)
      : map_(std::move(map)),
        mask_(ring_size - 1),
        mine_(page_size(), map_.get()),
        // The data is mapped twice, one after the other: records that go round its end, too, are
        // in one piece.
        kernels_(read_only(page_size() + 2 * ring_size, map_.get(), page_size())) {}

  View peek(std::size_t) {
    while (true) {
      if (const std::byte* record = next_record()) return message_in(record);
      // The kernel wakes whom it finds at the end of the ring: it must see that we are there.
      std::atomic_thread_fence(std::memory_order_seq_cst);
      if (const std::byte* record = next_record()) return message_in(record);
      errno = EAGAIN;
      map_.await_readable("epoll_wait");
    }
  }
  void release() { move_on(); }

 private:
  static Mapping read_only(std::size_t size, int map, std::size_t offset) {
    return Mapping::adopt(check(::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, map,
                                       static_cast<off_t>(offset)),
                                "mmap"),
                          size);
  }
  template <class Word>
  static std::atomic<Word>& word_at(const std::byte* place) {
    return *reinterpret_cast<std::atomic<Word>*>(const_cast<std::byte*>(place));
  }

  /// Null: there is none, or it is still being written.
  const std::byte* next_record() {
    while (position_ != word_at<std::uint64_t>(kernels_.data()).load(std::memory_order_acquire)) {
      const std::byte* record = kernels_.data() + page_size() + (position_ & mask_);
      const auto header = word_at<std::uint32_t>(record).load(std::memory_order_acquire);
      if ((header & BPF_RINGBUF_BUSY_BIT) != 0) return nullptr;
      length_ = header & ~BPF_RINGBUF_DISCARD_BIT;
      if ((header & BPF_RINGBUF_DISCARD_BIT) == 0) return record + BPF_RINGBUF_HDR_SZ;
      move_on();
    }
    return nullptr;
  }
  static View message_in(const std::byte* record) {
    return {record + sizeof(Size), *reinterpret_cast<const Size*>(record)};
  }
  void move_on() {
    position_ += room_for(length_);
    word_at<std::uint64_t>(mine_.data()).store(position_, std::memory_order_release);
  }

  Waitable map_;
  std::size_t mask_;
  Mapping mine_;     ///< how far this end has read: the kernel looks there
  Mapping kernels_;  ///< how far records go, a page, and the ring twice
  std::uint64_t position_ = 0;
  std::uint32_t length_ = 0;
};

}  // namespace ipcbench
