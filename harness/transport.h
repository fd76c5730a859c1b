// transport.h: what a transport is: its facts, and the verbs of its ends.
//
// A transport is a type T with
//
//   static constexpr Facts facts;
//   static std::string unavailable();     // optional: why not on this machine, or ""
//   static std::size_t message_max();     // optional: the largest message, asked of the kernel
//   static std::string unfit(const Shape&);  // optional: why not with these parameters, or ""
//   explicit T(const Shape&);             // in the runner, before the fork: kernel objects only
//   P producer();  C consumer();          // each in its own process, after the fork
//
// and, optionally, `std::size_t depth() const`: how many messages of the shape's size it holds;
// `static constexpr bool is_slow = true`: a message takes milliseconds, and a proof sends few; and
// `static constexpr std::string_view settings`: how a library is set up, where numbers depend on
// it. A roofline has `E alone()` in place of producer() and consumer(): one process that is both
// ends. Where the other end may be the kernel itself (`--peer kernel`), there is `E
// kernel(KernelPart)`, which gives the one end that is left; beside producer() and consumer(), or
// without them.
//
// Rows that differ only in data (an address family, a socket option) share one type and its code:
// T::Variant is that data, row<T>(facts, variant) binds it, shape.variant_as<T::Variant>() reads
// it, and unavailable() and message_max() may take a `const Variant&`.
//
// Two unrelated processes may start a pair (`--start exec`): then T is constructed in each of them,
// and only the process in which Name::is_ours() makes the object; the other one finds it. A
// transport whose naming isn't `inherited` therefore finds everything by Names. Where a library has
// a launcher of its own that programs are started by (`--start launch`), T::Launcher is one: made
// in the runner from a Shape and the Programs, it starts them by a Daemon, which ends when they
// have.
//
// Ends have only the verbs that their mechanism allows, so that types say what fits:
//
//   Channel  reserve(n) -> Bytes, commit()  or  send(message)      at the sending end
//            peek(n) -> View, release()     or  recv(buffer) -> n  at the receiving end
//            and, where messages may be lost, recv_within(buffer, ns) -> n, or 0 when time is up
//   Signal   notify()  at one end,  wait()  at the other
//   Lock     lock(), unlock()               at both
//   Rpc      call(request, reply) -> n      at one end: waits for the reply, of n bytes
//            serve(count, handler)          at the other: handler(request, reply) -> n
//
// A channel whose ends both send and receive is duplex. Zero-copy is the general case: a transport
// that copies writes only send and recv, and the harness lends it a private buffer (Lent, below).
// `serve` answers exactly `count` calls, from whichever clients, and returns; `handler` is a
// template parameter, and may throw. A reply has room for Shape::size bytes at both ends.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/name.h"
#include "harness/unix.h"
#include "harness/waiting.h"

namespace ipcbench {

enum class Family {
  roofline,
  pipe,
  socket,
  queue,
  file,
  shm,
  process,
  signal,
  sync,
  rpc,
  messaging,  ///< by a library
  broker,     ///< by a library and a process between the ends
  kernel
};
/// How two ends find each other: `pid` is the peer's process number, `abstract` a socket's name
/// that is no path, `port` a number within a protocol (a TCP port, a netlink port id, an
/// EtherType).
enum class Naming { inherited, pathname, abstract, key, port, pid };
enum class Handle { none, fd, memory, id, library };
enum class Boundary { none, stream, message };
enum class Persistence { process, kernel, filesystem };
/// `newest` is a register's: a message overwrites the one before it, read or not.
enum class Delivery { reliable, lossy, newest };
enum class Peers { one_to_one, many_to_one, many_to_many };

/// What types cannot say of a mechanism. There are no defaults but one: every transport answers
/// all.
struct Facts {
  std::string_view name;     ///< the file's name, with ".variant" where it has several rows
  std::string_view summary;  ///< one line for `list`
  Family family;
  Naming naming;      ///< how two ends find each other
  Handle handle;      ///< what an end holds
  Boundary boundary;  ///< what becomes of message boundaries; none: it carries no bytes
  /// How long what was sent lives if nobody takes it: until the processes that hold the object are
  /// gone, until the kernel restarts, or for good. A name may outlive it. (Kerrisk, The Linux
  /// Programming Interface, table 43-2.)
  Persistence persistence;
  Delivery delivery;
  Peers peers;                ///< producers to consumers that one object can serve
  bool pollable;              ///< epoll(7) can wait for it: it runs with every Waiting
  int copies;                 ///< of the payload, from the writer's store to the reader's load
  std::string_view standard;  ///< where it runs besides here: POSIX, System V, Linux …
  /// The transport that carries a library's messages, "unix_stream": what the library costs is told
  /// above that one. "": it is a mechanism itself.
  std::string_view carrier = "";
};

/// The words that Facts' answers are printed as.
std::string_view text(Family);
std::string_view text(Naming);
std::string_view text(Handle);
std::string_view text(Boundary);
std::string_view text(Persistence);
std::string_view text(Delivery);
std::string_view text(Peers);

/// Who is at the other end: the axis `--peer`. `source`: the kernel produces, a process consumes.
enum class Peer { process, kernel, source };
std::string_view text(Peer);

/// What the kernel does as an end: it answers each message with the same, or reads each, or makes
/// each (message i is payload i of Shape::size bytes, from 0).
enum class KernelPart { echo, sink, source };
/// What the kernel has read as a sink. A message's sum is that of its words of 64 bits, the last of
/// which may be short.
struct Sunk {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
};

/// What a run asks of a link.
struct Shape {
  std::size_t size = 0;    ///< the largest message in bytes
  std::size_t depth = 64;  ///< messages the channel should hold; each mechanism has its own limits
  bool shares_core = false;                 ///< both ends are pinned to one core
  Waiting waiting = Waiting::block;         ///< how an end waits for a descriptor (waiting.h)
  Peer peer = Peer::process;                ///< who is at the other end
  bool is_launched = false;                 ///< T::Launcher starts the ends
  int producers = 1;                        ///< ends that send, all of them on one object
  int consumers = 1;                        ///< ends that receive, from the same object
  const RunDirectory* directory = nullptr;  ///< where its names come from (name.h)
  const void* variant = nullptr;            ///< the row's data, where rows share a type

  template <class Variant>
  const Variant& variant_as() const {
    return *static_cast<const Variant*>(variant);
  }
};

/// What a launcher starts.
struct Programs {
  std::array<std::vector<std::string>, 2> commands;  ///< the producer's and the consumer's
  std::function<bool()> are_there;                   ///< both have been started
};

template <class End>
concept LendingSender = requires(End end, std::size_t n) {
  { end.reserve(n) } -> std::same_as<Bytes>;
  end.commit();
};
template <class End>
concept LendingReceiver = requires(End end, std::size_t n) {
  { end.peek(n) } -> std::same_as<View>;
  end.release();
};
template <class End>
concept CopyingSender = requires(End end, View message) {
  end.send(message);
};
template <class End>
concept CopyingReceiver = requires(End end, Bytes buffer) {
  { end.recv(buffer) } -> std::same_as<std::size_t>;
};
/// A receiver that gives up after a while and says so with 0 bytes. The ends of a lossy channel
/// receive in this way too: what they wait for may never come.
template <class End>
concept ImpatientReceiver = CopyingReceiver<End> &&
    requires(End end, Bytes buffer, std::int64_t ns) {
  { end.recv_within(buffer, ns) } -> std::same_as<std::size_t>;
};
template <class End>
concept Sender = LendingSender<End> || CopyingSender<End>;
template <class End>
concept Receiver = LendingReceiver<End> || CopyingReceiver<End>;
template <class End>
concept Notifier = requires(End end) {
  end.notify();
};
template <class End>
concept Waiter = requires(End end) {
  end.wait();
};
template <class End>
concept Caller = requires(End end, View request, Bytes reply) {
  { end.call(request, reply) } -> std::same_as<std::size_t>;
};
template <class End>
concept Server = requires(End end, std::uint64_t count, std::size_t (*handler)(View, Bytes)) {
  end.serve(count, handler);
};
template <class End>
concept Lockable = requires(End end) {
  end.lock();
  end.unlock();
};

template <class T>
concept Paired = requires(T link) {
  link.producer();
  link.consumer();
};
template <class T>
concept Lonely = requires(T link) {
  link.alone();
};
/// `sunk()` tells what has arrived at a sink, once the end is done.
template <class T>
concept KernelPeered = requires(T link) {
  link.kernel(KernelPart::echo);
  { link.sunk() } -> std::same_as<Sunk>;
};
template <class T>
concept Transport = std::constructible_from<T, const Shape&> &&
    (Paired<T> || Lonely<T> || KernelPeered<T>)&&requires {
  { T::facts } -> std::convertible_to<Facts>;
};

template <Paired T>
using ProducerOf = decltype(std::declval<T&>().producer());
template <Paired T>
using ConsumerOf = decltype(std::declval<T&>().consumer());
template <Lonely T>
using AloneOf = decltype(std::declval<T&>().alone());
template <KernelPeered T>
using KernelEndOf = decltype(std::declval<T&>().kernel(KernelPart::echo));

template <class T>
concept Channel = Transport<T> && Paired<T> && Sender<ProducerOf<T>> && Receiver<ConsumerOf<T>>;
template <class T>
concept DuplexChannel = Channel<T> && Receiver<ProducerOf<T>> && Sender<ConsumerOf<T>>;
/// What a channel does with messages decides which loop a scenario runs: a queue delivers them all
/// in order, a lossy channel may drop some, and a register holds the newest alone: what isn't
/// answered before the next is lost. A channel is one of the three.
template <class T>
concept Queue = Channel<T> &&(T::facts.delivery == Delivery::reliable);
template <class T>
concept LossyChannel = Channel<T> &&(T::facts.delivery == Delivery::lossy);
template <class T>
concept Register = Channel<T> &&(T::facts.delivery == Delivery::newest);
template <class T>
concept Signal = Transport<T> && Paired<T> && Notifier<ProducerOf<T>> && Waiter<ConsumerOf<T>>;
template <class T>
concept Lock = Transport<T> && Paired<T> && Lockable<ProducerOf<T>> && Lockable<ConsumerOf<T>>;
template <class T>
concept Rpc = Transport<T> && Paired<T> && Caller<ProducerOf<T>> && Server<ConsumerOf<T>>;
/// By its library's own launcher.
template <class T>
concept Launchable =
    Transport<T> && std::constructible_from<typename T::Launcher, const Shape&, const Programs&>;
/// With the kernel as its only peer.
template <class T>
concept KernelServed = Transport<T> && KernelPeered<T> && !Paired<T> && !Lonely<T>;
template <class T>
concept LonelyChannel = Transport<T> && Lonely<T> && Sender<AloneOf<T>> && Receiver<AloneOf<T>>;
template <class T>
concept LonelySignal = Transport<T> && Lonely<T> && Notifier<AloneOf<T>> && Waiter<AloneOf<T>>;

/// Private memory that starts at a cache line, so that its place isn't an accident that shows in
/// the numbers.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) : lines_(std::make_unique<Line[]>((size + 63) / 64)) {}
  std::byte* data() const { return reinterpret_cast<std::byte*>(lines_.get()); }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::unique_ptr<Line[]> lines_;
};

/// Lends memory for an end that copies: reserve and peek hand out a private buffer, commit sends
/// it and peek fills it. `size` is the largest message. Ends that lend pass straight through.
template <class End, Boundary boundary>
class Lent {
 public:
  Lent(End end, std::size_t size) : end_(std::move(end)), size_(size) {
    if constexpr (CopyingSender<End> && !LendingSender<End>) out_ = AlignedBuffer(size);
    if constexpr (CopyingReceiver<End> && !LendingReceiver<End>) in_ = AlignedBuffer(size);
  }

  Bytes reserve(std::size_t size) requires Sender<End> {
    if constexpr (LendingSender<End>) {
      return end_.reserve(size);
    } else {
      message_ = {out_.data(), size};
      return message_;
    }
  }
  void commit() requires Sender<End> {
    if constexpr (LendingSender<End>)
      end_.commit();
    else
      end_.send(message_);
  }
  /// Waits for a message. A byte stream is read until it has given `size` bytes; a mechanism that
  /// keeps boundaries returns one message, whatever its size.
  View peek(std::size_t size) requires Receiver<End> {
    if constexpr (LendingReceiver<End>)
      return end_.peek(size);
    else if constexpr (boundary == Boundary::message)
      return {in_.data(), end_.recv({in_.data(), size_})};
    else
      return {in_.data(), end_.recv({in_.data(), size})};
  }
  /// Waits for a message no longer than `ns`: empty if there is none.
  View peek_within(std::int64_t ns) requires ImpatientReceiver<End> {
    return {in_.data(), end_.recv_within({in_.data(), size_}, ns)};
  }
  void release() requires Receiver<End> {
    if constexpr (LendingReceiver<End>) end_.release();
  }

 private:
  End end_;
  std::size_t size_;
  Bytes message_;
  AlignedBuffer out_;
  AlignedBuffer in_;
};

}  // namespace ipcbench
