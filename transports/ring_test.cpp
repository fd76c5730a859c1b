// The rings between threads, where ThreadSanitizer can follow them, and their edges on one.
#include "transports/ring.h"

#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "transports/bells.h"
#include "transports/mpmc_ring.h"

namespace ipcbench {
namespace {

template <class Wait>
class RingOf : public testing::Test {
 protected:
  static constexpr std::size_t size = 48;
  explicit RingOf()
      : shape_{.size = size, .depth = 4, .shares_core = false, .directory = &directory_},
        there_(shape_),
        back_(shape_),
        ring_(there_.ring) {}

  struct Made {
    explicit Made(const Shape& shape)
        : memory(Ring<Wait>::bytes_for(shape)),
          ring(memory.data(), shape, true),
          reader(shape, ring.reader()),
          writer(shape, ring.writer()) {}
    Mapping memory;
    Ring<Wait> ring;
    Keeper<Wait> reader;
    Keeper<Wait> writer;
  };

  RunDirectory directory_;
  Shape shape_;
  Made there_;
  Made back_;
  Ring<Wait>& ring_;
};

using Waits = testing::Types<Spin, Yield, SpinYield, Futex, Asleep<EventfdBell>,
                             Asleep<PosixSemBell>, Asleep<SysvSemBell>, Asleep<CondBell>>;

struct WaitName {
  template <class Wait>
  static std::string GetName(int i) {
    return std::array{"Spin",    "Yield",    "SpinYield", "Futex",
                      "Eventfd", "PosixSem", "SysvSem",   "Cond"}[static_cast<std::size_t>(i)];
  }
};

TYPED_TEST_SUITE(RingOf, Waits, WaitName);

TYPED_TEST(RingOf, HoldsItsDepthWithoutAReader) {
  typename Ring<TypeParam>::Producer producer(this->ring_);
  typename Ring<TypeParam>::Consumer consumer(this->ring_);
  ASSERT_EQ(Ring<TypeParam>::slots_for(this->shape_), 4u);
  for (std::uint8_t i = 0; i < 4; ++i) {
    producer.reserve(1)[0] = std::byte{i};
    producer.commit();
  }
  for (std::uint8_t i = 0; i < 4; ++i) {
    const View message = consumer.peek(1);
    ASSERT_EQ(message.size(), 1u);
    EXPECT_EQ(message[0], std::byte{i});
    consumer.release();
  }
}

TYPED_TEST(RingOf, CarriesEveryMessageInOrderBetweenTwoThreads) {
  constexpr std::uint64_t count = 20'000;
  const auto size_of = [](std::uint64_t i) { return 8 + i % 41; };
  std::jthread writer([&] {
    typename Ring<TypeParam>::Producer producer(this->ring_);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bytes message = producer.reserve(size_of(i));
      std::memcpy(message.data(), &i, sizeof i);
      message.back() = message.size() > 8 ? std::byte{0x5a} : message.back();
      producer.commit();
    }
  });
  typename Ring<TypeParam>::Consumer consumer(this->ring_);
  for (std::uint64_t i = 0; i < count; ++i) {
    const View message = consumer.peek(0);
    std::uint64_t number = 0;
    std::memcpy(&number, message.data(), sizeof number);
    ASSERT_EQ(number, i);
    ASSERT_EQ(message.size(), size_of(i));
    consumer.release();
  }
}

TYPED_TEST(RingOf, WakesWhoeverSleepsThereAndBack) {
  constexpr std::uint64_t count = 10'000;
  const auto send = [](auto& producer, std::uint64_t number) {
    std::memcpy(producer.reserve(sizeof number).data(), &number, sizeof number);
    producer.commit();
  };
  const auto receive = [](auto& consumer) {
    std::uint64_t number = 0;
    std::memcpy(&number, consumer.peek(0).data(), sizeof number);
    consumer.release();
    return number;
  };
  std::jthread answerer([&] {
    typename Ring<TypeParam>::Consumer in(this->there_.ring);
    typename Ring<TypeParam>::Producer out(this->back_.ring);
    for (std::uint64_t i = 0; i < count; ++i) send(out, receive(in) + 1);
  });
  typename Ring<TypeParam>::Producer out(this->there_.ring);
  typename Ring<TypeParam>::Consumer in(this->back_.ring);
  for (std::uint64_t i = 0; i < count; ++i) {
    send(out, i);
    ASSERT_EQ(receive(in), i + 1);
  }
}

template <class Wait>
class RingOfMany : public testing::Test {};

struct ManyName {
  template <class Wait>
  static std::string GetName(int i) {
    return i == 0 ? "SpinYield" : "Futex";
  }
};

using ManyWaits = testing::Types<SpinYield, FutexForMany>;
TYPED_TEST_SUITE(RingOfMany, ManyWaits, ManyName);

TYPED_TEST(RingOfMany, GivesEveryMessageToOneConsumerInItsProducersOrder) {
  constexpr std::uint64_t count = 6'000;  // of each producer, and for each consumer
  constexpr std::uint64_t peers = 3;
  const Shape shape{.size = 48, .depth = 4};
  const Mapping memory(MpmcRing<TypeParam>::bytes_for(shape));
  const MpmcRing<TypeParam> ring(memory.data(), shape, true);
  ASSERT_EQ(MpmcRing<TypeParam>::slots_for(shape), 4u);
  std::vector<std::vector<std::uint64_t>> received(peers);
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t who = 0; who < peers; ++who) {
      threads.emplace_back([&ring, who] {
        typename MpmcRing<TypeParam>::Producer producer(ring);
        for (std::uint64_t i = 0; i < count; ++i) {
          const std::uint64_t number = i * peers + who;
          const Bytes message = producer.reserve(8 + number % 41);
          std::memcpy(message.data(), &number, sizeof number);
          producer.commit();
        }
      });
      threads.emplace_back([&ring, &mine = received[who]] {
        typename MpmcRing<TypeParam>::Consumer consumer(ring);
        for (std::uint64_t i = 0; i < count; ++i) {
          const View message = consumer.peek(0);
          std::uint64_t number = 0;
          std::memcpy(&number, message.data(), sizeof number);
          ASSERT_EQ(message.size(), 8 + number % 41);
          mine.push_back(number);
          consumer.release();
        }
      });
    }
  }
  std::vector<int> seen(peers * count);
  for (const auto& mine : received) {
    std::uint64_t least[peers] = {};
    for (const std::uint64_t number : mine) {
      ASSERT_LT(number, seen.size());
      ++seen[number];
      EXPECT_GE(number, least[number % peers]);
      least[number % peers] = number + 1;
    }
  }
  for (std::size_t number = 0; number < seen.size(); ++number) EXPECT_EQ(seen[number], 1) << number;
}

TEST(Ring, LargeMessagesGetFewerSlotsButAtLeastTwo) {
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 64, .depth = 64}), 64u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 1 << 20, .depth = 64}), 2u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 1 << 16, .depth = 64}), 31u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 16 << 20, .depth = 64}), 2u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 64, .depth = 1}), 2u);
}

}  // namespace
}  // namespace ipcbench
