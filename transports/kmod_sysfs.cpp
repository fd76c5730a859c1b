// kmod_sysfs: attributes in sysfs as a mailbox for one message, our module's. Reading or writing
// one never waits; who waits sleeps in poll(2) until sysfs_notify says that an attribute has
// changed.
#include <poll.h>

#include "scenarios/matrix.h"
#include "transports/kmod.h"

namespace ipcbench {
namespace {

/// A change is POLLPRI, until the attribute is read from its start by the same open file; so an end
/// looks first, then sleeps, and needs no epoll(7) of its own.
void await_change(const Fd& attribute) {
  pollfd waiting{attribute.get(), POLLPRI, 0};
  check(retry([&] { return ::poll(&waiting, 1, -1); }), "poll");
}

constexpr Facts facts_of_sysfs() {
  Facts facts = kmod_facts("kmod_sysfs", "sysfs attributes of our kernel module as a mailbox");
  facts.peers = Peers::one_to_one;
  facts.pollable = false;  // not as --wait means it: for room or for data
  facts.copies = 4;        // each way through a page of sysfs
  return facts;
}

struct KmodSysfs {
  static constexpr Facts facts = facts_of_sysfs();

  static std::string unavailable() { return kmod_unavailable(); }
  static std::size_t message_max() { return IPCBENCH_SYSFS_MAX; }

  struct Producer {
    Fd message;
    Fd taken;
    void send(View bytes) {
      while (retry([&] { return ::pwrite(message.get(), bytes.data(), bytes.size(), 0); }) == -1)
        [[unlikely]] await_room();
    }
    void await_room() {
      if (errno != EAGAIN) fail("pwrite");
      char is_empty = '0';
      check(retry([&] { return ::pread(taken.get(), &is_empty, 1, 0); }), "pread");
      if (is_empty == '0') await_change(taken);
    }
  };
  struct Consumer {
    Fd message;
    Fd taken;
    std::size_t recv(Bytes buffer) {
      ssize_t got;
      while ((got = read(buffer)) == 0) [[unlikely]] await_change(message);
      check(retry([&] { return ::pwrite(taken.get(), "1", 1, 0); }), "pwrite");
      return static_cast<std::size_t>(got);
    }
    ssize_t read(Bytes buffer) const {
      const auto read = [&] { return ::pread(message.get(), buffer.data(), buffer.size(), 0); };
      return check(retry(read), "pread");
    }
  };

  explicit KmodSysfs(const Shape& shape)
      : name_(*shape.directory, NameKind::note), channel_(IPCBENCH_SYSFS, shape, &name_) {
    channel_.hold();
  }

  std::size_t depth() const { return channel_.depth(); }
  Producer producer() { return {open("message", O_WRONLY), open("taken", O_RDONLY)}; }
  Consumer consumer() { return {open("message", O_RDONLY), open("taken", O_WRONLY)}; }

 private:
  Fd open(std::string_view attribute, int access) const {
    const std::string path =
        fmt::format("/sys/class/misc/ipcbench/{}/{}", channel_.id(), attribute);
    return Fd(check(::open(path.c_str(), access | O_CLOEXEC), "open", path));
  }

  Name name_;
  KmodChannel channel_;
};

}  // namespace

std::vector<Row> kmod_sysfs_rows() {
  return {row<KmodSysfs>()};
}

}  // namespace ipcbench
