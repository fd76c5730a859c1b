// unix_dgram: the UNIX domain socket of type SOCK_DGRAM. Messages both ways, reliable and in order
// unlike UDP's, between two sockets that are bound and connected to each other; or one way, from
// several sockets to one.
#include "scenarios/matrix.h"
#include "transports/connection.h"

namespace ipcbench {
namespace {

struct UnixDgram {
  static constexpr Facts facts{.name = "unix_dgram",
                               .summary = "UNIX datagram socket, by path",
                               .family = Family::socket,
                               .naming = Naming::pathname,
                               .handle = Handle::fd,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::many_to_one,
                               .pollable = true,
                               .copies = 2,
                               .standard = "POSIX"};

  using Variant = Connected;
  static std::size_t message_max() { return unix_message_max(); }

  explicit UnixDgram(const Shape& shape)
      : waiting_(shape.waiting),
        is_pair_(shape.producers == 1),
        producer_name_(*shape.directory, shape.variant_as<Connected>().kind),
        consumer_name_(*shape.directory, shape.variant_as<Connected>().kind),
        bound_(*shape.directory, NameKind::note),
        connected_(*shape.directory, NameKind::note) {
    if (consumer_name_.is_ours()) consumer_ = make_bound(consumer_name_);
  }

  // Two are connected both ways: only they are free of the limit of max_dgram_qlen messages, and
  // whoever is connected elsewhere refuses others with EPERM (unix(7)). So a consumer of several
  // is connected to none, and they need no names. The producer waits until both are connected: a
  // sender that the limit has put to sleep isn't woken when it no longer applies.
  MessageEnd producer() {
    consumer_.close();
    Fd socket = is_pair_ ? make_bound(producer_name_) : make_socket(AF_UNIX, SOCK_DGRAM);
    connect_to(socket, unix_address_of(consumer_name_), shown(consumer_name_));
    if (is_pair_) {
      bound_.publish("yes");
      connected_.await();
    }
    return {Waitable(std::move(socket), waiting_)};
  }
  MessageEnd consumer() {
    if (is_pair_) {
      bound_.await();
      connect_to(consumer_, unix_address_of(producer_name_), shown(producer_name_));
      connected_.publish("yes");
      producer_name_.unlink();
      consumer_name_.unlink();
    }
    return {Waitable(std::move(consumer_), waiting_)};
  }

 private:
  static Fd make_bound(const Name& name) {
    Fd socket = make_socket(AF_UNIX, SOCK_DGRAM);
    bind_to(socket, unix_address_of(name), shown(name));
    return socket;
  }

  Waiting waiting_;
  bool is_pair_;
  Name producer_name_;
  Name consumer_name_;
  Name bound_;      ///< by the producer, when it has connected to the consumer
  Name connected_;  ///< by the consumer, when it has connected back
  Fd consumer_;
};

struct UnixDgramPair : Connection<MessageEnd> {
  static constexpr Facts facts =
      facts_of_pair(UnixDgram::facts, "unix_dgram.pair", "UNIX datagram socket, socketpair");
  static std::size_t message_max() { return unix_message_max(); }

  using Connection::Connection;
};

}  // namespace

std::vector<Row> unix_dgram_rows() {
  return {row<UnixDgram>(UnixDgram::facts, unix_path<SOCK_DGRAM>),
          row<UnixDgram>(facts_of_abstract(UnixDgram::facts, "unix_dgram.abstract",
                                           "UNIX datagram socket, abstract name"),
                         unix_abstract<SOCK_DGRAM>),
          row<UnixDgramPair>(UnixDgramPair::facts, unix_pair<SOCK_DGRAM>)};
}

}  // namespace ipcbench
