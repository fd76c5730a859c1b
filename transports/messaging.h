// messaging.h: what ZeroMQ and its successors share: ends that meet by URL, and a farewell.
#pragma once

#include <exception>
#include <string>

#include <fmt/format.h>

#include "harness/name.h"

namespace ipcbench {

/// Where two ends meet: the data of a row.
enum class Endpoint { ipc, tcp };
inline constexpr Endpoint over_ipc = Endpoint::ipc;
inline constexpr Endpoint over_tcp = Endpoint::tcp;

/// The listening end says where it listens once it does: libraries that find nobody wait for tens
/// of milliseconds before they try again.
class Meeting {
 public:
  Meeting(const RunDirectory& directory, Endpoint endpoint)
      : is_ipc_(endpoint == Endpoint::ipc),
        path_(directory, NameKind::path),
        note_(directory, NameKind::note),
        listener_done_(directory, NameKind::note),
        dialer_done_(directory, NameKind::note) {}

  /// What to listen at. `any_port` is how the library is asked to choose one.
  std::string url(std::string_view any_port) const {
    return is_ipc_ ? "ipc://" + path_.text() : fmt::format("tcp://127.0.0.1:{}", any_port);
  }
  bool is_ipc() const { return is_ipc_; }
  void publish(const std::string& url) const { note_.publish(url); }
  std::string await() const { return note_.await(); }

  /// For libraries that lose what they haven't sent when a socket is closed, or what hasn't been
  /// taken when the other one is. Each side sends an empty message, and notes when it has the
  /// other's: everything before has arrived. It closes when both have done so; a last message
  /// about that could get lost in its turn.
  template <class End>
  void say_goodbye(End& end, bool listens) const noexcept {
    if (std::uncaught_exceptions() > 0) return;  // the other end will not answer
    try {
      end.reserve(0);
      end.commit();
      for (std::size_t size = 1; size != 0;) {
        size = end.peek(0).size();  // what nobody has taken, and then the other's farewell
        end.release();
      }
      (listens ? listener_done_ : dialer_done_).publish("done");
      (listens ? dialer_done_ : listener_done_).await();
    } catch (const std::exception&) {
      // The other end is gone: so is what it hadn't received.
    }
  }

 private:
  bool is_ipc_;
  Name path_;
  Name note_;
  Name listener_done_;
  Name dialer_done_;
};

}  // namespace ipcbench
