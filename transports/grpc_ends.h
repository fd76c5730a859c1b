// grpc_ends.h: the ends of grpc.proto's service: of its calls and of its stream, which both stand
// on grpc_link.h.
#pragma once

#include "transports/grpc_stream.h"
#include "transports/grpc_unary.h"
