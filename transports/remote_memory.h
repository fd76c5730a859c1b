// remote_memory.h: a queue of message slots in the memory of one process, into or out of which the
// other one copies: what the transports across address spaces share.
//
// Either the consumer owns the slots, and the producer writes each message into the next one; or
// the producer owns them, and the consumer reads. The owner works in place. Beside the slots there
// is a page of shared memory, for what such a copy can't do: saying that a message is there, and
// that its slot is free again. How memory is reached is the policy's: an Access is made of the
// owner's pid, and has write(address, message) and read(address, buffer).
#pragma once

#include <climits>
#include <cstdint>
#include <new>

#include "harness/reach.h"
#include "transports/slots.h"

namespace ipcbench {

constexpr Facts remote_memory_facts(std::string_view name, std::string_view summary, Handle handle,
                                    int copies) {
  return {.name = name,
          .summary = summary,
          .family = Family::process,
          .naming = Naming::pid,
          .handle = handle,
          .boundary = Boundary::message,
          .persistence = Persistence::process,
          .delivery = Delivery::reliable,
          .peers = Peers::one_to_one,
          .pollable = false,
          .copies = copies,
          .standard = "Linux"};
}

/// For calls that copy everything unless the other process or its memory is gone.
inline void check_copied(ssize_t copied, std::size_t size, const char* call) {
  if (copied == static_cast<ssize_t>(size)) [[likely]]
    return;
  if (copied == -1) fail(call);
  fail_closed(call);
}

/// What the two directions have in common: the shared words, and who owns the slots.
template <class Access>
class RemoteMemory {
 public:
  explicit RemoteMemory(const Shape& shape)
      : name_(*shape.directory, NameKind::posix_shm),
        memory_(map_named(name_, sizeof(Owner) + Slots::bytes_for(shape))),
        owner_(name_.is_ours() ? new (memory_.data()) Owner
                               : std::launder(reinterpret_cast<Owner*>(memory_.data()))),
        slots_(memory_.data() + sizeof(Owner), shape, name_.is_ours()) {}
  std::size_t depth() const { return slots_.count; }

 protected:
  const Slots& slots() const { return slots_; }
  /// In the owner: makes the slots, and tells the other end where.
  Mapping make_slots() const {
    Mapping memory = Mapping::own_pages(slots_.count * slots_.stride);
    allow_reach();
    owner_->address = reinterpret_cast<std::uintptr_t>(memory.data());
    owner_->pid.store(static_cast<std::uint32_t>(::getpid()), std::memory_order_release);
    futex_wake(owner_->pid, INT_MAX);
    return memory;
  }
  /// In the other process: waits for the owner.
  Access reach_owner() const {
    std::uint32_t pid;
    while ((pid = owner_->pid.load(std::memory_order_acquire)) == 0) futex_wait(owner_->pid, 0);
    return Access(static_cast<pid_t>(pid));
  }
  std::uint64_t owner_address() const { return owner_->address; }

 private:
  struct alignas(128) Owner {
    std::uint64_t address{0};           ///< of the slots, in its memory
    std::atomic<std::uint32_t> pid{0};  ///< stored last; a futex
  };

  Name name_;
  Mapping memory_;
  Owner* owner_;
  Slots slots_;
};

/// The producer writes into the consumer's memory.
template <class Access>
struct Pushed : RemoteMemory<Access> {
  struct Producer {
    SlotSender messages;
    Access consumer;
    std::uint64_t slots;
    void send(View message) {
      consumer.write(slots + messages.await(), message);
      messages.publish(message.size());
    }
  };
  struct Consumer {
    SlotReceiver messages;
    Mapping slots;
    View peek(std::size_t) {
      const auto [place, size] = messages.await();
      return {slots.data() + place, size};
    }
    void release() { messages.release(); }
  };

  using RemoteMemory<Access>::RemoteMemory;
  Producer producer() {
    Access consumer = this->reach_owner();
    return {SlotSender(this->slots()), std::move(consumer), this->owner_address()};
  }
  Consumer consumer() { return {SlotReceiver(this->slots()), this->make_slots()}; }
};

/// The consumer reads out of the producer's memory.
template <class Access>
struct Pulled : RemoteMemory<Access> {
  class Producer {
   public:
    Producer(const Slots& slots, Mapping memory) : messages_(slots), memory_(std::move(memory)) {}
    Producer(Producer&&) noexcept = default;
    Producer& operator=(Producer&&) noexcept = default;
    // Messages live no longer than this process: so it stays until all are read.
    ~Producer() {
      if (memory_.size() != 0) messages_.await_all_released();
    }
    Bytes reserve(std::size_t size) {
      size_ = size;
      return {memory_.data() + messages_.await(), size};
    }
    void commit() { messages_.publish(size_); }

   private:
    SlotSender messages_;
    Mapping memory_;
    std::size_t size_ = 0;
  };
  struct Consumer {
    SlotReceiver messages;
    Access producer;
    std::uint64_t slots;
    std::size_t recv(Bytes buffer) {
      const auto [place, size] = messages.await();
      producer.read(slots + place, buffer.first(size));
      messages.release();
      return size;
    }
  };

  using RemoteMemory<Access>::RemoteMemory;
  Producer producer() { return {this->slots(), this->make_slots()}; }
  Consumer consumer() {
    Access producer = this->reach_owner();
    return {SlotReceiver(this->slots()), std::move(producer), this->owner_address()};
  }
};

}  // namespace ipcbench
