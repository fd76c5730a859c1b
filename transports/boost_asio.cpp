// boost_asio: Boost.Asio over a UNIX stream socket: its synchronous operations, which are the
// system calls with a little around them; and its asynchronous ones, which an io_context runs by
// epoll.
//
// An asynchronous operation tries its system call at once, and the descriptor's readiness is asked
// of epoll where that would block; its completion is run from the io_context's queue in any case
// (https://www.boost.org/doc/libs/1_74_0/doc/html/boost_asio/overview/core/async.html). Each end
// runs its io_context in its one thread, and says so: then it takes no locks
// (https://www.boost.org/doc/libs/1_74_0/doc/html/boost_asio/overview/core/concurrency_hint.html).
#include <fcntl.h>

#include <memory>
#include <utility>  // Boost 1.74 needs it and doesn't include it

#include <boost/asio.hpp>

#include "scenarios/matrix.h"
#include "transports/connection.h"
#include "transports/facts.h"

namespace ipcbench {
namespace {

namespace asio = boost::asio;

template <bool asynchronous>
class AsioEnd {
 public:
  /// Of a connected socket, which it shares with nobody.
  AsioEnd(const Waitable& connected)
      : context_(std::make_unique<asio::io_context>(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE)),
        socket_(*context_, asio::local::stream_protocol(),
                check(::fcntl(connected.get(), F_DUPFD_CLOEXEC, 0), "fcntl")) {}

  void send(View message) {
    const auto buffer = asio::buffer(message.data(), message.size());
    boost::system::error_code error;
    if constexpr (asynchronous)
      error = result_of([&](auto done) { asio::async_write(socket_, buffer, done); });
    else
      asio::write(socket_, buffer, error);
    check_error(error, "write");
  }
  std::size_t recv(Bytes bytes) {
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    boost::system::error_code error;
    if constexpr (asynchronous)
      error = result_of([&](auto done) { asio::async_read(socket_, buffer, done); });
    else
      asio::read(socket_, buffer, error);
    check_error(error, "read");
    return bytes.size();
  }

 private:
  /// Starts an operation and runs the io_context until it is done.
  boost::system::error_code result_of(auto start) {
    boost::system::error_code result;
    start([&result](const boost::system::error_code& error, std::size_t) { result = error; });
    context_->restart();
    context_->run();
    return result;
  }

  static void check_error(const boost::system::error_code& error, const char* call) {
    if (!error) [[likely]]
      return;
    if (error == asio::error::eof) fail_closed(call);
    throw boost::system::system_error(error, call);
  }

  std::unique_ptr<asio::io_context> context_;  // first, and in one place: the socket points to it
  asio::local::stream_protocol::socket socket_;
};

struct BoostAsio : Connection<AsioEnd<false>> {
  using Connection::Connection;
  static constexpr Facts facts =
      LibraryFacts{.name = "boost_asio",
                   .summary = "Boost.Asio, read and write, over a UNIX stream socket",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .boundary = Boundary::stream,
                   .copies = 2,
                   .carrier = "unix_stream"};
  static constexpr std::string_view settings = "io_context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE)";
};

struct BoostAsioAsync : Connection<AsioEnd<true>> {
  using Connection::Connection;
  static constexpr Facts facts =
      facts_like(BoostAsio::facts, "boost_asio.async",
                 "Boost.Asio, async_read and async_write, over a UNIX stream socket");
  static constexpr std::string_view settings = BoostAsio::settings;
};

}  // namespace

std::vector<Row> boost_asio_rows() {
  return {row<BoostAsio>(BoostAsio::facts, unix_path<SOCK_STREAM>),
          row<BoostAsioAsync>(BoostAsioAsync::facts, unix_path<SOCK_STREAM>)};
}

}  // namespace ipcbench
