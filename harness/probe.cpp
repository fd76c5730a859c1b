#include "harness/probe.h"

#include <fmt/format.h>

#include "harness/experiments.h"

namespace ipcbench {
namespace {

struct Experiment {
  std::string_view fact;
  Proof (*conduct)(const Subject&);
};

constexpr Experiment experiments[] = {
    {"name", name},
    {"unrelated", unrelated},
    {"handle", handle},
    {"boundary", boundary},
    {"direction", direction},
    {"order", order},
    {"lives", lives},
    {"name left", name_left},
    {"largest", largest},
    {"holds messages", holds_messages},
    {"holds bytes", holds_bytes},
    {"readers", readers},
    {"atomic", atomic},
    {"copies", copies},
    {"epoll", epoll},
    {"survivor waits", survivor_waits},
    {"survivor sends", survivor_sends},
};

/// An experiment that comes to no end shows nothing; one that fails is an error in ipcbench.
Proof conduct(const Experiment& experiment, const Subject& subject) {
  Proof proof;
  try {
    proof = experiment.conduct(subject);
  } catch (const Undecided& undecided) {
    proof = untestable("?", undecided.what());
  } catch (const std::exception& error) {
    proof = contradicted("?", error.what());
  }
  proof.fact = experiment.fact;
  subject.directory().clear();
  return proof;
}

}  // namespace

std::string_view text(Verdict verdict) {
  switch (verdict) {
    case Verdict::proved:
      return "proved";
    case Verdict::contradicted:
      return "contradicted";
    case Verdict::untestable:
      return "not testable here";
  }
  return "?";
}

std::vector<std::string_view> probe_facts() {
  std::vector<std::string_view> facts;
  for (const Experiment& experiment : experiments) facts.push_back(experiment.fact);
  return facts;
}

std::vector<Proof> probe(const Row& row, const RunDirectory& directory) {
  std::vector<Proof> proofs;
  for (const std::string_view fact : probe_facts()) proofs.push_back(probe(fact, row, directory));
  return proofs;
}

Proof probe(std::string_view fact, const Row& row, const RunDirectory& directory) {
  for (const Experiment& experiment : experiments)
    if (experiment.fact == fact) return conduct(experiment, Subject(row, directory));
  throw std::logic_error("no such fact");
}

Proof compare(std::string seen, std::string_view claimed, std::string how) {
  const bool is_as_claimed = seen == claimed;
  if (!is_as_claimed) how += fmt::format("; claimed is: {}", claimed);
  return {"", std::move(seen), is_as_claimed ? Verdict::proved : Verdict::contradicted,
          std::move(how)};
}

}  // namespace ipcbench
