// keys.h: the kernel's key service without a library: keyctl(2), add_key(2), and a user's quota.
#pragma once

#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/unix.h"
#include "harness/waiting.h"

namespace ipcbench {

using Key = std::int32_t;

template <class... Arguments>
long keyctl(int operation, Arguments... arguments) {
  return ::syscall(SYS_keyctl, operation, arguments...);
}

/// The keys of processes that are gone count for their user until the kernel has cleared them away,
/// some milliseconds later: so a full quota is full only if it stays so.
inline long within_quota(auto call) {
  Deadline deadline(5'000'000'000);
  long result;
  while ((result = call()) == -1 && errno == EDQUOT && deadline.left_ns() > 0) ::usleep(1000);
  return result;
}

/// Makes a key in a keyring, or changes the one of that description which is there.
inline Key add_key(const char* type, const std::string& description, View payload, Key keyring) {
  const long key = within_quota([&] {
    return ::syscall(SYS_add_key, type, description.c_str(), payload.data(), payload.size(),
                     static_cast<long>(keyring));
  });
  return static_cast<Key>(check(key, "add_key", description));
}

/// Which slots there are: a key for each, in a keyring of their own.
class Keys {
 public:
  struct Slot {
    std::string description;
    Key key;
  };

  explicit Keys(std::size_t count) : owner_(::getpid()) {
    // A runner that makes two links joins once: the first keyring would be out of reach.
    [[maybe_unused]] static const long session =
        check(within_quota([] { return keyctl(KEYCTL_JOIN_SESSION_KEYRING, nullptr); }), "keyctl",
              "KEYCTL_JOIN_SESSION_KEYRING");
    static int keyrings = 0;
    keyring_ =
        add_key("keyring", fmt::format("ipcbench-{}", keyrings++), {}, KEY_SPEC_SESSION_KEYRING);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string description = fmt::format("{}", i);
      slots_.push_back({description, add_key("user", description, View(&empty, 1), keyring_)});
    }
  }
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;
  ~Keys() {
    if (owner_ != ::getpid()) return;
    keyctl(KEYCTL_CLEAR, keyring_);
    keyctl(KEYCTL_UNLINK, keyring_, KEY_SPEC_SESSION_KEYRING);
  }

  Key keyring() const { return keyring_; }
  const Slot& at(std::size_t index) const { return slots_[index]; }

 private:
  static constexpr std::byte empty{};

  pid_t owner_;
  Key keyring_;
  std::vector<Slot> slots_;
};

/// What a link may take of the keys and bytes that a user can have (keyrings(7)): a run has two.
struct Quota {
  std::size_t keys = of_user("maxkeys", 200) / 4 - 1;  // and a keyring
  std::size_t bytes = of_user("maxbytes", 20000) / 4;

  static std::size_t of_user(const char* limit, std::size_t otherwise) {
    const char* whose = ::geteuid() == 0 ? "root_" : "";
    return read_number(fmt::format("/proc/sys/kernel/keys/{}{}", whose, limit), otherwise);
  }
};

}  // namespace ipcbench
