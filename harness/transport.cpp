#include "harness/transport.h"

namespace ipcbench {

std::string_view text(Family family) {
  switch (family) {
    case Family::roofline:
      return "roofline";
    case Family::pipe:
      return "pipe";
    case Family::socket:
      return "socket";
    case Family::queue:
      return "queue";
    case Family::file:
      return "shared file";
    case Family::shm:
      return "shared memory";
    case Family::process:
      return "across address spaces";
    case Family::signal:
      return "signal";
    case Family::sync:
      return "synchronisation";
    case Family::rpc:
      return "remote procedure call";
    case Family::messaging:
      return "messaging library";
    case Family::broker:
      return "broker";
    case Family::kernel:
      return "kernel module";
  }
  return "?";
}

std::string_view text(Peer peer) {
  switch (peer) {
    case Peer::process:
      return "process";
    case Peer::kernel:
      return "kernel";
    case Peer::source:
      return "source";
  }
  return "?";
}

std::string_view text(Naming naming) {
  switch (naming) {
    case Naming::inherited:
      return "inherited";
    case Naming::pathname:
      return "pathname";
    case Naming::abstract:
      return "abstract name";
    case Naming::key:
      return "key";
    case Naming::port:
      return "port";
    case Naming::pid:
      return "process id";
  }
  return "?";
}

std::string_view text(Handle handle) {
  switch (handle) {
    case Handle::none:
      return "none";
    case Handle::fd:
      return "file descriptor";
    case Handle::memory:
      return "memory";
    case Handle::library:
      return "library object";
    case Handle::id:
      return "identifier";
  }
  return "?";
}

std::string_view text(Boundary boundary) {
  switch (boundary) {
    case Boundary::none:
      return "no bytes";
    case Boundary::stream:
      return "byte stream";
    case Boundary::message:
      return "message";
  }
  return "?";
}

std::string_view text(Persistence persistence) {
  switch (persistence) {
    case Persistence::process:
      return "process";
    case Persistence::kernel:
      return "kernel";
    case Persistence::filesystem:
      return "file system";
  }
  return "?";
}

std::string_view text(Delivery delivery) {
  switch (delivery) {
    case Delivery::reliable:
      return "reliable";
    case Delivery::lossy:
      return "lossy";
    case Delivery::newest:
      return "newest message only";
  }
  return "?";
}

std::string_view text(Peers peers) {
  switch (peers) {
    case Peers::one_to_one:
      return "one to one";
    case Peers::many_to_one:
      return "many to one";
    case Peers::many_to_many:
      return "many to many";
  }
  return "?";
}

}  // namespace ipcbench
