// connection.h: how two processes come to hold the ends of a connected socket, of any family.
#pragma once

#include <charconv>

#include "transports/facts.h"
#include "transports/socket.h"

namespace ipcbench {

/// What a connected socket is, and where its ends meet: the data of a row.
struct Connected {
  int domain;
  int type;
  int protocol = 0;
  /// What the name of the meeting place is. A note: an address that the kernel completes, with a
  /// free port, when the listener is bound; the other end finds it written there.
  NameKind kind = NameKind::note;
  /// The address to listen at. Null: nowhere; socketpair(2) makes both ends at once.
  SocketAddress (*address)(const Name&) = nullptr;
  /// A socket option that is switched on at both ends, if any.
  int option_level = 0;
  int option = 0;
};

inline SocketAddress unix_address_of(const Name& name) {
  return unix_address(name.text());
}
template <int type>
inline constexpr Connected unix_path{
    .domain = AF_UNIX, .type = type, .kind = NameKind::path, .address = unix_address_of};
template <int type>
inline constexpr Connected unix_abstract{
    .domain = AF_UNIX, .type = type, .kind = NameKind::abstract, .address = unix_address_of};
template <int type>
inline constexpr Connected unix_pair{.domain = AF_UNIX, .type = type};

template <int domain>
SocketAddress loopback(const Name&) {
  return loopback_address(domain);
}

constexpr Facts facts_of_abstract(const Facts& facts, std::string_view name,
                                  std::string_view summary) {
  Facts result = facts_like(facts, name, summary);
  result.naming = Naming::abstract;
  result.standard = "Linux";
  return result;
}
/// Processes that inherit an end can share it: what a send of up to PIPE_BUF bytes appends, and
/// what a receive takes, stays together even in a byte stream (unix_stream_sendmsg: one buffer).
constexpr Facts facts_of_pair(const Facts& facts, std::string_view name, std::string_view summary) {
  Facts result = facts_like(facts, name, summary);
  result.naming = Naming::inherited;
  result.peers = Peers::many_to_many;
  return result;
}

/// The two ends: the one that makes things listens from its constructor on, the producer connects,
/// the consumer accepts and takes the name away.
template <class End>
class Connection {
 public:
  using Variant = Connected;

  explicit Connection(const Shape& shape)
      : how_(shape.variant_as<Connected>()),
        name_(*shape.directory, how_.kind),
        waiting_(shape.waiting) {
    if (how_.address == nullptr) {
      int fds[2];
      check(::socketpair(how_.domain, how_.type | SOCK_CLOEXEC, how_.protocol, fds), "socketpair");
      producer_ = Fd(fds[0]);
      consumer_ = Fd(fds[1]);
    } else if (name_.is_ours()) {
      listener_ = make_socket(how_.domain, how_.type, how_.protocol);
      bind_to(listener_, how_.address(name_), shown(name_));
      check(::listen(listener_.get(), 1), "listen", shown(name_));
      if (how_.kind == NameKind::note) publish(address_of(listener_));
    }
  }

  // Each process closes what it doesn't use, or it would never see the other one gone.
  End producer() {
    listener_.close();
    consumer_.close();
    if (how_.address == nullptr) return end(std::move(producer_));
    Fd socket = make_socket(how_.domain, how_.type, how_.protocol);
    connect_to(socket, how_.kind == NameKind::note ? published() : how_.address(name_),
               shown(name_));
    return end(std::move(socket));
  }
  End consumer() {
    producer_.close();
    if (how_.address == nullptr) return end(std::move(consumer_));
    Fd socket(
        check(retry([&] { return ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC); }),
              "accept4", shown(name_)));
    listener_.close();
    name_.unlink();
    return end(std::move(socket));
  }

 private:
  End end(Fd socket) const {
    const int on = 1;
    if (how_.option != 0)
      check(::setsockopt(socket.get(), how_.option_level, how_.option, &on, sizeof on),
            "setsockopt");
    return {Waitable(std::move(socket), waiting_)};
  }

  // A note is text: the address in hexadecimal.
  void publish(const SocketAddress& address) const {
    const auto* bytes = reinterpret_cast<const unsigned char*>(&address.storage);
    name_.publish(fmt::format("{:02x}", fmt::join(bytes, bytes + address.size, "")));
  }
  SocketAddress published() const {
    const std::string text = name_.await();
    SocketAddress address;
    address.size = static_cast<socklen_t>(text.size() / 2);
    auto* bytes = reinterpret_cast<unsigned char*>(&address.storage);
    for (const char* at = text.data(); at + 1 < text.data() + text.size(); at += 2)
      std::from_chars(at, at + 2, *bytes++, 16);
    return address;
  }

  const Connected& how_;
  Name name_;
  Waiting waiting_;
  Fd listener_;
  Fd producer_;  ///< the ends of a socketpair
  Fd consumer_;
};

}  // namespace ipcbench
