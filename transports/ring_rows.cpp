// ring_rows: the ring over any memory, with every way to wait: what the files shm_*.cpp share.
#include <deque>

#include <fmt/format.h>

#include "scenarios/matrix.h"
#include "transports/bells.h"
#include "transports/ring.h"
#include "transports/shm.h"

namespace ipcbench {
namespace {

/// A policy of waits.h in words.
struct Way {
  std::string_view name;  ///< of the row, after the dot
  std::string_view summary;
  std::string_view standard;     ///< what it needs; "": nothing
  bool is_inherited = false;     ///< it needs descriptors that unrelated processes don't share
  const char* needs_file = "/";  ///< a file that is there where the kernel has the mechanism
};

/// What rows differ in: data.
struct RingRow {
  const Memory& memory;
  const Way way;
  const std::string name;
  const std::string summary;
  const std::string standard;
};

template <class Wait>
class RingLink {
 public:
  using Variant = RingRow;
  static constexpr Facts facts{.name = "ring",
                               .summary = "ring in shared memory",
                               .family = Family::shm,
                               .naming = Naming::inherited,
                               .handle = Handle::memory,
                               .boundary = Boundary::message,
                               .persistence = Persistence::process,
                               .delivery = Delivery::reliable,
                               .peers = Peers::one_to_one,
                               .pollable = false,
                               .copies = 0,
                               .standard = "Linux"};

  static std::string unavailable(const RingRow& row) {
    if (::access(row.way.needs_file, F_OK) != 0)
      return fmt::format("the kernel has no {}", row.way.needs_file);
    return row.memory.unavailable == nullptr ? "" : row.memory.unavailable();
  }
  static std::optional<std::size_t> message_max(const RingRow& row) {
    if (row.memory.message_max == nullptr) return std::nullopt;
    return row.memory.message_max();
  }
  static std::string unfit(const Shape& shape) {
    return Wait::needs_own_core && shape.shares_core ? "spinning needs a core for each end" : "";
  }

  explicit RingLink(const Shape& shape)
      : shape_(shape),
        kind_(shape.variant_as<RingRow>().memory),
        memory_(map()),
        ring_(memory_.mapping.data(), shape, shape.directory->is_ours()),
        reader_(shape, ring_.reader()),
        writer_(shape, ring_.writer()) {}

  std::size_t depth() const { return Ring<Wait>::slots_for(shape_); }
  typename Ring<Wait>::Producer producer() {
    open(Side::producer);
    return typename Ring<Wait>::Producer(ring_);
  }
  typename Ring<Wait>::Consumer consumer() {
    open(Side::consumer);
    return typename Ring<Wait>::Consumer(ring_);
  }

 private:
  SharedMemory map() {
    if (kind_.kind) name_.emplace(*shape_.directory, *kind_.kind);
    return kind_.map(name_ ? &*name_ : nullptr, Ring<Wait>::bytes_for(shape_));
  }
  void open(Side side) {
    if (kind_.open == nullptr) return;
    kind_.open(memory_, side);
    ring_ = Ring<Wait>(memory_.mapping.data(), shape_, false);
  }

  Shape shape_;
  const Memory& kind_;
  std::optional<Name> name_;
  SharedMemory memory_;
  Ring<Wait> ring_;
  Keeper<Wait> reader_;
  Keeper<Wait> writer_;
};

/// Where memory and waiting run together.
std::string standard_of(std::string_view memory, std::string_view wait) {
  if (wait.empty() || wait == memory || memory == "Linux") return std::string(memory);
  return wait == "Linux" ? "Linux" : fmt::format("{}, {}", memory, wait);
}

template <class Wait>
Row ring_row(const Memory& memory, const Way& way) {
  static std::deque<RingRow> rows;  // Facts are views, and a row's variant lives for ever
  const RingRow& row = rows.emplace_back(
      RingRow{.memory = memory,
              .way = way,
              .name = fmt::format("{}.{}", memory.name, way.name),
              .summary = fmt::format("ring in {}, {}", memory.summary, way.summary),
              .standard = standard_of(memory.standard, way.standard)});
  Facts facts = RingLink<Wait>::facts;
  facts.name = row.name;
  facts.summary = row.summary;
  facts.naming = way.is_inherited ? Naming::inherited : memory.naming;
  facts.persistence = memory.persistence;
  facts.standard = row.standard;
  return ipcbench::row<RingLink<Wait>>(facts, row);
}

}  // namespace

std::vector<Row> ring_rows(const Memory& memory) {
  return {
      ring_row<Spin>(memory, {"spin", "waits by spinning", ""}),
      ring_row<Yield>(memory, {"yield", "waits by sched_yield", ""}),
      ring_row<Futex>(memory, {"futex", "waits in futex", "Linux"}),
      ring_row<Asleep<EventfdBell>>(memory, {"eventfd", "waits for an eventfd", "Linux", true}),
      ring_row<Asleep<PosixSemBell>>(memory, {"posix_sem", "waits for a POSIX semaphore", "POSIX"}),
      ring_row<Asleep<SysvSemBell>>(memory, {"sysv_sem", "waits for a System V semaphore",
                                             "System V, POSIX XSI", false, "/proc/sysvipc/sem"}),
      ring_row<Asleep<CondBell>>(memory, {"cond", "waits for a condition variable", "POSIX"}),
  };
}

}  // namespace ipcbench
