// pshared.h: what the process-shared objects of pthreads have in common: where they lie, and how
// their calls fail. They are never destroyed, only unmapped: one that a dead process holds or waits
// for can't be.
#pragma once

#include <pthread.h>

#include "harness/transport.h"

namespace ipcbench {

constexpr Facts pshared_facts(std::string_view name, std::string_view summary, Peers peers) {
  return {.name = name,
          .summary = summary,
          .family = Family::sync,
          .naming = Naming::inherited,
          .handle = Handle::memory,
          .boundary = Boundary::none,
          .persistence = Persistence::process,
          .delivery = Delivery::reliable,
          .peers = peers,
          .pollable = false,
          .copies = 0,
          .standard = "POSIX"};
}

/// Throws when a call of pthreads has returned an error: they leave errno alone.
inline void check_pthread(int error, const char* call) {
  if (error == 0) [[likely]]
    return;
  errno = error;
  fail(call);
}

/// An object in memory that both processes inherit.
template <class Object>
class Shared {
 public:
  Shared() : memory_(sizeof(Object)) {}
  Object* get() const { return reinterpret_cast<Object*>(memory_.data()); }

 private:
  Mapping memory_;
};

/// Makes a mutex for several processes. Returns an error number, as pthreads do.
inline int make_mutex(pthread_mutex_t* mutex, int robust = PTHREAD_MUTEX_STALLED,
                      int protocol = PTHREAD_PRIO_NONE) {
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&attributes, robust);
  ::pthread_mutexattr_setprotocol(&attributes, protocol);
  const int error = ::pthread_mutex_init(mutex, &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  return error;
}

}  // namespace ipcbench
