// kmod_netlink: generic netlink, by our kernel module's family: unicast between two processes, and
// request and reply with the kernel. Messages one way. Each is acknowledged, because that is how a
// sender learns that the receiver's buffer is full.
#include <time.h>

#include "scenarios/matrix.h"
#include "transports/kmod_genl.h"

namespace ipcbench {
namespace {

constexpr Facts facts_of_netlink() {
  Facts facts = kmod_facts("kmod_netlink", "generic netlink, by a family of our kernel module");
  facts.peers = Peers::one_to_one;
  facts.copies = 3;  // into a socket buffer, from that one to another, out of it
  return facts;
}

class KmodNetlink {
 public:
  static constexpr Facts facts = facts_of_netlink();

  static std::string unavailable() { return kmod_unavailable(); }
  static std::size_t message_max() { return IPCBENCH_NETLINK_MAX; }
  static std::string unfit(const Shape& shape) {
    return shape.peer == Peer::source ? "the kernel only answers and reads here" : "";
  }

  struct Producer {
    Fd session;
    GenlSocket socket;
    void send(View message) {
      while (true) {
        socket.send(message, NLM_F_ACK);
        const int error = socket.await_answer();
        if (error == 0) [[likely]]
          return;
        await_room(error);
      }
    }
    // Nothing tells that the receiver is there, or that there is room in its buffer again: so it
    // is asked for now and then.
    [[gnu::cold, gnu::noinline]] static void await_room(int error) {
      errno = error;
      if (error != EAGAIN && error != ENOTCONN) fail("netlink", "send");
      const timespec pause{0, 50'000};
      ::nanosleep(&pause, nullptr);
    }
  };
  struct Consumer {
    Fd session;
    GenlSocket socket;
    std::size_t recv(Bytes buffer) { return socket.receive(buffer); }
  };
  /// With the kernel: it has answered when the send returns, and needs no acknowledgement.
  struct Alone {
    Fd session;
    GenlSocket socket;
    void send(View message) { socket.send(message, 0); }
    std::size_t recv(Bytes buffer) { return socket.receive(buffer); }
  };

  explicit KmodNetlink(const Shape& shape)
      : waiting_(shape.waiting),
        name_(*shape.directory, NameKind::note),
        channel_(IPCBENCH_NETLINK, shape, &name_) {
    if (shape.peer == Peer::process) channel_.hold();
  }

  Producer producer() { return joined<Producer>(channel_.session(IPCBENCH_PRODUCER)); }
  Consumer consumer() { return joined<Consumer>(channel_.session(IPCBENCH_CONSUMER)); }
  Alone kernel(KernelPart part) { return joined<Alone>(channel_.session_with(part)); }
  Sunk sunk() const { return channel_.sunk(); }

 private:
  template <class End>
  End joined(Fd session) const {
    End end{std::move(session), GenlSocket(waiting_)};
    end.socket.join(end.session.get());
    return end;
  }

  Waiting waiting_;
  Name name_;
  KmodChannel channel_;
};

}  // namespace

std::vector<Row> kmod_netlink_rows() {
  return {row<KmodNetlink>()};
}

}  // namespace ipcbench
