// facts.h: facts of which only a part is stated: of a library's row, and of a row like another.
#pragma once

#include <string_view>

#include "harness/transport.h"

namespace ipcbench {

/// Facts of a row that a library serves. What has no default is always stated; the rest is true of
/// nearly every library, and stated where it isn't:
///
///   static constexpr Facts facts = LibraryFacts{.name = "lcm", …, .delivery = Delivery::lossy};
struct LibraryFacts {
  std::string_view name;
  std::string_view summary;
  Family family;
  Naming naming;
  Handle handle = Handle::library;
  Boundary boundary = Boundary::message;
  Persistence persistence = Persistence::process;
  Delivery delivery = Delivery::reliable;
  Peers peers = Peers::one_to_one;
  bool pollable = false;  ///< it waits in its own way, whatever a descriptor of its could
  int copies;
  std::string_view standard = "library";
  std::string_view carrier;

  constexpr operator Facts() const {
    return {.name = name,
            .summary = summary,
            .family = family,
            .naming = naming,
            .handle = handle,
            .boundary = boundary,
            .persistence = persistence,
            .delivery = delivery,
            .peers = peers,
            .pollable = pollable,
            .copies = copies,
            .standard = standard,
            .carrier = carrier};
  }
};

/// The facts of a variant: those of another row, under a name of its own.
constexpr Facts facts_like(Facts facts, std::string_view name, std::string_view summary) {
  facts.name = name;
  facts.summary = summary;
  return facts;
}
/// The same, by TCP on the loopback.
constexpr Facts facts_over_tcp(const Facts& facts, std::string_view name,
                               std::string_view summary) {
  Facts result = facts_like(facts, name, summary);
  result.naming = Naming::port;
  result.carrier = "tcp";
  return result;
}

}  // namespace ipcbench
