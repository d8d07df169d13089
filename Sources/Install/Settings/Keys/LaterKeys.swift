extension Settings {
    /// What this release has not: the switches, so that preflight can say so by name.
    package struct LaterKeys: Sendable {
        package let useGpuOperator = Key(
            "USE_GPU_OPERATOR", .flag, default: "false", .later(.gpu), "Install the GPU Operator.")
        package let enableIb = Key("ENABLE_IB", .flag, default: "false", .later(.infiniBand), "InfiniBand and RDMA.")
        package let enableMpiOperator = Key("ENABLE_MPI_OPERATOR", .flag, default: "false", .later(.mpi), "Install the MPI Operator.")
        package let enableMig = Key("ENABLE_MIG", .flag, default: "false", .later(.mig), "Divide GPUs.")
    }
}
