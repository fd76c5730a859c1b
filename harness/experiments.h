// experiments.h: one function for each fact; probe.cpp has their table.
#pragma once

#include <string>

#include "harness/probe.h"
#include "harness/subject.h"

namespace ipcbench {

// How processes find it, and what they hold (probe_handle.cpp)
Proof name(const Subject&);
Proof unrelated(const Subject&);
Proof handle(const Subject&);
Proof epoll(const Subject&);

// What becomes of messages (probe_messages.cpp)
Proof boundary(const Subject&);
Proof direction(const Subject&);
Proof order(const Subject&);
Proof largest(const Subject&);
Proof holds_messages(const Subject&);
Proof holds_bytes(const Subject&);
Proof readers(const Subject&);
Proof copies(const Subject&);
Proof atomic(const Subject&);

// What outlives its processes (probe_life.cpp)
Proof lives(const Subject&);
Proof name_left(const Subject&);
Proof survivor_waits(const Subject&);
Proof survivor_sends(const Subject&);

inline Proof proved(std::string value, std::string how) {
  return {"", std::move(value), Verdict::proved, std::move(how)};
}
inline Proof contradicted(std::string value, std::string how) {
  return {"", std::move(value), Verdict::contradicted, std::move(how)};
}
inline Proof untestable(std::string value, std::string why) {
  return {"", std::move(value), Verdict::untestable, std::move(why)};
}
/// Proved if what was seen is what is claimed.
Proof compare(std::string seen, std::string_view claimed, std::string how);

}  // namespace ipcbench
