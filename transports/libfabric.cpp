// libfabric: OpenFabrics' libfabric, by endpoints for reliable datagrams (FI_EP_RDM), of two of its
// providers: shared memory (fi_shm(7)), and TCP below the one that makes messages of it
// (fi_rxm(7)). Nothing moves but while an end polls its completion queue, or sleeps at it.
//
// Receives are posted ahead, so that what arrives is copied once; what is small is sent by
// fi_inject(3), which has no completion to wait for
// (https://ofiwg.github.io/libfabric/main/man/fi_msg.3.html).
#include <optional>
#include <string>

#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/libfabric_end.h"

namespace ipcbench {
namespace {

struct Libfabric {
  using Variant = LibfabricWay;
  static constexpr Facts facts = LibraryFacts{.name = "libfabric.shm",
                                              .summary = "libfabric, messages by its provider shm",
                                              .family = Family::messaging,
                                              .naming = Naming::pathname,
                                              .copies = 2,
                                              .carrier = "shm_posix.yield"};

  static std::string unavailable(const LibfabricWay& way) {
    return way.is_tcp ? "" : PrivateNamespaces::unavailable(libfabric::hidden());
  }

  explicit Libfabric(const Shape& shape) : shape_(shape), introduction_(*shape.directory) {
    if (!way().is_tcp) place_.emplace(*shape.directory, libfabric::hidden());
    // A process's first question takes the library 0.1 s, for it reads all names of the kernel's.
    // Asked here, the ends needn't; the answer is memory alone, which survives a fork.
    [[maybe_unused]] const libfabric::Info asked = libfabric::find(way(), shape_);
  }
  LibfabricEnd producer() { return {way(), shape_, introduction_, false}; }
  LibfabricEnd consumer() { return {way(), shape_, introduction_, true}; }

 private:
  const LibfabricWay& way() const { return shape_.variant_as<LibfabricWay>(); }

  Shape shape_;
  Introduction introduction_;
  std::optional<PrivateNamespaces> place_;
};

constexpr LibfabricWay shm{.provider = "shm"};
constexpr LibfabricWay tcp{.provider = "tcp;ofi_rxm", .is_tcp = true};
constexpr LibfabricWay tcp_wait{.provider = "tcp;ofi_rxm", .is_tcp = true, .sleeps = true};

}  // namespace

std::vector<Row> libfabric_rows() {
  const Facts tcp_facts =
      facts_over_tcp(Libfabric::facts, "libfabric.tcp",
                     "libfabric, messages by its providers tcp;ofi_rxm on 127.0.0.1");
  std::vector<Row> rows{
      row<Libfabric>(Libfabric::facts, shm), row<Libfabric>(tcp_facts, tcp),
      row<Libfabric>(facts_like(tcp_facts, "libfabric.tcp_wait",
                                "libfabric, over TCP on 127.0.0.1, asleep between messages"),
                     tcp_wait)};
  rows[0].settings =
      "provider=shm FI_EP_RDM FI_THREAD_DOMAIN FI_PROGRESS_MANUAL FI_ORDER_SAS rx_size=depth; "
      "depth receives, 16 MiB; fi_inject up to inject_size";
  rows[1].settings =
      "provider=tcp;ofi_rxm FI_EP_RDM FI_THREAD_DOMAIN FI_PROGRESS_MANUAL FI_ORDER_SAS "
      "rx_size=depth; depth receives, 16 MiB";
  rows[2].settings =
      "provider=tcp;ofi_rxm FI_EP_RDM FI_THREAD_DOMAIN FI_PROGRESS_MANUAL FI_ORDER_SAS "
      "rx_size=depth fi_cq_sread; depth receives, 16 MiB";
  return rows;
}

}  // namespace ipcbench
