// mpi_end.h: an end of a link by MPI: a rank of a world of two.
#pragma once

#include <mpi.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/transport.h"

namespace ipcbench {

inline void mpi_checked(int result, const char* call) {
  if (result == MPI_SUCCESS) [[likely]]
    return;
  char text[MPI_MAX_ERROR_STRING];
  int size = 0;
  ::MPI_Error_string(result, text, &size);
  throw std::runtime_error(fmt::format("{}: {}", call, text));
}

class MpiEnd {
 public:
  /// `tag` tells apart the links of a process.
  MpiEnd(int rank, int tag, std::size_t size)
      : peer_(1 - rank),
        tag_(tag),
        size_(std::max<std::size_t>(size, 1)),
        in_(size_),
        out_(size_) {}

  Bytes reserve(std::size_t size) {
    out_size_ = size;
    return {out_.get(), size};
  }
  void commit() {
    mpi_checked(
        ::MPI_Send(out_.get(), static_cast<int>(out_size_), MPI_BYTE, peer_, tag_, MPI_COMM_WORLD),
        "MPI_Send");
  }
  View peek(std::size_t) {
    MPI_Status status;
    mpi_checked(::MPI_Recv(in_.get(), static_cast<int>(size_), MPI_BYTE, peer_, tag_,
                           MPI_COMM_WORLD, &status),
                "MPI_Recv");
    int size = 0;
    ::MPI_Get_count(&status, MPI_BYTE, &size);
    return {in_.get(), static_cast<std::size_t>(size)};
  }
  void release() {}

 private:
  /// Memory of MPI_Alloc_mem; and the world, which the last of it ends.
  class Memory {
   public:
    explicit Memory(std::size_t size) {
      void* memory = nullptr;
      mpi_checked(::MPI_Alloc_mem(static_cast<MPI_Aint>(size), MPI_INFO_NULL, &memory),
                  "MPI_Alloc_mem");
      memory_.reset(static_cast<std::byte*>(memory));
    }
    std::byte* get() const { return memory_.get(); }

   private:
    struct Free {
      void operator()(std::byte* memory) const { ::MPI_Free_mem(memory); }
    };
    std::unique_ptr<std::byte, Free> memory_;
  };
  struct Finalize {
    // It waits for the other end, which may be gone where something has failed.
    void operator()(const bool*) const {
      if (std::uncaught_exceptions() == 0) ::MPI_Finalize();
    }
  };

  int peer_;
  int tag_;
  std::size_t size_;
  std::size_t out_size_ = 0;
  static constexpr bool here = true;
  std::unique_ptr<const bool, Finalize> world_{&here};
  Memory in_;
  Memory out_;
};

}  // namespace ipcbench
