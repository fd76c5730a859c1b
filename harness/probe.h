// probe.h: proves by experiment on the running kernel what transports' Facts claim, and finds out
// what they don't say: what a survivor sees, how much a channel holds, what stays behind.
//
// Every experiment runs in processes of its own, under a deadline, so that a mechanism that hangs
// answers a question too.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/name.h"
#include "harness/row.h"

namespace ipcbench {

enum class Verdict {
  proved,        ///< seen to be as claimed, or simply seen where nothing is claimed
  contradicted,  ///< seen to be otherwise: an error in ipcbench
  untestable     ///< no experiment here can show it; `how` says why
};
std::string_view text(Verdict);

struct Proof {
  std::string_view fact;  ///< one of probe_facts()
  std::string value;      ///< what was seen; what is claimed where nothing could be
  Verdict verdict;
  std::string how;  ///< the experiment, or why there is none
};

/// The facts in the order of the table's columns.
std::vector<std::string_view> probe_facts();

/// Every fact of an available row, in that order.
std::vector<Proof> probe(const Row& row, const RunDirectory& directory);
/// One fact of it.
Proof probe(std::string_view fact, const Row& row, const RunDirectory& directory);

/// A transport, and what came of it.
struct Probed {
  const Row* row = nullptr;
  bool is_done = false;
  std::string unavailable = {};
  std::vector<Proof> proofs = {};  ///< none where it is unavailable
};
struct ProbeResult {
  std::vector<Probed> all = {};
  int signal = 0;  ///< by which it was interrupted, or 0
};

/// Probes them all, several at once, and shows each as soon as those before it are shown.
ProbeResult probe_all(const std::vector<const Row*>& rows,
                      const std::function<void(const Probed&)>& show);

}  // namespace ipcbench
