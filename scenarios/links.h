// links.h: what scenarios ask of a transport: one channel, or one each way.
//
// An end of a link has the lent verbs (reserve, commit, peek, release) of transport.h, whatever
// the transport itself wrote.
#pragma once

#include <utility>

#include "harness/transport.h"

namespace ipcbench {

/// An end with the lent verbs: itself where it has them all, with a lent buffer where it copies.
template <class T, class End>
auto lend(End end, const Shape& shape) {
  if constexpr (CopyingSender<End> || CopyingReceiver<End>)
    return Lent<End, T::facts.boundary>(std::move(end), shape.size);
  else
    return end;
}

/// A channel each way: one duplex channel, or two one-way ones.
template <Channel T>
class TwoWayLink {
 public:
  explicit TwoWayLink(const Shape& shape) : shape_(shape), there_(shape), back_(shape) {}
  auto producer() { return pair(there_.producer(), back_.consumer()); }
  auto consumer() { return pair(there_.consumer(), back_.producer()); }
  const T& channel() const { return there_; }

 private:
  /// Joins the two ends that a process holds, whichever of them sends.
  template <class First, class Second>
  auto pair(First first, Second second) {
    if constexpr (Sender<First>)
      return join(lend<T>(std::move(first), shape_), lend<T>(std::move(second), shape_));
    else
      return join(lend<T>(std::move(second), shape_), lend<T>(std::move(first), shape_));
  }
  template <class Out, class In>
  struct Joined {
    Out out;
    In in;
    // Inlined wherever they are used: several scenarios do, and no message pays for a call.
    [[gnu::always_inline]] Bytes reserve(std::size_t size) { return out.reserve(size); }
    [[gnu::always_inline]] void commit() { out.commit(); }
    [[gnu::always_inline]] View peek(std::size_t size) { return in.peek(size); }
    [[gnu::always_inline]] void release() { in.release(); }
  };
  template <class Out, class In>
  static Joined<Out, In> join(Out out, In in) {
    return {std::move(out), std::move(in)};
  }

  Shape shape_;
  T there_;
  T back_;
};

template <DuplexChannel T>
class TwoWayLink<T> {
 public:
  explicit TwoWayLink(const Shape& shape) : shape_(shape), link_(shape) {}
  auto producer() { return lend<T>(link_.producer(), shape_); }
  auto consumer() { return lend<T>(link_.consumer(), shape_); }
  const T& channel() const { return link_; }

 private:
  Shape shape_;
  T link_;
};

}  // namespace ipcbench
