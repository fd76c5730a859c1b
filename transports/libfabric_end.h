// libfabric_end.h: an end of a libfabric link: an endpoint, and buffers that it receives into.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "transports/fabric.h"
#include "transports/libfabric_library.h"

namespace ipcbench {

class LibfabricEnd {
 public:
  LibfabricEnd(const LibfabricWay& way, const Shape& shape, const Introduction& introduction,
               bool listens)
      : core_(std::make_unique<Core>(way, shape, introduction, listens)) {
    // The first message connects, for which both ends must poll; if both began, they would have to
    // agree on one of two connections.
    if (listens) take();
    reserve(0);
    commit();
    if (!listens) take();
  }
  LibfabricEnd(LibfabricEnd&&) noexcept = default;
  LibfabricEnd& operator=(LibfabricEnd&&) noexcept = default;
  ~LibfabricEnd() {
    if (!core_) return;
    core_->introduction.say_goodbye(*this, core_->listens);
  }

  Bytes reserve(std::size_t size) {
    core_->out.size = size;
    return {core_->out.memory, size};
  }
  void commit() { core_->send(); }
  View peek(std::size_t) {
    const Slot& slot = core_->next_received();
    return {slot.memory, slot.size};
  }
  void release() { core_->receive_again(); }

 private:
  void take() {
    peek(0);
    release();
  }

  /// A buffer, and what the provider has done with it. Its address stands for the operation.
  struct Slot {
    fi_context2 context;  ///< the provider's
    std::byte* memory = nullptr;
    std::size_t size = 0;
    bool is_done = false;
  };

  struct Core {
    Core(const LibfabricWay& way, const Shape& shape, const Introduction& meeting, bool is_listener)
        : introduction(meeting),
          listens(is_listener),
          sleeps(way.sleeps),
          room(std::max<std::size_t>((shape.size + 63) / 64 * 64, 64)),
          patience(shape.shares_core),
          objects(way, shape),
          inject_max(way.is_tcp ? 0 : objects.info->tx_attr->inject_size),
          in(std::clamp<std::size_t>(memory_max / room, 2, std::max<std::size_t>(shape.depth, 2))),
          memory(room * (in.size() + 1)) {
      register_memory();
      out.memory = memory.data();
      for (std::size_t i = 0; i < in.size(); ++i) {
        in[i].memory = memory.data() + (i + 1) * room;
        receive(in[i]);
      }
      peer = objects.insert(introduction.exchange(listens, objects.name()));
    }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    /// Some providers want to know all memory that they work on.
    void register_memory() {
      if ((objects.info->domain_attr->mr_mode & FI_MR_LOCAL) == 0) return;
      region = libfabric::opened<fid_mr>("fi_mr_reg", [&](fid_mr** made) {
        return ::fi_mr_reg(objects.domain.get(), memory.data(), room * (in.size() + 1),
                           FI_SEND | FI_RECV, 0, 0, 0, made, nullptr);
      });
      descriptor = ::fi_mr_desc(region.get());
    }

    /// Returns when the message needs this end no more: nothing moves unless somebody polls.
    void send() {
      if (out.size <= inject_max) {  // the other end has it then
        retry([&] { return ::fi_inject(objects.endpoint.get(), out.memory, out.size, peer); },
              "fi_inject");
        return;
      }
      out.is_done = false;
      retry(
          [&] {
            return ::fi_send(objects.endpoint.get(), out.memory, out.size, descriptor, peer, &out);
          },
          "fi_send");
      wait_for(out);
    }

    void receive(Slot& slot) {
      slot.is_done = false;
      retry(
          [&] {
            return ::fi_recv(objects.endpoint.get(), slot.memory, room, descriptor, FI_ADDR_UNSPEC,
                             &slot);
          },
          "fi_recv");
    }
    const Slot& next_received() {
      wait_for(in[next]);
      return in[next];
    }
    void receive_again() {
      receive(in[next]);
      if (++next == in.size()) next = 0;
    }

    /// Where there is no room, it comes from polling.
    void retry(auto operation, const char* call) {
      long result = 0;
      while ((result = operation()) == -FI_EAGAIN)
        if (!poll()) patience.wait();
      libfabric::checked(result, call);
    }
    void wait_for(const Slot& slot) {
      while (!slot.is_done)
        if (!poll(sleeps) && !sleeps) patience.wait();
    }

    /// Notes what is done. Returns whether there was anything.
    bool poll(bool until_there_is = false) {
      std::array<fi_cq_msg_entry, 16> done;
      fid_cq* const queue = objects.queue.get();
      const long count = until_there_is
                             ? ::fi_cq_sread(queue, done.data(), done.size(), nullptr, -1)
                             : ::fi_cq_read(queue, done.data(), done.size());
      if (count == -FI_EAGAIN) return false;
      if (count < 0) [[unlikely]]
        fail(count);
      for (long i = 0; i < count; ++i) {
        const fi_cq_msg_entry& entry = done[static_cast<std::size_t>(i)];
        if (entry.op_context == nullptr) continue;
        Slot& slot = *static_cast<Slot*>(entry.op_context);
        if ((entry.flags & FI_RECV) != 0) slot.size = entry.len;
        slot.is_done = true;
      }
      return true;
    }
    [[noreturn]] void fail(long result) {
      fi_cq_err_entry error{};
      if (result == -FI_EAVAIL && ::fi_cq_readerr(objects.queue.get(), &error, 0) == 1)
        result = -error.err;
      libfabric::checked(result, "fi_cq_read");
      throw std::runtime_error("fi_cq_read: an error without a name");
    }

    static constexpr std::size_t memory_max = 16 << 20;  ///< to receive into, but two messages

    const Introduction& introduction;
    bool listens;
    bool sleeps;
    std::size_t room;  ///< of a slot
    Patience patience;
    libfabric::Objects objects;
    std::size_t inject_max;
    Slot out;
    std::vector<Slot> in;  ///< in turn
    std::size_t next = 0;
    AlignedBuffer memory;
    libfabric::Owner<fid_mr> region;
    void* descriptor = nullptr;
    fi_addr_t peer = FI_ADDR_UNSPEC;
  };
  std::unique_ptr<Core> core_;
};

}  // namespace ipcbench
