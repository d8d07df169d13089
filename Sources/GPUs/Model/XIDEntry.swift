/// What NVIDIA says of an XID.
package struct XIDEntry: Hashable, Sendable, Codable {
    package var code: Int
    package var description: String
    /// The immediate one; NVIDIA names a second, for those who look into it later.
    package var action: Action
}

extension XIDEntry {
    /// What it means for the GPU. A program's own fault (13, 31, 43 and their like) says nothing against it.
    package var effect: Verdict.State {
        switch action {
        case .none, .restartApplication, .followXID45Workflow: .healthy
        case .checkApplication, .updateSoftware, .contactSupport: .degraded
        default: .unhealthy
        }
    }

    /// NVIDIA's catalogue (docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html, as of October 2025): all
    /// codes that are in use and have a recommendation. Of 162 to 172 it has none yet, and the others are "unused".
    package static let catalogue = Dictionary(
        uniqueKeysWithValues: table.map { ($0.0, XIDEntry(code: $0.0, description: $0.2, action: $0.1)) })

    /// Code, resolution bucket (immediate action), description.
    private static let table: [(Int, Action, String)] = [
        (8, .restartApplication, "GPU stopped processing"),
        (11, .restartApplication, "Invalid or corrupted push buffer stream"),
        (13, .restartApplication, "Graphics Engine Exception"),
        (25, .restartApplication, "Invalid or illegal push buffer stream"),
        (31, .restartApplication, "GPU memory page fault"),
        (32, .restartApplication, "Invalid or corrupted push buffer stream"),
        (37, .none, "Driver firmware error"),
        (38, .none, "Driver firmware error"),
        (39, .restartApplication, "Copy Engine Exception"),
        (40, .restartApplication, "Copy Engine Exception"),
        (41, .restartApplication, "Copy Engine Exception"),
        (43, .none, "GPU stopped processing"),
        (44, .none, "Graphics Engine fault during context switch"),
        (45, .followXID45Workflow, "Preemptive cleanup, due to previous errors"),
        (46, .resetGPU, "GPU stopped processing"),
        (48, .followXID48Workflow, "Double Bit ECC Error"),
        (54, .checkMechanicals, "Auxiliary power is not connected to the GPU board"),
        (60, .restartApplication, "Video processor exception"),
        (62, .resetGPU, "Internal micro-controller halt"),
        (63, .none, "GPU memory remapping event"),
        (64, .resetGPU, "GPU memory remapping failure"),
        (66, .none, "Illegal access by driver"),
        (67, .none, "Illegal access by driver"),
        (68, .restartApplication, "NVDEC0 Exception"),
        (69, .restartApplication, "Graphics Engine class error"),
        (70, .restartApplication, "CE3: Unknown Error"),
        (71, .restartApplication, "CE4: Unknown Error"),
        (72, .restartApplication, "CE5: Unknown Error"),
        (74, .followNVLinkWorkflow, "NVLink Error"),
        (75, .restartApplication, "CE6: Unknown Error"),
        (76, .restartApplication, "CE7: Unknown Error"),
        (77, .restartApplication, "CE8: Unknown Error"),
        (78, .updateSoftware, "vGPU Start Error"),
        (79, .reboot, "GPU has fallen off the bus"),
        (80, .restartApplication, "Corrupted data sent to GPU"),
        (82, .restartApplication, "NVJPG0 Error"),
        (83, .restartApplication, "NVDEC1 Error"),
        (84, .restartApplication, "NVDEC2 Error"),
        (85, .restartApplication, "CE9: Unknown Error"),
        (86, .restartApplication, "OFA Exception"),
        (88, .restartApplication, "NVDEC3 Error"),
        (89, .restartApplication, "NVDEC4 Error"),
        (92, .none, "High single-bit ECC error rate"),
        (93, .none, "Non-fatal violation of provisioned InfoROM wear limit"),
        (94, .restartApplication, "Contained memory error"),
        (95, .resetGPU, "Uncontained memory error"),
        (96, .restartApplication, "NVDEC5 Error"),
        (97, .restartApplication, "NVDEC6 Error"),
        (98, .restartApplication, "NVDEC7 Error"),
        (99, .restartApplication, "NVJPG1 Error"),
        (100, .restartApplication, "NVJPG2 Error"),
        (101, .restartApplication, "NVJPG3 Error"),
        (102, .restartApplication, "NVJPG4 Error"),
        (103, .restartApplication, "NVJPG5 Error"),
        (104, .restartApplication, "NVJPG6 Error"),
        (105, .restartApplication, "NVJPG7 Error"),
        (106, .none, "SMBPBI Test Message"),
        (107, .none, "SMBPBI Test Message Silent"),
        (109, .resetGPU, "Context Switch Timeout Error"),
        (110, .resetGPU, "Security Fault Error"),
        (119, .resetGPU, "GSP RPC Timeout"),
        (120, .resetGPU, "GSP Error"),
        (121, .none, "C2C Error"),
        (126, .restartApplication, "CE10: Unknown Error"),
        (127, .restartApplication, "CE11: Unknown Error"),
        (128, .restartApplication, "CE12: Unknown Error"),
        (129, .restartApplication, "CE13: Unknown Error"),
        (130, .restartApplication, "CE14: Unknown Error"),
        (131, .restartApplication, "CE15: Unknown Error"),
        (132, .restartApplication, "CE16: Unknown Error"),
        (133, .restartApplication, "CE17: Unknown Error"),
        (134, .restartApplication, "CE18: Unknown Error"),
        (135, .restartApplication, "CE19: Unknown Error"),
        (136, .resetGPU, "Link Training Failed"),
        (137, .none, "NVLink Privilege Error"),
        (139, .restartApplication, "OFA1 Error"),
        (140, .resetGPU, "ECC Unrecovered Error"),
        (141, .none, "CUDA Fast Path Error"),
        (142, .contactSupport, "NVENC3 Error"),
        (143, .resetGPU, "GPU Initialization Error"),
        (144, .followNVLink5Workflow, "NVLINK: SAW Error"),
        (145, .followNVLink5Workflow, "NVLINK: RLW Error"),
        (146, .followNVLink5Workflow, "NVLINK: TLW Error"),
        (147, .followNVLink5Workflow, "NVLINK: TREX Error"),
        (148, .followNVLink5Workflow, "NVLINK: NVLPW_CTRL Error"),
        (149, .followNVLink5Workflow, "NVLINK: NETIR Error"),
        (150, .followNVLink5Workflow, "NVLINK: MSE Error"),
        (151, .restartVM, "Key rotation Error"),
        (152, .none, "DLA SMMU Error"),
        (153, .none, "DLA timeout Error"),
        (154, .followXID154, "GPU Recovery Action Changed"),
        (155, .resetGPU, "NVLINK: SW Defined Error"),
        (156, .resetGPU, "Resource Retirement Event"),
        (157, .none, "Resource Retirement Failure"),
        (158, .resetGPU, "GPU Fatal Timeout"),
        (159, .checkApplication, "CHI Non-Data Error"),
        (160, .none, "Channel Retirement Event"),
        (161, .none, "Channel Retirement Failure"),
    ]
}
