extension Sample {
    /// How the GPU stands with the Fabric Manager, on systems with NVSwitch (Hopper and later tell).
    package struct Fabric: Hashable, Sendable, Codable {
        /// NVML_GPU_FABRIC_STATE_…
        package enum State: UInt32, Sendable, Codable { case notSupported, notStarted, inProgress, completed }

        package var state: State
        /// NVML's code of how the registration ended; 0 is well. It holds once the state is `completed`.
        package var status: Int32
        /// NVML_GPU_FABRIC_HEALTH_MASK_…; nil with an old library.
        package var health: UInt32?
    }

    /// What the driver itself says has to be done (NVML_FI_DEV_GET_GPU_RECOVERY_ACTION, driver 570 and later).
    package enum RecoveryAction: UInt32, Sendable, Codable {
        case none, resetGPU, rebootNode, drainPeers, drainAndReset, recoverIMEX, resetBus, rebootSystem
    }
}
