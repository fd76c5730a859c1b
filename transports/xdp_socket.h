// xdp_socket.h: an AF_XDP socket: memory of a process in which the kernel puts the frames that come
// in at an interface, and from which it sends, with four rings of numbers beside it
// (https://docs.kernel.org/networking/af_xdp.html).
//
// A frame is 4 KiB of that memory (UMEM) and belongs to one side at a time. To receive, the process
// puts frames into the fill ring, and finds them in the receive ring when they are full. To send,
// it puts them into the transmit ring, and finds them in the completion ring when they are sent.
#pragma once

#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "transports/bpf.h"
#include "transports/socket.h"

namespace ipcbench {

/// One ring: the process writes at one end of it, or reads at the other.
template <class Entry>
class XdpRing {
 public:
  XdpRing(const Fd& socket, std::size_t entries, std::uint64_t place, const xdp_ring_offset& at)
      : memory_(Mapping::adopt(
            check(::mmap(nullptr, at.desc + entries * sizeof(Entry), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_POPULATE, socket.get(), static_cast<off_t>(place)),
                  "mmap", "AF_XDP"),
            at.desc + entries * sizeof(Entry))),
        at_(at),
        mask_(static_cast<std::uint32_t>(entries - 1)) {}

  bool is_empty() const {
    return word(at_.producer).load(std::memory_order_acquire) ==
           word(at_.consumer).load(std::memory_order_relaxed);
  }
  /// Only where it isn't empty.
  Entry take() {
    std::atomic<std::uint32_t>& consumer = word(at_.consumer);
    const std::uint32_t next = consumer.load(std::memory_order_relaxed);
    const Entry entry = entries()[next & mask_];
    consumer.store(next + 1, std::memory_order_release);
    return entry;
  }
  /// There is room, as there are no more frames than entries.
  void put(const Entry& entry) {
    std::atomic<std::uint32_t>& producer = word(at_.producer);
    const std::uint32_t next = producer.load(std::memory_order_relaxed);
    entries()[next & mask_] = entry;
    producer.store(next + 1, std::memory_order_release);
  }

 private:
  std::atomic<std::uint32_t>& word(std::uint64_t offset) const {
    return *reinterpret_cast<std::atomic<std::uint32_t>*>(memory_.data() + offset);
  }
  Entry* entries() const { return reinterpret_cast<Entry*>(memory_.data() + at_.desc); }

  Mapping memory_;
  xdp_ring_offset at_;
  std::uint32_t mask_;
};

/// A socket at the one queue of an interface, and the program that gives it what comes in there.
class XdpSocket {
 public:
  static constexpr std::size_t frame_size = 4096;
  /// The largest that is received: the kernel leaves room in front, for programs to use.
  static constexpr std::size_t frame_max = frame_size - XDP_PACKET_HEADROOM;

  /// With so many frames each way, a power of two. `ether_type` is of the frames that it gets; all
  /// others are dropped.
  XdpSocket(const std::string& interface, std::size_t frames, std::uint16_t ether_type)
      : socket_(make_socket(AF_XDP, SOCK_RAW)),
        memory_(Mapping::own_pages(2 * frames * frame_size)),
        offsets_(configure(frames)),
        fill_(socket_, frames, XDP_UMEM_PGOFF_FILL_RING, offsets_.fr),
        completion_(socket_, frames, XDP_UMEM_PGOFF_COMPLETION_RING, offsets_.cr),
        receive_(socket_, frames, XDP_PGOFF_RX_RING, offsets_.rx),
        transmit_(socket_, frames, XDP_PGOFF_TX_RING, offsets_.tx) {
    for (std::size_t i = 0; i < frames; ++i) {
      fill_.put(i * frame_size);
      free_.push_back((frames + i) * frame_size);
    }
    const std::uint32_t index = check_index(interface);
    sockaddr_xdp address{};
    address.sxdp_family = AF_XDP;
    address.sxdp_flags = XDP_COPY;
    address.sxdp_ifindex = index;
    check(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
          "bind", interface);
    map_ = bpf::make_map(BPF_MAP_TYPE_XSKMAP, sizeof(std::uint32_t), sizeof(std::uint32_t), 1);
    bpf::update(map_, 0, static_cast<std::uint32_t>(socket_.get()));
    attach(index, ether_type);
  }

  int fd() const { return socket_.get(); }

  bool has_received() const { return !receive_.is_empty(); }
  /// The frame stays valid until it is given back.
  xdp_desc take() { return receive_.take(); }
  View bytes(const xdp_desc& frame) const { return {memory_.data() + frame.addr, frame.len}; }
  void give_back(const xdp_desc& frame) { fill_.put(frame.addr / frame_size * frame_size); }

  /// A frame to write into: false while all are under way.
  bool find_free(std::uint64_t& frame) {
    while (!completion_.is_empty()) free_.push_back(completion_.take());
    if (free_.empty()) return false;
    frame = free_.back();
    return true;
  }
  Bytes room(std::uint64_t frame) const { return {memory_.data() + frame, frame_size}; }
  /// The one that find_free has found. Then the kernel has to be told.
  void put(std::uint64_t frame, std::size_t size) {
    free_.pop_back();
    transmit_.put({frame, static_cast<__u32>(size), 0});
  }
  /// Has the kernel send what is in the ring: false while it has no room for more.
  bool send() {
    if (::sendto(socket_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) != -1) [[likely]]
      return true;
    if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR) fail("sendto");
    return false;
  }

 private:
  static std::uint32_t check_index(const std::string& interface) {
    const unsigned index = ::if_nametoindex(interface.c_str());
    if (index == 0) fail("if_nametoindex", interface);
    return index;
  }
  void set_option(int option, const void* value, std::size_t size) const {
    check(::setsockopt(socket_.get(), SOL_XDP, option, value, static_cast<socklen_t>(size)),
          "setsockopt", "SOL_XDP");
  }
  xdp_mmap_offsets configure(std::size_t frames) const {
    xdp_umem_reg umem{};
    umem.addr = reinterpret_cast<std::uintptr_t>(memory_.data());
    umem.len = memory_.size();
    umem.chunk_size = frame_size;
    set_option(XDP_UMEM_REG, &umem, sizeof umem);
    const auto entries = static_cast<int>(frames);
    for (const int ring : {XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING, XDP_TX_RING})
      set_option(ring, &entries, sizeof entries);
    xdp_mmap_offsets offsets{};
    socklen_t size = sizeof offsets;
    check(::getsockopt(socket_.get(), SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size), "getsockopt",
          "XDP_MMAP_OFFSETS");
    return offsets;
  }
  /// Generic XDP: the program runs for what the stack receives, whatever the driver can do.
  void attach(std::uint32_t interface, std::uint16_t ether_type) {
    const Fd program = load(ether_type);
    bpf_attr link{};
    link.link_create.prog_fd = static_cast<__u32>(program.get());
    link.link_create.target_ifindex = interface;
    link.link_create.attach_type = BPF_XDP;
    link.link_create.flags = 1U << 1;  // XDP_FLAGS_SKB_MODE
    link_ = Fd(static_cast<int>(check(bpf::call(BPF_LINK_CREATE, link), "bpf", "BPF_LINK_CREATE")));
  }
  Fd load(std::uint16_t ether_type) const {
    using namespace bpf;
    const bpf_insn code[] = {
        bpf::load(BPF_W, 2, 1, offsetof(xdp_md, data)),
        bpf::load(BPF_W, 3, 1, offsetof(xdp_md, data_end)),
        copy(4, 2),
        add(4, 14),  // an Ethernet header
        skip_if_register(BPF_JGT, 4, 3, 8),
        bpf::load(BPF_H, 5, 2, 12),
        skip_if(BPF_JNE, 5, __builtin_bswap16(ether_type), 6),
        map_of(1, map_),
        map_continued(),
        set(2, 0),
        set(3, XDP_DROP),
        call_helper(BPF_FUNC_redirect_map),  // (map, queue, what to do where there is none)
        leave(),
        set(0, XDP_DROP),
        leave(),
    };
    return load_program(BPF_PROG_TYPE_XDP, code);
  }

  Fd socket_;
  Mapping memory_;
  xdp_mmap_offsets offsets_;
  XdpRing<std::uint64_t> fill_;
  XdpRing<std::uint64_t> completion_;
  XdpRing<xdp_desc> receive_;
  XdpRing<xdp_desc> transmit_;
  std::vector<std::uint64_t> free_;
  Fd map_;
  Fd link_;
};

}  // namespace ipcbench
