// sockmap: a TCP connection on the loopback whose bytes a BPF program moves from the sender's
// socket into the receiver's queue, past TCP, IP and the loopback device: compare with `tcp`.
//
// Both sockets are in a BPF map of sockets (sockmap), and the map has a program for messages. For
// each send(2) the kernel asks it what becomes of the bytes, and it says: they are received at the
// other socket of the map (bpf_msg_redirect_map). Service meshes shorten the way between containers
// so (https://docs.kernel.org/bpf/map_sockmap.html). The connection begins and ends by TCP.
//
// Nothing brakes a sender: what is redirected isn't refused where the receiver's buffer is full,
// and a gigabyte lies there before long. So the ends keep a window, in memory that they share.
#include <sys/socket.h>

#include <algorithm>
#include <new>

#include "scenarios/matrix.h"
#include "transports/bpf.h"
#include "transports/socket.h"
#include "transports/waits.h"

namespace ipcbench {
namespace {

/// What has arrived of one direction, in bytes, and where its sender waits for more of it.
struct Arrived {
  alignas(128) std::atomic<std::uint64_t> bytes{0};
  alignas(128) Futex sender;
};

struct SockmapEnd {
  StreamEnd socket;
  Arrived* there;        ///< of what this end sends
  Arrived* here;         ///< of what it receives
  std::uint64_t window;  ///< so much may be under way
  std::uint64_t limit;   ///< it may send up to this byte, as last asked
  std::uint64_t sent = 0;
  std::uint64_t received = 0;

  void send(View message) {
    sent += message.size();
    if (sent > limit) [[unlikely]]
      there->sender.wait([this] {
        limit = there->bytes.load(std::memory_order_acquire) + window;
        return sent <= limit;
      });
    socket.send(message);
  }
  std::size_t recv(Bytes buffer) {
    received += socket.recv(buffer);
    here->bytes.store(received, std::memory_order_release);
    here->sender.wake();
    return buffer.size();
  }
};

struct Sockmap {
  static constexpr Facts facts{.name = "sockmap",
                               .summary = "TCP on 127.0.0.1, redirected by a BPF program",
                               .family = Family::socket,
                               .naming = Naming::inherited,
                               .handle = Handle::fd,
                               .boundary = Boundary::stream,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};
  /// About what TCP holds between two processes.
  static constexpr std::uint64_t window = 1 << 20;
  static constexpr std::string_view settings = "window=1MiB, or a message";

  static std::string unavailable() {
    static const std::string why =
        bpf::why_not([] { Sockmap(Shape{}); }, "CAP_BPF and CAP_NET_ADMIN");
    return why;
  }

  explicit Sockmap(const Shape& shape)
      : waiting_(shape.waiting),
        window_(std::max<std::uint64_t>(window, shape.size)),
        memory_(2 * sizeof(Arrived)),
        arrived_{new (memory_.data()) Arrived, new (memory_.data() + sizeof(Arrived)) Arrived} {
    const Fd listener = make_socket(AF_INET, SOCK_STREAM);
    bind_to(listener, loopback_address(AF_INET), "127.0.0.1");
    check(::listen(listener.get(), 1), "listen");
    ends_[0] = make_socket(AF_INET, SOCK_STREAM);
    connect_to(ends_[0], address_of(listener), "127.0.0.1");
    ends_[1] =
        Fd(check(retry([&] { return ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC); }),
                 "accept4"));
    map_ = bpf::make_map(BPF_MAP_TYPE_SOCKMAP, sizeof(std::uint32_t), sizeof(std::uint32_t), 2);
    bpf::attach(map_, program(port_of(ends_[0])), BPF_SK_MSG_VERDICT);
    for (std::uint32_t i = 0; i < 2; ++i)
      bpf::update(map_, i, static_cast<std::uint32_t>(ends_[i].get()));
  }

  // Each process closes what it doesn't use, or it would never see the other one gone. The map
  // stays: its sockets leave it when it goes.
  SockmapEnd producer() { return end(0); }
  SockmapEnd consumer() { return end(1); }

 private:
  SockmapEnd end(int mine) {
    const int other = 1 - mine;
    ends_[other].close();
    return {.socket = {Waitable(std::move(ends_[mine]), waiting_)},
            .there = arrived_[other],
            .here = arrived_[mine],
            .window = window_,
            .limit = window_};
  }
  static std::uint16_t port_of(const Fd& socket) {
    const SocketAddress address = address_of(socket);
    return ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);
  }

  /// What the first socket sends goes to the second one, and the other way round: whose message it
  /// is shows from the sender's port.
  Fd program(std::uint16_t port_of_first) const {
    using namespace bpf;
    const bpf_insn code[] = {
        load(BPF_W, 3, 1, offsetof(sk_msg_md, local_port)),  // r3 = message->local_port
        map_of(2, map_),
        map_continued(),
        skip_if(BPF_JEQ, 3, port_of_first, 2),
        set(3, 0),  // the second one's
        skip(1),
        set(3, 1),  // the first one's
        set(4, BPF_F_INGRESS),
        call_helper(BPF_FUNC_msg_redirect_map),  // (message, map, 0 or 1, into its receive queue)
        leave(),
    };
    return load_program(BPF_PROG_TYPE_SK_MSG, code);
  }
  Waiting waiting_;
  std::uint64_t window_;
  Mapping memory_;
  Arrived* arrived_[2];  ///< at the first end, and at the second one
  Fd map_;
  Fd ends_[2];  ///< the producer's, and the consumer's
};

}  // namespace

std::vector<Row> sockmap_rows() {
  return {row<Sockmap>()};
}

}  // namespace ipcbench
