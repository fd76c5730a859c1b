// iceoryx_ends.h: an end of an iceoryx link: a publisher, and a subscriber for what the other end
// publishes.
#pragma once

#include <time.h>

#include <memory>
#include <optional>
#include <string>

#include <iceoryx_hoofs/log/logmanager.hpp>
#include <iceoryx_posh/mepoo/chunk_header.hpp>
#include <iceoryx_posh/popo/untyped_publisher.hpp>
#include <iceoryx_posh/popo/untyped_subscriber.hpp>
#include <iceoryx_posh/popo/wait_set.hpp>
#include <iceoryx_posh/runtime/posh_runtime.hpp>

#include "transports/roudi.h"
#include "transports/waits.h"

namespace ipcbench {

/// How a subscriber waits.
enum class IceoryxWait { poll, waitset };

template <IceoryxWait how>
class IceoryxEnd {
 public:
  IceoryxEnd(const Shape& shape, const std::string& service, const char* to, const char* from,
             const Name& offered, const Name& other_offered)
      : ports_(std::make_unique<Ports>(described(service, to))) {
    // RouDi introduces a subscriber at once to publishers that are there, to later ones in its next
    // round, after up to 100 ms.
    offered.publish("yes");
    other_offered.await();
    ports_->in.emplace(described(service, from), subscriber_options(Roudi::depth(shape)));
    if constexpr (how == IceoryxWait::waitset)
      ports_->waits.emplace()
          .attachState(*ports_->in, iox::popo::SubscriberState::HAS_DATA)
          .or_else([](auto) { throw std::runtime_error("WaitSet::attachState failed"); });
    // What is published before there is a subscriber is nobody's.
    const timespec pause{0, 100'000};
    while (!ports_->out.hasSubscribers() ||
           ports_->in->getSubscriptionState() != iox::SubscribeState::SUBSCRIBED)
      ::nanosleep(&pause, nullptr);
  }

  Bytes reserve(std::size_t size) {
    out_ = nullptr;
    ports_->out.loan(static_cast<std::uint32_t>(size)).and_then([&](void* chunk) { out_ = chunk; });
    if (out_ == nullptr) [[unlikely]]
      throw std::runtime_error("loan: RouDi has no chunk left");
    return {static_cast<std::byte*>(out_), size};
  }
  void commit() { ports_->out.publish(out_); }
  View peek(std::size_t) {
    if constexpr (how == IceoryxWait::waitset)
      while (!take()) ports_->waits->wait();
    else
      SpinYield().wait([&] { return take(); });
    const auto* const header = iox::mepoo::ChunkHeader::fromUserPayload(in_);
    return {static_cast<const std::byte*>(in_), header->userPayloadSize()};
  }
  void release() { ports_->in->release(in_); }

 private:
  struct Ports {
    explicit Ports(const iox::capro::ServiceDescription& offered)
        : out(offered, publisher_options()) {}
    iox::popo::UntypedPublisher out;
    std::optional<iox::popo::UntypedSubscriber> in;
    std::optional<iox::popo::WaitSet<1>> waits;
  };
  /// What is offered, once the process is known to RouDi.
  static iox::capro::ServiceDescription described(const std::string& service, const char* way_to) {
    using iox::cxx::TruncateToCapacity;
    iox::log::LogManager::GetLogManager().SetDefaultLogLevel(
        iox::log::LogLevel::kError, iox::log::LogLevelOutput::kHideLogLevel);
    iox::runtime::PoshRuntime::initRuntime(
        {TruncateToCapacity, fmt::format("ipcbench-{}", ::getpid())});
    return {{TruncateToCapacity, service}, "link", {TruncateToCapacity, std::string(way_to)}};
  }
  static iox::popo::PublisherOptions publisher_options() {
    iox::popo::PublisherOptions options;
    options.subscriberTooSlowPolicy = iox::popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
    return options;
  }
  static iox::popo::SubscriberOptions subscriber_options(std::size_t depth) {
    iox::popo::SubscriberOptions options;
    options.queueCapacity = depth;
    options.queueFullPolicy = iox::popo::QueueFullPolicy::BLOCK_PRODUCER;
    return options;
  }
  bool take() {
    in_ = nullptr;
    ports_->in->take().and_then([&](const void* chunk) { in_ = chunk; });
    return in_ != nullptr;
  }

  std::unique_ptr<Ports> ports_;
  void* out_ = nullptr;
  const void* in_ = nullptr;
};

}  // namespace ipcbench
