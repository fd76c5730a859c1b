// af_xdp: AF_XDP sockets at the two ends of a virtual cable (veth). Frames go past the protocols: a
// BPF program at the interface (XDP) hands each one that comes in to the socket, and the kernel
// puts it into memory that the process has given it. What has no frame to go to is lost.
//
// It is made for network cards, which then reach that memory themselves. A veth can't, so the
// kernel copies (XDP_COPY): compare with `packet`. The two interfaces are in a network namespace of
// the run, and go with it. The memory is made in each end: a socket with private memory that
// crosses a fork delivers nothing.
#include <sys/wait.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "scenarios/matrix.h"
#include "transports/private_namespaces.h"
#include "transports/veth.h"
#include "transports/xdp_end.h"

namespace ipcbench {
namespace {

class AfXdp {
  static inline const Private own_network{.has_network = true};
  static constexpr std::size_t most = XdpSocket::frame_max - xdp_header_size;

 public:
  static constexpr Facts facts{.name = "af_xdp",
                               .summary = "AF_XDP sockets at the two ends of a veth, XDP_COPY",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::lossy,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               // into a socket buffer, one with the room that XDP wants, the
                               // receiver's frame, and out of it
                               .copies = 4,
                               .standard = "Linux"};
  static constexpr std::string_view settings = "XDP_COPY generic chunk=4KiB";

  static std::string unavailable() {
    static const std::string why = why_not_here();
    return why;
  }
  /// A frame of 4 KiB, less what the kernel leaves in front (XDP_PACKET_HEADROOM) and the header.
  static std::size_t message_max() { return most; }

  explicit AfXdp(const Shape& shape)
      : namespaces_(*shape.directory, own_network),
        veth_(interface('a'), interface('b'), most, shape.directory->is_ours()),
        producer_ready_(*shape.directory, NameKind::note),
        consumer_ready_(*shape.directory, NameKind::note),
        waiting_(shape.waiting),
        depth_(std::clamp<std::size_t>(shape.depth, 1, depth_max)) {
    ++links;
  }
  std::size_t depth() const { return depth_; }

  // Nothing is sent before both are there: it would be lost.
  XdpEnd producer() {
    consumer_ready_.await();
    XdpEnd end = end_at(veth_.first());
    producer_ready_.publish("ready");
    return end;
  }
  XdpEnd consumer() {
    XdpEnd end = end_at(veth_.second());
    consumer_ready_.publish("ready");
    producer_ready_.await();
    return end;
  }

 private:
  /// What the kernel's queue behind an interface holds, and more (net.core.netdev_max_backlog).
  static constexpr std::size_t depth_max = 512;
  static inline int links = 0;
  static std::string interface(char side) { return fmt::format("ipcb{}{}", links, side); }

  XdpEnd end_at(const std::string& interface) const {
    return {XdpSocket(interface, std::bit_ceil(depth_), xdp_ether_type), waiting_};
  }

  /// A child tries, and takes the namespace with it.
  static std::string why_not_here() {
    const std::string why = bpf::why_not(
        [] {
          bpf::make_map(BPF_MAP_TYPE_XSKMAP, sizeof(int), sizeof(int), 1);
          make_socket(AF_XDP, SOCK_RAW);
        },
        "CAP_BPF and CAP_NET_ADMIN");
    if (!why.empty()) return why;
    const pid_t child = check(::fork(), "fork");
    if (child == 0) {
      try {
        detail::enter(own_network, "/");
        const Veth veth("a", "b", most, true);
        ::_exit(0);  // the kernel takes its time to take it apart, and nobody has to wait for it
      } catch (const std::system_error& error) {
        ::_exit(error.code().value());
      }
    }
    int status = 0;
    check(retry([&] { return ::waitpid(child, &status, 0); }), "waitpid");
    if (status == 0) return "";
    return fmt::format("no veth in a network namespace: {}",
                       WIFEXITED(status) ? std::strerror(WEXITSTATUS(status)) : "killed");
  }

  PrivateNamespaces namespaces_;
  Veth veth_;
  Name producer_ready_;
  Name consumer_ready_;
  Waiting waiting_;
  std::size_t depth_;
};

}  // namespace

std::vector<Row> af_xdp_rows() {
  return {row<AfXdp>()};
}

}  // namespace ipcbench
