# What capnp_rpc.cpp calls: bytes there, bytes back. capnp and capnpc-c++ make C++ of it.
@0xd42f89527af3c667;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("ipcbench::capnp_rpc");

interface Exchange {
  call @0 (data :Data) -> (data :Data);
}
