// ucx: UCX, Unified Communication X, by its protocol layer's tagged messages. Each end has a
// worker, which moves messages on only while it is asked to: so both poll, or sleep until there is
// something to ask for.
//
// A row is a choice among UCX's ways within one machine
// (https://openucx.readthedocs.io/en/master/faq.html): a FIFO in shared memory; the same, and
// process_vm_readv(2) for what is large; TCP. Messages are written and read in memory that is
// registered with the library (ucp_mem_map).
#include <sys/uio.h>

#include <optional>
#include <string>

#include "harness/reach.h"
#include "scenarios/matrix.h"
#include "transports/facts.h"
#include "transports/ucx_end.h"

namespace ipcbench {
namespace {

struct Ucx {
  using Variant = UcxWay;
  static constexpr Facts facts =
      LibraryFacts{.name = "ucx.posix",
                   .summary = "UCX, tagged messages through POSIX shared memory",
                   .family = Family::messaging,
                   .naming = Naming::pathname,
                   .copies = 2,
                   .carrier = "shm_posix.yield"};

  static std::string unavailable(const UcxWay& way) {
    if (way.is_tcp) return "";
    if (std::string why = PrivateNamespaces::unavailable(ucx::hidden());
        !why.empty() || !way.reads_peer)
      return why;
    static char byte;  // at this address in a child, too
    return why_out_of_reach("process_vm_readv", [](pid_t pid) {
      char copy;
      const iovec here{&copy, 1};
      const iovec there{&byte, 1};
      return ::process_vm_readv(pid, &here, 1, &there, 1, 0);
    });
  }

  explicit Ucx(const Shape& shape) : shape_(shape), introduction_(*shape.directory) {
    const Private hidden = way().is_tcp ? ucx::hidden_by_tcp() : ucx::hidden();
    static const bool can_hide = PrivateNamespaces::unavailable(hidden).empty();
    if (can_hide || !way().is_tcp) place_.emplace(*shape.directory, hidden);
  }
  UcxEnd producer() { return {way(), shape_, introduction_, false}; }
  UcxEnd consumer() { return {way(), shape_, introduction_, true}; }

 private:
  const UcxWay& way() const { return shape_.variant_as<UcxWay>(); }

  Shape shape_;
  Introduction introduction_;
  std::optional<PrivateNamespaces> place_;
};

constexpr UcxWay posix{.transports = "posix"};
constexpr UcxWay posix_wait{.transports = "posix", .sleeps = true};
constexpr UcxWay sysv{.transports = "sysv"};
constexpr UcxWay cma{.transports = "posix,cma", .reads_peer = true};
constexpr UcxWay tcp{.transports = "tcp", .is_tcp = true};
constexpr UcxWay tcp_wait{.transports = "tcp", .sleeps = true, .is_tcp = true};

/// By another way of UCX's.
constexpr Facts facts_by(std::string_view name, std::string_view summary, std::string_view carrier,
                         int copies = 2) {
  Facts facts = facts_like(Ucx::facts, name, summary);
  facts.copies = copies;
  facts.carrier = carrier;
  return facts;
}
Row variant(const UcxWay& way, std::string_view settings, const Facts& facts) {
  Row result = row<Ucx>(facts, way);
  result.settings = settings;
  return result;
}

}  // namespace

std::vector<Row> ucx_rows() {
  return {
      variant(posix, "UCX_TLS=posix UCX_FIFO_SIZE=depth UCS_THREAD_MODE_SINGLE", Ucx::facts),
      variant(
          posix_wait, "UCX_TLS=posix UCX_FIFO_SIZE=depth UCS_THREAD_MODE_SINGLE ucp_worker_wait",
          facts_by("ucx.posix_wait", "UCX, through POSIX shared memory, asleep between messages",
                   "shm_posix.futex")),
      variant(sysv, "UCX_TLS=sysv UCX_FIFO_SIZE=depth UCS_THREAD_MODE_SINGLE",
              facts_by("ucx.sysv", "UCX, tagged messages through System V shared memory",
                       "shm_sysv.yield")),
      variant(cma, "UCX_TLS=posix,cma UCX_FIFO_SIZE=depth UCS_THREAD_MODE_SINGLE",
              facts_by("ucx.cma", "UCX, POSIX shared memory, large messages by process_vm_readv",
                       "shm_posix.yield", 1)),
      variant(tcp, "UCX_TLS=tcp UCX_NET_DEVICES=lo UCX_ZCOPY_THRESH=0 UCS_THREAD_MODE_SINGLE",
              facts_over_tcp(Ucx::facts, "ucx.tcp", "UCX, tagged messages over TCP on 127.0.0.1")),
      variant(tcp_wait,
              "UCX_TLS=tcp UCX_NET_DEVICES=lo UCX_ZCOPY_THRESH=0 UCS_THREAD_MODE_SINGLE "
              "ucp_worker_wait",
              facts_over_tcp(Ucx::facts, "ucx.tcp_wait",
                             "UCX, over TCP on 127.0.0.1, asleep between messages"))};
}

}  // namespace ipcbench
