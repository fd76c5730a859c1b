// binder_ends.h: a process's way into the binder driver, and what the client and the server of a
// call do with it. How they meet stands in binder.cpp.
#pragma once

#include <fcntl.h>
#include <linux/android/binder.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "harness/transport.h"
#include "harness/unix.h"

namespace ipcbench::binder {

inline constexpr const char* device = "/dev/binder";
inline constexpr std::uint32_t nothing = 0;
inline constexpr std::size_t room = std::size_t{4} << 20;  ///< the most that the driver maps

/// A process's own way into the driver: neither the descriptor nor the memory survives a fork.
class Session {
 public:
  Session() : device_(check(::open(device, O_RDWR | O_CLOEXEC), "open", device)) {
    void* const mapped = ::mmap(nullptr, room, PROT_READ, MAP_PRIVATE, device_.get(), 0);
    received_ = Mapping::adopt(check(mapped, "mmap", device), room);
  }

  /// Becomes whom handle 0 means. The one before may still be on its way out of the kernel.
  void manage() {
    constexpr int patience_ms = 5'000;
    for (int passed_ms = 0;; ++passed_ms) {
      if (::ioctl(device_.get(), BINDER_SET_CONTEXT_MGR, 0) == 0) return;
      if (errno != EBUSY || passed_ms == patience_ms) fail("ioctl", "BINDER_SET_CONTEXT_MGR");
      ::usleep(1'000);
    }
  }

  /// Puts a command and its argument behind those that the next exchange() writes.
  template <class... Argument>
  void put(std::uint32_t command, const Argument&... argument) {
    const auto append = [&](const void* bytes, std::size_t size) {
      std::memcpy(out_.data() + out_size_, bytes, size);
      out_size_ += size;
    };
    append(&command, sizeof command);
    (append(&argument, sizeof argument), ...);
  }
  void put_message(std::uint32_t command, View message) {
    binder_transaction_data data{};
    data.data_size = message.size();
    data.data.ptr.buffer = reinterpret_cast<binder_uintptr_t>(message.data());
    put(command, data);
  }
  /// Gives the last message's memory back with the next exchange.
  void give_back() {
    if (held_ != 0) put(BC_FREE_BUFFER, held_);
    held_ = 0;
  }

  /// Writes what was put, and waits until a message of that kind comes, which stays until
  /// give_back().
  View exchange(std::uint32_t awaited) {
    while (true) {
      binder_write_read both{};
      both.write_buffer = reinterpret_cast<binder_uintptr_t>(out_.data());
      both.write_size = out_size_;
      both.read_buffer = reinterpret_cast<binder_uintptr_t>(in_.data());
      both.read_size = awaited == nothing ? 0 : in_.size();
      const auto call = [&] { return ::ioctl(device_.get(), BINDER_WRITE_READ, &both); };
      check(retry(call), "ioctl", "BINDER_WRITE_READ");
      out_size_ = 0;
      if (awaited == nothing) return {};
      for (std::size_t at = 0; at < both.read_consumed;) {
        std::uint32_t said = 0;
        std::memcpy(&said, in_.data() + at, sizeof said);
        at += sizeof said;
        if (said == awaited) return message_at(at);
        if (said == BR_DEAD_REPLY) fail_closed("ioctl");
        if (said == BR_FAILED_REPLY || said == BR_ERROR) {
          errno = EMSGSIZE;  // there is no room for it at the receiver
          fail("ioctl", "BC_TRANSACTION");
        }
        at += _IOC_SIZE(said);  // done, nothing to do
      }
    }
  }

 private:
  View message_at(std::size_t at) {
    binder_transaction_data data;
    std::memcpy(&data, in_.data() + at, sizeof data);
    held_ = data.data.ptr.buffer;
    return {reinterpret_cast<const std::byte*>(held_), data.data_size};
  }

  Fd device_;
  Mapping received_;
  std::array<std::byte, 256> out_;
  std::size_t out_size_ = 0;
  std::array<std::byte, 256> in_;
  binder_uintptr_t held_ = 0;
};

struct Client {
  Session session;

  std::size_t call(View request, Bytes reply) {
    session.put_message(BC_TRANSACTION, request);
    const View answer = session.exchange(BR_REPLY);
    std::memcpy(reply.data(), answer.data(), answer.size());
    session.give_back();
    return answer.size();
  }
};

class Server {
 public:
  Server(Session session, std::size_t size)
      : session_(std::move(session)), reply_(size), size_(size) {
    session_.put(BC_ENTER_LOOPER);
  }

  template <class Handler>
  void serve(std::uint64_t count, Handler handler) {
    for (; count != 0; --count) {  // each reply goes out with the wait for the next call
      const View request = session_.exchange(BR_TRANSACTION);
      const std::size_t size = handler(request, Bytes{reply_.data(), size_});
      session_.give_back();
      session_.put_message(BC_REPLY, {reply_.data(), size});
    }
    session_.exchange(nothing);
  }

 private:
  Session session_;
  AlignedBuffer reply_;
  std::size_t size_;
};

}  // namespace ipcbench::binder
