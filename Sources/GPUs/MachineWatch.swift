import SystemPackage

/// Looks at what the kernel shows of GPUs. It never waits, so it works on while NVML hangs.
actor MachineWatch {
    private let path: FilePath
    private let module: DriverModule
    private var log: KernelLog?
    private var pci: PCIBus
    private var manager: (runs: Bool, seen: Moment)?

    init(sys: FilePath, proc: FilePath, kernelLog: FilePath) {
        (path, module, pci) = (kernelLog, DriverModule(proc: proc), PCIBus(sys: sys))
    }

    func look() -> (Ledger.Machine, [DriverLine]) {
        let now = Moment.now
        var machine = Ledger.Machine()
        machine.pci = pci.scan() ?? []
        machine.moduleVersion = module.version
        if machine.pci.contains(where: { $0.kind == .nvSwitch }) { machine.fabricManagerRuns = managerRuns(at: now) }
        do throws(Errno) {
            if log == nil { log = try KernelLog(at: path) }
            return (machine, try log?.next().compactMap { DriverLine($0, now: now) } ?? [])
        } catch {
            machine.kernelLogFault = "could not read \(path): \(error)"
            return (machine, [])
        }
    }

    /// All processes are looked through for it, so not each second.
    private func managerRuns(at now: Moment) -> Bool {
        if let manager, now.seconds(since: manager.seen) < 30 { return manager.runs }
        let runs = module.fabricManagerRuns
        manager = (runs, now)
        return runs
    }
}
