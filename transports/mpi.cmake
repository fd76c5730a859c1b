# mpi.h brings the C++ bindings, which stand in a library of their own, unless it is told not to.
target_compile_definitions(mpi PRIVATE OMPI_SKIP_MPICXX)
