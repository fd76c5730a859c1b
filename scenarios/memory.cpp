#include "scenarios/memory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "harness/clock.h"
#include "harness/laboratory.h"
#include "scenarios/payload.h"

namespace ipcbench {
namespace {

constexpr std::size_t producer = 0;
constexpr std::size_t consumer = 1;
constexpr std::int64_t links_max = 32;
constexpr std::uint64_t messages_max = 1'000'000;
constexpr std::uint64_t bytes_max = std::uint64_t{256} << 20;
constexpr std::int64_t opening_ns = 2'000'000'000;   // a library may work hard to open a link
constexpr std::int64_t all_open_ns = 4'000'000'000;  // fewer links are opened where it takes longer

/// A memory control group for the calling process and its children: what the kernel keeps for them
/// is counted there, and nobody else's.
class MemoryGroup {
 public:
  /// Throws std::runtime_error where there can't be one.
  explicit MemoryGroup(const std::string& name) {
    std::string parent;
    std::ifstream membership("/proc/self/cgroup");
    for (std::string line; std::getline(membership, line);) {
      const std::string path = line.substr(line.rfind(':') + 1);
      if (line.starts_with("0::") && parent.empty()) parent = "/sys/fs/cgroup" + path;
      if (line.find(":memory:") != std::string::npos) parent = "/sys/fs/cgroup/memory" + path;
    }
    path_ = parent + "/" + name;
    if (::mkdir(path_.c_str(), 0755) != 0)
      throw std::runtime_error("no memory control group can be made here");
    const bool is_first_version = std::ifstream(path_ + "/memory.kmem.usage_in_bytes").good();
    source_ = path_ + (is_first_version ? "/memory.kmem.usage_in_bytes" : "/memory.stat");
    std::ofstream(path_ + "/cgroup.procs") << ::getpid() << std::flush;
    if (!kernel_bytes()) {
      leave(parent);
      throw std::runtime_error("the memory control group doesn't count the kernel's memory");
    }
    parent_ = parent;
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  ~MemoryGroup() { leave(parent_); }

  std::optional<std::int64_t> kernel_bytes() const {
    std::ifstream file(source_);
    std::int64_t bytes = 0;
    if (source_.ends_with("usage_in_bytes"))
      return file >> bytes ? std::optional(bytes) : std::nullopt;
    std::int64_t all = 0;
    bool is_known = false;
    for (std::string name; file >> name >> bytes;)
      if (name == "kernel" || name == "sock") {
        all += bytes;
        is_known |= name == "kernel";
      }
    return is_known ? std::optional(all) : std::nullopt;
  }

 private:
  void leave(const std::string& parent) const {
    std::ofstream(parent + "/cgroup.procs") << ::getpid() << std::flush;
    ::rmdir(path_.c_str());
  }
  std::string parent_;
  std::string path_;
  std::string source_;
};

/// The proportional share of the calling process in all pages that it has mapped.
std::uint64_t own_bytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  std::uint64_t kib = 0;
  for (std::string name; file >> name;)
    if (name == "Pss:" && file >> kib) return kib * 1024;
  throw std::runtime_error("/proc/self/smaps_rollup: no line with Pss");
}

/// In a group of its own: `wanted` links are opened by two processes, which say what they have
/// grown by. The kernel's share is known to who made the group.
std::string open_links(Bench& bench, Runner& runner, const LinkMaker& maker,
                       const MemoryGroup* group, std::size_t wanted) {
  std::vector<std::unique_ptr<AnyLink>> links;
  const std::int64_t kernel_before = group != nullptr ? *group->kernel_bytes() : 0;
  // Some kinds are scarce (huge pages, message queues): what can be had is enough.
  try {
    while (links.size() != wanted) links.push_back(maker.make(runner.shape()));
  } catch (const std::exception&) {
    if (links.empty()) throw;
  }
  const auto open_all = [&](std::size_t who) {
    return [&, who] {
      std::vector<std::unique_ptr<AnyEnd>> ends;
      ends.reserve(links.size());
      const std::uint64_t before = own_bytes();
      for (const auto& link : links) {
        ends.push_back(who == producer ? link->producer() : link->consumer());
        bench.step[who] = static_cast<std::uint32_t>(ends.size());
      }
      const std::uint64_t after = own_bytes();
      bench.count[who] = after > before ? after - before : 0;
      bench.step[who].fetch_add(1);
      while (true) ::pause();  // its links stay open
    };
  };
  fork_subject(bench, producer, open_all(producer));
  fork_subject(bench, consumer, open_all(consumer));
  const auto are_open = [&] {
    for (const std::size_t who : {producer, consumer})
      if (bench.ended_ns[who] != 0) throw std::runtime_error(bench.error[who]);
    return bench.step[producer] + bench.step[consumer] == 2 * (links.size() + 1);
  };
  const bool all_open = happens(bench, are_open, opening_ns);
  if (!all_open) throw std::runtime_error("the links were never open");
  const std::int64_t kernel_now = group != nullptr ? *group->kernel_bytes() : 0;
  return fmt::format("{} {} {}", links.size(), bench.count[producer] + bench.count[consumer],
                     kernel_now - kernel_before);
}

/// The same without links: what two more processes cost is no link's.
std::string fork_two(Bench& bench, const MemoryGroup& group) {
  const std::int64_t before = *group.kernel_bytes();
  for (const std::size_t who : {producer, consumer})
    fork_subject(bench, who, [&bench, who] { bench.step[who] = 1; });
  happens(bench, [&] { return bench.step[producer] + bench.step[consumer] == 2; });
  return fmt::format("0 0 {}", *group.kernel_bytes() - before);
}

/// In a group of its own: messages are sent to a consumer that doesn't receive, until the sender
/// stands still.
std::string fill(Bench& bench, Runner& runner, const LinkMaker& maker) {
  const std::size_t size = runner.params().size;
  const std::uint64_t most = std::min(messages_max, bytes_max / size + 1);
  const std::unique_ptr<AnyLink> link = maker.make(runner.shape());
  fork_subject(bench, consumer, [&] {
    const auto end = link->consumer();
    bench.step[consumer] = 1;
    while (true) ::pause();
  });
  fork_subject(bench, producer, [&] {
    const auto end = link->producer();
    bench.step[producer] = 1;
    for (std::uint64_t i = 0; i != most; ++i) {
      write_payload(end->reserve(size), i);
      end->commit();
      bench.count[producer].store(i + 1, std::memory_order_release);
    }
  });
  happens(
      bench, [&] { return bench.step[producer] != 0 || bench.ended_ns[producer] != 0; },
      opening_ns);
  happens(bench, [&] { return bench.ended_ns[producer] != 0; });
  if (bench.error[producer][0] != '\0') throw std::runtime_error(bench.error[producer]);
  return fmt::format("{} {} 0", bench.count[producer].load(), most);
}

struct Three {
  long long first = 0;
  long long second = 0;
  long long third = 0;
};

Three ask(const Runner& runner, const std::function<std::string(Bench&)>& experiment) {
  const std::string answer = in_the_lab(experiment);
  runner.shape().directory->clear();
  Three three;
  if (std::sscanf(answer.c_str(), "%lld %lld %lld", &three.first, &three.second, &three.third) != 3)
    throw std::logic_error(answer);
  return three;
}

void tell_cost(End& end, Runner& runner, const LinkMaker& maker) {
  std::optional<MemoryGroup> group;
  std::string why_no_group;
  try {
    group.emplace(fmt::format("ipcbench-{}", ::getpid()));
  } catch (const std::runtime_error& error) {
    why_no_group = error.what();
  }
  const MemoryGroup* const counted = group ? &*group : nullptr;
  const auto open_many = [&](std::int64_t wanted) {
    return ask(runner, [&](Bench& bench) {
      return open_links(bench, runner, maker, counted, static_cast<std::size_t>(wanted));
    });
  };
  const std::int64_t start_ns = monotonic_ns();
  Three all = open_many(1);
  const std::int64_t affordable = all_open_ns / (monotonic_ns() - start_ns);
  if (affordable > 1) all = open_many(std::min(affordable, links_max));
  const auto links = static_cast<double>(all.first);
  end.set_value("links", links);
  end.set_value("resident_bytes", static_cast<double>(all.second) / links);
  if (!group) return end.set_no_value("kernel_bytes", why_no_group);
  const Three none = ask(runner, [&](Bench& bench) { return fork_two(bench, *group); });
  end.set_value("kernel_bytes", static_cast<double>(std::max(all.third - none.third, 0LL)) / links);
}

void tell_room(End& end, Runner& runner, const LinkMaker& maker) {
  const Three room = ask(runner, [&](Bench& bench) { return fill(bench, runner, maker); });
  if (room.first == room.second) {
    end.set_no_value("held_messages", "it never blocked");
    end.set_no_value("held_bytes", "it never blocked");
    return;
  }
  end.set_value("held_messages", static_cast<double>(room.first));
  end.set_value("held_bytes",
                static_cast<double>(room.first) * static_cast<double>(runner.params().size));
}

}  // namespace

void LinkMemory::run(Runner& runner, const LinkMaker& maker) {
  runner.run({{"opener", Side::producer, [&](End& end) {
                 end.once([&] {
                   tell_cost(end, runner, maker);
                   tell_room(end, runner, maker);
                   return std::uint64_t{1};
                 });
               }}});
}

}  // namespace ipcbench
