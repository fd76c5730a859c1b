// keyring: keys of the kernel's key service (keyrings(7)) as message slots. A key of type `user` is
// up to 32,767 bytes that the kernel keeps, under a description and with rights: for the secrets of
// file systems and network protocols, not for messages.
//
// The producer puts message i into key i modulo the number of slots, by add_key(2): there is a key
// of that description, and it gets a new payload. (KEYCTL_UPDATE does the same by the key's number,
// but takes no more than a page.) The consumer reads it by keyctl(2), KEYCTL_READ. Kernels with
// CONFIG_KEY_NOTIFICATIONS alone tell of changes (watch_queue(7)); so words in shared memory say
// which keys hold a message, and a futex(2) wakes.
//
// The keyring hangs on an anonymous session keyring of the run, which its processes inherit, and
// goes with the last of them.
#include <algorithm>
#include <cstring>

#include "scenarios/matrix.h"
#include "transports/keys.h"
#include "transports/slots.h"

namespace ipcbench {
namespace {

class Keyring {
 public:
  static constexpr Facts facts{.name = "keyring",
                               .summary = "keys of the kernel's key service, waits in futex",
                               .family = Family::queue,
                               .naming = Naming::inherited,
                               .handle = Handle::id,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               // into a buffer of the call, the key, such a buffer, and out of it
                               .copies = 4,
                               .standard = "Linux"};

  static std::string unavailable() {
    if (keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) != -1) return "";
    return fmt::format("keyctl: {}", std::strerror(errno));
  }
  /// What a key of type user takes (user_preparse in the kernel); there are two slots.
  static std::size_t message_max() {
    return std::min<std::size_t>(32767, Quota().bytes / 2 - overhead);
  }

  struct Producer {
    SlotSender messages;
    const Keys* keys;
    std::size_t stride;
    void send(View message) {
      const Keys::Slot& slot = keys->at(messages.await() / stride);
      add_key("user", slot.description, message, keys->keyring());
      messages.publish(message.size());
    }
  };
  struct Consumer {
    SlotReceiver messages;
    const Keys* keys;
    std::size_t stride;
    std::size_t recv(Bytes buffer) {
      const auto [place, size] = messages.await();
      const Key key = keys->at(place / stride).key;
      const long got =
          check(keyctl(KEYCTL_READ, key, buffer.data(), buffer.size()), "keyctl", "KEYCTL_READ");
      if (static_cast<std::size_t>(got) != size) [[unlikely]]
        throw std::runtime_error(fmt::format("keyctl: a key of {} bytes, not {}", got, size));
      messages.release();
      return size;
    }
  };

  explicit Keyring(const Shape& shape)
      : memory_(Slots::bytes_for(affordable(shape))),
        slots_(memory_.data(), affordable(shape), true),
        keys_(slots_.count) {}

  std::size_t depth() const { return slots_.count; }
  Producer producer() { return {SlotSender(slots_), &keys_, slots_.stride}; }
  Consumer consumer() { return {SlotReceiver(slots_), &keys_, slots_.stride}; }

 private:
  /// A key's description counts, too.
  static constexpr std::size_t overhead = 16;
  static Shape affordable(Shape shape) {
    const Quota quota;
    shape.depth = std::min({shape.depth, quota.keys, quota.bytes / (shape.size + overhead)});
    return shape;
  }

  Mapping memory_;
  Slots slots_;
  Keys keys_;
};

}  // namespace

std::vector<Row> keyring_rows() {
  return {row<Keyring>()};
}

}  // namespace ipcbench
