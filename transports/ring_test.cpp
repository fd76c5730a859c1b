// The ring between two threads, where ThreadSanitizer can follow it, and its edges on one.
#include "transports/ring.h"

#include <cstring>
#include <thread>

#include <gtest/gtest.h>

namespace ipcbench {
namespace {

template <class Wait>
class RingOf : public testing::Test {
 protected:
  static constexpr std::size_t size = 48;
  explicit RingOf()
      : shape_{.size = size, .depth = 4, .shares_core = false, .directory = nullptr},
        memory_(Ring<Wait>::bytes_for(shape_)),
        ring_(memory_.data(), shape_, true) {}

  Shape shape_;
  Mapping memory_;
  Ring<Wait> ring_;
};

using Waits = testing::Types<Spin, Yield, Futex>;

struct WaitName {
  template <class Wait>
  static std::string GetName(int) {
    if (std::is_same_v<Wait, Spin>) return "Spin";
    return std::is_same_v<Wait, Yield> ? "Yield" : "Futex";
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

TEST(Ring, LargeMessagesGetFewerSlotsButAtLeastTwo) {
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 64, .depth = 64}), 64u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 1 << 20, .depth = 64}), 2u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 1 << 16, .depth = 64}), 31u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 16 << 20, .depth = 64}), 2u);
  EXPECT_EQ(Ring<Spin>::slots_for({.size = 64, .depth = 1}), 2u);
}

}  // namespace
}  // namespace ipcbench
