// packet: AF_PACKET on the loopback interface. Ethernet frames both ways, below IP; what the
// receiver's buffer has no room for is lost.
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <array>
#include <functional>

#include "scenarios/matrix.h"
#include "transports/datagram.h"

namespace ipcbench {
namespace {

// The EtherTypes for local experiments (IEEE 802, clause 9.2.3) begin here. Packet sockets that
// name theirs don't see the outgoing copies of frames, as those that take all (ETH_P_ALL) do.
constexpr std::uint16_t ether_type = 0x88B5;

/// An Ethernet address of six bytes, the first four and the last two as numbers.
struct Station {
  std::uint32_t high;
  std::uint16_t low;
};

/// A name's own address, marked as locally administered and as nobody's group.
Station station_of(const Name& name) {
  const std::uint64_t hash = std::hash<std::string>{}(name.text());
  return {(static_cast<std::uint32_t>(hash >> 16) & 0xFCFFFFFF) | 0x02000000,
          static_cast<std::uint16_t>(hash)};
}

sockaddr_ll address_of(const Station& station) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ether_type);
  address.sll_ifindex = static_cast<int>(::if_nametoindex("lo"));
  address.sll_halen = 6;
  const std::uint32_t high = htonl(station.high);
  const std::uint16_t low = htons(station.low);
  std::memcpy(address.sll_addr, &high, sizeof high);
  std::memcpy(address.sll_addr + sizeof high, &low, sizeof low);
  return address;
}

/// A socket that gets the frames to `station` and no others. All frames of the interface pass by,
/// those of other runs too, so the filter comes before the protocol, which bind(2) brings.
Fd listening_as(const Station& station) {
  Fd socket = make_socket(AF_PACKET, SOCK_DGRAM);
  const auto header = static_cast<std::uint32_t>(SKF_LL_OFF);
  std::array<sock_filter, 6> code{{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, header),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, station.high, 0, 3),
                                   BPF_STMT(BPF_LD | BPF_H | BPF_ABS, header + 4),
                                   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, station.low, 0, 1),
                                   BPF_STMT(BPF_RET | BPF_K, 0xFFFFFFFF),
                                   BPF_STMT(BPF_RET | BPF_K, 0)}};
  const sock_fprog filter{code.size(), code.data()};
  check(::setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter),
        "setsockopt", "SO_ATTACH_FILTER");
  bind_to(socket, address_of(station), "lo");
  return socket;
}

struct PacketEnd : DatagramEnd {
  sockaddr_ll to{};

  void send(View message) {
    while (::sendto(fd.get(), message.data(), message.size(), 0,
                    reinterpret_cast<const sockaddr*>(&to), sizeof to) == -1)
      [[unlikely]] fd.await_writable("sendto");
  }
};

PacketEnd make_end(Fd socket, const Station& to, Waiting waiting = Waiting::block) {
  PacketEnd end;
  end.fd = Waitable(std::move(socket), waiting);
  end.to = address_of(to);
  return end;
}

struct Packet {
  static constexpr Facts facts{.name = "packet",
                               .summary = "AF_PACKET frames on the loopback interface",
                               .family = Family::socket,
                               .naming = Naming::port,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::lossy,
                               .peers = Peers::one_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "Linux"};

  static std::string unavailable() {
    // Asked once: closing such a socket takes a grace period of the kernel's, some 10 ms.
    static const std::string why = why_not([] { charge_of(make_end(listening_as({}), {}), 1); });
    return why;
  }
  static std::size_t message_max() { return interface_mtu(); }

  explicit Packet(const Shape& shape)
      : waiting_(shape.waiting),
        consumer_name_(*shape.directory, NameKind::abstract),
        producer_name_(*shape.directory, NameKind::abstract) {
    const Station probe = station_of(Name(*shape.directory, NameKind::abstract));
    charge_ = charge_of(make_end(listening_as(probe), probe), shape.size);
    depth_ = make_room(listening_as(probe), charge_, shape.depth);
    if (consumer_name_.is_ours()) consumer_ = open(consumer_name_);
  }

  std::size_t depth() const { return depth_; }

  PacketEnd producer() {
    consumer_.close();
    return make_end(open(producer_name_), station_of(consumer_name_), waiting_);
  }
  PacketEnd consumer() {
    return make_end(std::move(consumer_), station_of(producer_name_), waiting_);
  }

 private:
  Fd open(const Name& name) const {
    Fd socket = listening_as(station_of(name));
    make_room(socket, charge_, depth_);
    return socket;
  }
  static std::size_t interface_mtu() {
    ifreq request{};
    std::string_view("lo").copy(request.ifr_name, sizeof request.ifr_name - 1);
    check(::ioctl(make_socket(AF_UNIX, SOCK_DGRAM).get(), SIOCGIFMTU, &request), "ioctl", "lo");
    return static_cast<std::size_t>(request.ifr_mtu);
  }

  Waiting waiting_;
  Name consumer_name_;
  Name producer_name_;
  std::size_t charge_;
  std::size_t depth_;
  Fd consumer_;
};

}  // namespace

std::vector<Row> packet_rows() {
  return {row<Packet>()};
}

}  // namespace ipcbench
