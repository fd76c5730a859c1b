// any_link.h: a link whose verbs are virtual functions: for the probe, and for scenarios in which a
// virtual call is nothing beside what they time (a sleeping peer, a link's whole life).
//
// scenarios/matrix.h makes one of every transport.
#pragma once

#include <memory>
#include <stdexcept>

#include "harness/transport.h"

namespace ipcbench {

/// What an end can do. Calling a verb that it lacks throws std::logic_error.
struct Verbs {
  bool send = false;
  bool receive = false;
  bool notify = false;
  bool wait = false;
  bool lock = false;
};

class AnyEnd {
 public:
  AnyEnd() = default;
  AnyEnd(const AnyEnd&) = delete;
  AnyEnd& operator=(const AnyEnd&) = delete;
  virtual ~AnyEnd() = default;

  virtual Verbs verbs() const = 0;
  virtual Bytes reserve(std::size_t size) = 0;
  virtual void commit() = 0;
  virtual View peek(std::size_t size) = 0;
  virtual void release() = 0;
  virtual void notify() = 0;
  virtual void wait() = 0;
  virtual void lock() = 0;
  virtual void unlock() = 0;
};

class AnyLink {
 public:
  AnyLink() = default;
  AnyLink(const AnyLink&) = delete;
  AnyLink& operator=(const AnyLink&) = delete;
  virtual ~AnyLink() = default;

  /// Each in its own process, as a transport's own.
  virtual std::unique_ptr<AnyEnd> producer() = 0;
  virtual std::unique_ptr<AnyEnd> consumer() = 0;
};

/// Makes a link of a row, or finds it: where the transport's constructor may run.
struct LinkMaker {
  Verbs producer;
  Verbs consumer;
  std::unique_ptr<AnyLink> (*make)(const Shape&);
};

}  // namespace ipcbench
