// lcm: Lightweight Communications and Marshalling: messages to whoever has subscribed, by UDP
// multicast that doesn't leave the machine (ttl 0). A large message goes in several datagrams; what
// a receive buffer had no room for is lost, with the message that it is a part of.
//
// The network is the run's own: multicast needs a route, and the loopback has none elsewhere
// (https://lcm-proj.github.io/lcm/content/multicast-setup.html). A thread of the library receives,
// into a ring of its own; its handler is called, in recv, by the thread that asks.
#include <lcm/lcm.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/private_namespaces.h"

namespace ipcbench {
namespace {

class LcmEnd {
 public:
  LcmEnd(const std::string& to, const std::string& from, std::size_t depth)
      : channel_(to), in_(std::make_unique<Incoming>()), lcm_(::lcm_create(url)) {
    if (!lcm_) throw std::runtime_error(fmt::format("lcm_create: {}", std::strerror(errno)));
    lcm_subscription_t* const subscription =
        ::lcm_subscribe(lcm_.get(), from.c_str(), &take, in_.get());
    if (subscription == nullptr) throw std::runtime_error("lcm_subscribe failed");
    ::lcm_subscription_set_queue_capacity(subscription, static_cast<int>(depth));  // else 30
  }

  void send(View message) {
    if (::lcm_publish(lcm_.get(), channel_.c_str(), message.data(),
                      static_cast<unsigned>(message.size())) != 0) [[unlikely]]
      throw std::runtime_error(fmt::format("lcm_publish: {}", std::strerror(errno)));
  }
  std::size_t recv(Bytes buffer) {
    *in_ = {buffer};
    while (!in_->has_come)
      if (::lcm_handle(lcm_.get()) != 0) [[unlikely]]
        throw std::runtime_error("lcm_handle failed");
    return taken();
  }
  /// Returns 0 when time is up. Milliseconds are the library's measure.
  std::size_t recv_within(Bytes buffer, std::int64_t ns) {
    *in_ = {buffer};
    const auto timeout_ms = static_cast<int>(std::max<std::int64_t>(ns / 1'000'000, 1));
    if (::lcm_handle_timeout(lcm_.get(), timeout_ms) < 0) [[unlikely]]
      throw std::runtime_error("lcm_handle_timeout failed");
    return in_->has_come ? taken() : 0;
  }

 private:
  struct Incoming {
    Bytes buffer;
    std::size_t size = 0;
    bool has_come = false;
  };
  /// Called from within lcm_handle, with memory that is the library's again afterwards.
  static void take(const lcm_recv_buf_t* message, const char*, void* user) {
    Incoming& in = *static_cast<Incoming*>(user);
    in.size = message->data_size;
    in.has_come = true;
    if (in.size != 0)
      std::memcpy(in.buffer.data(), message->data, std::min(in.size, in.buffer.size()));
  }
  std::size_t taken() const {
    if (in_->size > in_->buffer.size()) [[unlikely]]
      throw std::runtime_error(fmt::format("a message of {} bytes came", in_->size));
    return in_->size;
  }
  static constexpr const char* url = "udpm://239.255.76.67:7667?ttl=0&recv_buf_size=4194304";

  struct Destroy {
    void operator()(lcm_t* lcm) const { ::lcm_destroy(lcm); }
  };
  std::string channel_;
  std::unique_ptr<Incoming> in_;
  std::unique_ptr<lcm_t, Destroy> lcm_;
};

struct Lcm {
  static constexpr Facts facts =
      LibraryFacts{.name = "lcm",
                   .summary = "LCM, UDP multicast that stays on the machine",
                   .family = Family::messaging,
                   .naming = Naming::port,
                   .delivery = Delivery::lossy,
                   .copies = 4,
                   .carrier = "udp"};
  static constexpr std::string_view settings =
      "udpm ttl=0 recv_buf_size=4194304 queue_capacity=depth, 256 KiB";

  static std::string unavailable() { return PrivateNamespaces::unavailable(network()); }

  explicit Lcm(const Shape& shape)
      : depth_(depth_for(shape)),
        namespaces_(*shape.directory, network()),
        producer_ready_(*shape.directory, NameKind::note),
        consumer_ready_(*shape.directory, NameKind::note) {
    static int links = 0;
    channel_ = fmt::format("link{}", links++);
  }
  std::size_t depth() const { return depth_; }
  LcmEnd producer() { return end("_there", "_back", producer_ready_, consumer_ready_); }
  LcmEnd consumer() { return end("_back", "_there", consumer_ready_, producer_ready_); }

 private:
  static Private network() { return {.has_network = true}; }
  /// A sixteenth of the receive buffer at most: the kernel charges small datagrams for a page, and
  /// each end hears all that is sent, its own messages too.
  static std::size_t depth_for(const Shape& shape) {
    constexpr std::size_t room = 256 << 10;
    return std::clamp<std::size_t>(room / std::max<std::size_t>(shape.size, 2048), 1, shape.depth);
  }
  /// What is sent before somebody has subscribed is nobody's.
  LcmEnd end(const char* to, const char* from, const Name& ready, const Name& other_ready) const {
    LcmEnd end(channel_ + to, channel_ + from, depth_);
    ready.publish("yes");
    other_ready.await();
    return end;
  }

  std::size_t depth_;
  PrivateNamespaces namespaces_;
  Name producer_ready_;
  Name consumer_ready_;
  std::string channel_;
};

}  // namespace

std::vector<Row> lcm_rows() {
  return {row<Lcm>()};
}

}  // namespace ipcbench
