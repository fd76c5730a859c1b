// thrift: Apache Thrift's calls over a UNIX socket and over TCP on the loopback. What is called
// stands in thrift.thrift; the payload is of type binary.
//
// Between TBinaryProtocol and the socket lies a TBufferedTransport; or the TFramedTransport that
// "was introduced to ease the implementation of async processors", which takes one send and two
// receives for a message (https://github.com/apache/thrift/blob/master/doc/specs/thrift-rpc.md).
// A buffer of the default size, 512 bytes, would be filled 2,000 times for a message of 1 MiB.
#include <netinet/tcp.h>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/thrift_ends.h"

namespace ipcbench {
namespace {

template <thrift_rpc::Layer layer>
class Thrift : Connection<thrift_rpc::Plug> {
 public:
  using Variant = Connected;
  /// Sizes are ints: the most, less what stands around the payload, and a frame's size.
  static std::size_t message_max() { return std::size_t{INT_MAX} - 28; }

  explicit Thrift(const Shape& shape) : Connection(shape), size_(shape.size) {}
  thrift_rpc::Client producer() {
    return thrift_rpc::Client(thrift_rpc::protocol_over(Connection::producer(), layer));
  }
  thrift_rpc::Server consumer() {
    return {thrift_rpc::protocol_over(Connection::consumer(), layer), size_};
  }

 private:
  std::size_t size_;
};

struct ThriftBuffered : Thrift<thrift_rpc::Layer::buffered> {
  using Thrift::Thrift;
  static constexpr Facts facts = LibraryFacts{
      .name = "thrift",
      .summary = "Apache Thrift, over a UNIX stream socket",
      .family = Family::rpc,
      .naming = Naming::pathname,
      .copies = 5,  // into a string, into the library's buffer, in, out, and into a string
      .carrier = "unix_stream"};
  static constexpr std::string_view settings =
      "TBinaryProtocol TBufferedTransport(65536) TConfiguration(INT_MAX,INT_MAX)";
};
struct ThriftFramed : Thrift<thrift_rpc::Layer::framed> {
  using Thrift::Thrift;
  static constexpr Facts facts = facts_like(ThriftBuffered::facts, "thrift.framed",
                                            "Apache Thrift, framed, over a UNIX stream socket");
  static constexpr std::string_view settings =
      "TBinaryProtocol TFramedTransport TConfiguration(INT_MAX,INT_MAX)";
};

constexpr Connected tcp{.domain = AF_INET,
                        .type = SOCK_STREAM,
                        .address = loopback<AF_INET>,
                        .option_level = IPPROTO_TCP,
                        .option = TCP_NODELAY};

}  // namespace

std::vector<Row> thrift_rows() {
  std::vector<Row> rows{
      row<ThriftBuffered>(ThriftBuffered::facts, unix_path<SOCK_STREAM>),
      row<ThriftFramed>(ThriftFramed::facts, unix_path<SOCK_STREAM>),
      row<ThriftBuffered>(facts_over_tcp(ThriftBuffered::facts, "thrift.tcp",
                                         "Apache Thrift, over TCP on 127.0.0.1, TCP_NODELAY"),
                          tcp)};
  rows[2].settings =
      "TBinaryProtocol TBufferedTransport(65536) TConfiguration(INT_MAX,INT_MAX) TCP_NODELAY";
  return rows;
}

}  // namespace ipcbench
