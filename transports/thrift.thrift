// What thrift.cpp calls: bytes there, bytes back. The compiler thrift makes C++ of it.
namespace cpp ipcbench.thrift_rpc

service Exchange {
  binary call(1: binary data)
}
