// fabric.h: what libraries for fast networks share: each end has an address of its own, and polls.
#pragma once

#include <sched.h>

#include <charconv>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transports/messaging.h"

namespace ipcbench {

/// How two such ends meet: each tells the other one its address; and how they part.
class Introduction : public Meeting {
 public:
  explicit Introduction(const RunDirectory& directory)
      : Meeting(directory, Endpoint::tcp), dialer_(directory, NameKind::note) {}

  /// Tells one's own address, any bytes, and returns the other end's once it is there.
  std::string exchange(bool listens, std::string_view own) const {
    if (listens) {
      publish(to_text(own));
      return to_bytes(dialer_.await());
    }
    dialer_.publish(to_text(own));
    return to_bytes(await());
  }

 private:
  // A note is text: the address in hexadecimal.
  static std::string to_text(std::string_view bytes) {
    const auto* first = reinterpret_cast<const unsigned char*>(bytes.data());
    return fmt::format("{:02x}", fmt::join(first, first + bytes.size(), ""));
  }
  static std::string to_bytes(const std::string& text) {
    std::string bytes(text.size() / 2, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      unsigned char byte = 0;
      std::from_chars(&text[2 * i], &text[2 * i] + 2, byte, 16);
      bytes[i] = static_cast<char>(byte);
    }
    return bytes;
  }

  Name dialer_;
};

/// What an end does between two looks that found nothing. It keeps its core where that is its own;
/// but a core is taken for granted only for so long.
class Patience {
 public:
  explicit Patience(bool shares_core) : idle_max_(shares_core ? 1 : 1024) {}
  void wait() {
    if (++idle_ < idle_max_) return;
    idle_ = 0;
    ::sched_yield();
  }

 private:
  int idle_max_;
  int idle_ = 0;
};

}  // namespace ipcbench
