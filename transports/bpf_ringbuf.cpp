// bpf_ringbuf: the ring that BPF programs write and a process reads in place, a BPF map of type
// BPF_MAP_TYPE_RINGBUF. It is how tracers get their events; here it goes from process to process.
//
// The producer calls a program of its own by bpf(BPF_PROG_RUN): one of type BPF_PROG_TYPE_SYSCALL,
// which reserves a record in the ring, has the kernel copy the message into it from the producer's
// memory (bpf_copy_from_user) and submits it. The consumer has the ring mapped: it reads records
// where they lie, by the positions at its head, and sleeps in epoll_wait(2) when there is none; the
// kernel wakes it for a record that it has caught up with
// (https://docs.kernel.org/bpf/ringbuf.html). A full ring refuses, and tells nobody when there is
// room again: a producer gives the processor away and asks anew, as many as there are.
//
// Records have one size, because the kernel proves beforehand that the program writes within them:
// a small message takes the ring's room of the largest. Only its own bytes are copied.
#include <algorithm>
#include <bit>

#include "scenarios/matrix.h"
#include "transports/bpf.h"
#include "transports/bpf_ring_reader.h"
#include "transports/ring.h"

namespace ipcbench {
namespace {

/// What the producer tells its program, and what it says.
struct Request {
  std::uint64_t address;
  std::uint64_t size;
};
enum Answer { sent, full, failed };

class BpfRingbuf {
 public:
  static constexpr Facts facts{.name = "bpf_ringbuf",
                               .summary = "ring that a BPF program writes and a process maps",
                               .family = Family::queue,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = true,
                               .copies = 1,
                               .standard = "Linux"};

  static std::string unavailable() {
    static const std::string why =
        bpf::why_not([] { BpfRingbuf({.size = 1, .depth = 1}); }, "CAP_BPF and CAP_PERFMON");
    return why;
  }
  /// What a program may copy at once (BPF_MAX_VAR_SIZ in the kernel's bpf_verifier.h).
  static std::size_t message_max() { return (1 << 29) - 1; }

  struct Producer {
    int program;
    void send(View message) {
      Request request{reinterpret_cast<std::uintptr_t>(message.data()), message.size()};
      bpf_attr run{};
      run.test.prog_fd = static_cast<__u32>(program);
      run.test.ctx_in = reinterpret_cast<std::uintptr_t>(&request);
      run.test.ctx_size_in = sizeof request;
      while (true) {
        check(retry([&] { return bpf::call(BPF_PROG_RUN, run); }), "bpf", "BPF_PROG_RUN");
        if (run.test.retval == sent) [[likely]]
          return;
        if (run.test.retval != full) throw std::runtime_error("bpf_copy_from_user failed");
        ::sched_yield();
      }
    }
  };

  using Consumer = BpfRingReader;

  explicit BpfRingbuf(const Shape& shape)
      : waiting_(shape.waiting == Waiting::block ? Waiting::poll : shape.waiting),
        record_size_((sizeof(BpfRingReader::Size) + shape.size + 7) / 8 * 8),
        // As many as in shared memory, so that the two compare; the last byte is never used.
        ring_size_(std::bit_ceil(
            std::max(BpfRingReader::page_size(),
                     Ring<Yield>::slots_for(shape) * BpfRingReader::room_for(record_size_) + 1))),
        map_(bpf::make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, ring_size_)),
        program_(load(shape.size)) {}

  std::size_t depth() const { return (ring_size_ - 1) / BpfRingReader::room_for(record_size_); }
  Producer producer() { return {program_.get()}; }
  Consumer consumer() {
    program_.close();
    return {Waitable(std::move(map_), waiting_), ring_size_};
  }

 private:
  /// r6: the request, r7: the record, r8: the message's size.
  Fd load(std::size_t size_max) const {
    using namespace bpf;
    const bpf_insn code[] = {
        copy(6, 1),
        map_of(1, map_),
        map_continued(),
        set(2, static_cast<int>(record_size_)),
        set(3, 0),
        call_helper(BPF_FUNC_ringbuf_reserve),  // (map, size, 0)
        skip_if(BPF_JNE, 0, 0, 2),
        set(0, full),
        leave(),
        copy(7, 0),
        bpf::load(BPF_DW, 8, 6, offsetof(Request, size)),
        skip_if(BPF_JGT, 8, static_cast<int>(size_max), 12),
        store(BPF_DW, 7, 0, 8),
        copy(1, 7),
        add(1, sizeof(BpfRingReader::Size)),
        copy(2, 8),
        bpf::load(BPF_DW, 3, 6, offsetof(Request, address)),
        call_helper(BPF_FUNC_copy_from_user),  // (into the record, size, from there)
        skip_if(BPF_JNE, 0, 0, 5),
        copy(1, 7),
        set(2, 0),
        call_helper(BPF_FUNC_ringbuf_submit),  // (record, 0)
        set(0, sent),
        leave(),
        copy(1, 7),
        set(2, 0),
        call_helper(BPF_FUNC_ringbuf_discard),  // (record, 0)
        set(0, failed),
        leave(),
    };
    return load_program(BPF_PROG_TYPE_SYSCALL, code, BPF_F_SLEEPABLE);
  }

  Waiting waiting_;
  std::size_t record_size_;
  std::size_t ring_size_;
  Fd map_;
  Fd program_;
};

}  // namespace

std::vector<Row> bpf_ringbuf_rows() {
  return {row<BpfRingbuf>()};
}

}  // namespace ipcbench
