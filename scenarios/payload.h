// payload.h: what messages hold, so that the reader can prove what arrived.
//
// Every 8-byte word of message i is i times an odd constant, so that content, order, loss and
// duplicates show in each word, down to messages of one byte (there modulo 256), and writing and
// reading cost what a store and a load of every byte cost. `verify` uses a stronger pattern that
// differs from word to word.
#pragma once

#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/unix.h"

namespace ipcbench {

inline std::uint64_t payload_word(std::uint64_t sequence) {
  return sequence * 0x9E3779B97F4A7C15;
}

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_payload(std::uint64_t sequence,
                                                                std::size_t expected,
                                                                std::size_t size) {
  throw std::runtime_error(
      size == expected
          ? fmt::format("message {} arrived with other content", sequence)
          : fmt::format("message {} arrived with {} bytes, expected {}", sequence, size, expected));
}

// Both are inlined whatever the compiler thinks of it: no message pays for a call.

/// Writes every byte of message `sequence`. Whole cache lines come first, in a loop whose body the
/// compiler lays out straight: a message of 64 bytes is four stores.
[[gnu::always_inline]] inline void write_payload(Bytes message, std::uint64_t sequence) {
  std::uint64_t word = payload_word(sequence);
  std::byte* at = message.data();
  std::byte* const end = at + message.size();
  for (; end - at >= 64; at += 64)
    for (std::size_t i = 0; i != 64; i += sizeof word) std::memcpy(at + i, &word, sizeof word);
  for (; end - at >= 8; at += sizeof word) std::memcpy(at, &word, sizeof word);
  for (; at != end; ++at, word >>= 8) *at = static_cast<std::byte>(word);
}

/// Reads every byte of message `sequence`; throws unless all are as written.
[[gnu::always_inline]] inline void read_payload(View message, std::uint64_t sequence,
                                                std::size_t expected_size) {
  std::uint64_t expected = payload_word(sequence);
  std::uint64_t difference = message.size() ^ expected_size;
  const std::byte* at = message.data();
  const std::byte* const end = at + message.size();
  const auto compare = [&](const std::byte* from) {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    difference |= word ^ expected;
  };
  for (; end - at >= 64; at += 64)
    for (std::size_t i = 0; i != 64; i += sizeof expected) compare(at + i);
  for (; end - at >= 8; at += sizeof expected) compare(at);
  for (; at != end; ++at, expected >>= 8)
    difference |= static_cast<std::uint64_t>(*at) ^ (expected & 0xff);
  if (difference != 0) [[unlikely]]
    fail_payload(sequence, expected_size, message.size());
}

}  // namespace ipcbench
