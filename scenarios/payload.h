// payload.h: what messages hold, so that the reader can prove what arrived.
//
// Every 8-byte word of message i is i times an odd constant, so that content, order, loss and
// duplicates show in each word, down to messages of one byte (there modulo 256), and writing and
// reading cost what a store and a load of every byte cost. `verify` uses a stronger pattern that
// differs from word to word.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/run.h"
#include "harness/unix.h"

namespace ipcbench {

inline std::uint64_t payload_word(std::uint64_t sequence) {
  return sequence * 0x9E3779B97F4A7C15;
}

/// The message that a word belongs to: payload_word's inverse.
inline std::uint64_t payload_sequence(std::uint64_t word) {
  return word * 0xF1DE83E19937733D;
}
static_assert(0x9E3779B97F4A7C15 * 0xF1DE83E19937733D == 1);

[[noreturn, gnu::cold, gnu::noinline]] inline void fail_payload(std::uint64_t sequence,
                                                                std::size_t expected,
                                                                std::size_t size) {
  throw std::runtime_error(
      size == expected
          ? fmt::format("message {} arrived with other content", sequence)
          : fmt::format("message {} arrived with {} bytes, expected {}", sequence, size, expected));
}

// Both are inlined whatever the compiler thinks of it: no message pays for a call. The loops over
// words are the plain ones that compilers turn into vector code with one reduction at the end.

/// Writes every byte of message `sequence`.
[[gnu::always_inline]] inline void write_payload(Bytes message, std::uint64_t sequence) {
  std::uint64_t word = payload_word(sequence);
  std::byte* const start = message.data();
  const std::size_t words = message.size() / sizeof word;
  for (std::size_t i = 0; i != words; ++i) std::memcpy(start + i * sizeof word, &word, sizeof word);
  for (std::size_t at = words * sizeof word; at != message.size(); ++at, word >>= 8)
    start[at] = static_cast<std::byte>(word);
}

/// Reads the first `bytes` of message `sequence`, which is `expected_size` long: throws unless both
/// are as written.
[[gnu::always_inline]] inline void read_payload(View message, std::uint64_t sequence,
                                                std::size_t expected_size, std::size_t bytes) {
  if (message.size() != expected_size) [[unlikely]]
    fail_payload(sequence, expected_size, message.size());
  std::uint64_t expected = payload_word(sequence);
  std::uint64_t difference = 0;
  const std::byte* const start = message.data();
  const std::size_t words = bytes / sizeof expected;
  for (std::size_t i = 0; i != words; ++i) {
    std::uint64_t word;
    std::memcpy(&word, start + i * sizeof word, sizeof word);
    difference |= word ^ expected;
  }
  for (std::size_t at = words * sizeof expected; at != bytes; ++at, expected >>= 8)
    difference |= static_cast<std::uint64_t>(start[at]) ^ (expected & 0xff);
  if (difference != 0) [[unlikely]]
    fail_payload(sequence, expected_size, message.size());
}
/// Reads every byte.
[[gnu::always_inline]] inline void read_payload(View message, std::uint64_t sequence,
                                                std::size_t expected_size) {
  read_payload(message, sequence, expected_size, expected_size);
}

/// Loads bytes of which nothing is known.
inline void skim_payload(View rest) {
  std::uint64_t sum = 0;
  const std::byte* const start = rest.data();
  for (std::size_t i = 0; i != rest.size() / sizeof sum; ++i) {
    std::uint64_t word;
    std::memcpy(&word, start + i * sizeof word, sizeof word);
    sum ^= word;
  }
  asm volatile("" : : "r"(sum));
}

/// How long a message is, and how much of it each side handles (see Touch).
struct Amount {
  explicit Amount(const Params& params)
      : size(params.size),
        written(params.load.is_written() ? size : std::min(size, sizeof(std::uint64_t))),
        checked(params.load.is_read() ? written : std::min(size, sizeof(std::uint64_t))),
        skimmed(params.load.is_read() ? size - checked : 0) {}

  std::size_t size;
  std::size_t written;
  std::size_t checked;  ///< of what was written
  std::size_t skimmed;  ///< of what wasn't, after it
};

[[gnu::always_inline]] inline void write_payload(Bytes message, std::uint64_t sequence,
                                                 const Amount& amount) {
  write_payload(message.first(amount.written), sequence);
}
[[gnu::always_inline]] inline void read_payload(View message, std::uint64_t sequence,
                                                const Amount& amount) {
  read_payload(message, sequence, amount.size, amount.checked);
  if (amount.skimmed != 0) [[unlikely]]
    skim_payload(message.subspan(amount.checked));
}

}  // namespace ipcbench
