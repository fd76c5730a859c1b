// mixed: ping_pong and flood with messages of different sizes.
//
// Compiled once, over harness/any_link.h, like paced: with a size looked up for each message, a
// virtual call beside it costs a few nanoseconds more than the loops of one size. So compare mixes
// with mixes.
#pragma once

#include "harness/any_link.h"
#include "harness/run.h"

namespace ipcbench::mixed {

void ping_pong(Runner& runner, const LinkMaker& maker);
void flood(Runner& runner, const LinkMaker& maker);

}  // namespace ipcbench::mixed
