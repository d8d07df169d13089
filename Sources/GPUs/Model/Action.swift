/// What is to be done, from nothing to the most. The names are those of NVIDIA's catalogue of XIDs
/// ("resolution bucket") where it has one.
package enum Action: String, Sendable, Codable, CaseIterable {
    case none = "IGNORE"
    case restartApplication = "RESTART_APP"
    case checkApplication = "CHECK_UVM"
    case updateSoftware = "UPDATE_SWFW"
    case contactSupport = "CONTACT_SUPPORT"
    case restartFabricManager = "RESTART_FM"
    case followNVLinkWorkflow = "WORKFLOW_NVLINK_ERR"
    case followNVLink5Workflow = "WORKFLOW_NVLINK5_ERR"
    case followXID45Workflow = "WORKFLOW_XID_45"
    case followXID48Workflow = "WORKFLOW_XID_48"
    case followXID154 = "XID_154"
    case resetGPU = "RESET_GPU"
    case drainAndReset = "DRAIN_AND_RESET"
    case checkMechanicals = "CHECK_MECHANICALS"
    case restartVM = "RESTART_VM"
    case reboot = "RESTART_BM"
    /// Ours: PCI shows GPUs, and there is no driver.
    case installDriver = "INSTALL_DRIVER"
    case loadDriver = "LOAD_DRIVER"
}

extension Action {
    /// For a person, as a sentence's second half: "nothing is to be done".
    package var advice: String {
        switch self {
        case .none: "nothing is to be done"
        case .restartApplication: "restart the program that was hit; the GPU is well"
        case .checkApplication: "look at the program that was hit, and at what else was reported"
        case .updateSoftware: "update driver and firmware"
        case .contactSupport: "ask the vendor of the machine; take nvidia-bug-report.sh along"
        case .restartFabricManager: "restart the Fabric Manager (nvidia-fabricmanager), of the driver's version"
        case .followNVLinkWorkflow, .followNVLink5Workflow:
            "look at the links (nvidia-smi nvlink -e); reset the GPUs at both ends, and if it returns, ask the vendor"
        case .followXID45Workflow: "look for the fault that came before it"
        case .followXID48Workflow: "let no new work onto the GPU, then reset it"
        case .followXID154: "do what the driver names in its message"
        case .resetGPU: "end what uses the GPU, jhub-agent too, then reset it (nvidia-smi -r)"
        case .drainAndReset: "end what uses the GPU and its peers, jhub-agent too, then reset it (nvidia-smi -r)"
        case .checkMechanicals: "check seat, cables, cooling and power of the GPU"
        case .restartVM: "restart the virtual machine"
        case .reboot: "reboot the machine"
        case .installDriver: "install NVIDIA's driver"
        case .loadDriver: "load the kernel module (modprobe nvidia) and see dmesg if it refuses"
        }
    }
}
