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

/// Writes every byte of message `sequence`.
inline void write_payload(Bytes message, std::uint64_t sequence) {
  const std::uint64_t word = payload_word(sequence);
  std::byte* at = message.data();
  std::size_t left = message.size();
  for (; left >= sizeof word; left -= sizeof word, at += sizeof word)
    std::memcpy(at, &word, sizeof word);
  for (int shift = 0; left > 0; --left, ++at, shift += 8)
    *at = static_cast<std::byte>(word >> shift);
}

/// Reads every byte of message `sequence`; throws unless all are as written.
inline void read_payload(View message, std::uint64_t sequence, std::size_t expected_size) {
  const std::uint64_t expected = payload_word(sequence);
  std::uint64_t difference = message.size() ^ expected_size;
  const std::byte* at = message.data();
  std::size_t left = message.size();
  for (; left >= sizeof expected; left -= sizeof expected, at += sizeof expected) {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    difference |= word ^ expected;
  }
  for (int shift = 0; left > 0; --left, ++at, shift += 8)
    difference |= static_cast<std::uint64_t>(*at) ^ ((expected >> shift) & 0xff);
  if (difference != 0) [[unlikely]]
    fail_payload(sequence, expected_size, message.size());
}

}  // namespace ipcbench
