/// What is remembered of one GPU.
struct Chart {
    var gpu: GPU
    private(set) var sample: Sample?
    /// The driver shows it, and it answers.
    private(set) var isVisible = false
    /// Why it does not answer, though the driver shows it.
    private(set) var silence: NVMLError?
    /// The driver was asked for all its GPUs, and did not show it.
    private(set) var isMissed = false
    /// Nil: PCI does not show it.
    var pci: PCIBus.Device?
    var verdict: Verdict

    private(set) var replays = Rise(window: 60)
    private(set) var linkErrors = Rise(window: 600)
    private(set) var mostLinks = 0
    private(set) var heat: Sighting?
    private(set) var brake: Sighting?
    private(set) var idleSince: Moment?
    /// When it was last seen to begin anew.
    private(set) var reset: Moment?

    init(_ gpu: GPU, at moment: Moment) {
        self.gpu = gpu
        verdict = Verdict(.unknown, since: moment)
    }

    mutating func take(_ description: GPU) {
        gpu = description
        mostLinks = max(mostLinks, activeLinks)
    }

    mutating func take(_ new: Sample) {
        // Energy counts from the start of the driver or the last reset of the GPU.
        if let before = sample?.energy, let now = new.energy, now < before { reset = new.taken }
        replays.add(new.pcieReplays, at: new.taken)
        linkErrors.add(new.nvlinkErrors?.sum, at: new.taken)
        if let reasons = new.clockReasons {
            Sighting.renew(&heat, seen: !reasons.isDisjoint(with: [.hardwareThermal, .softwareThermal]), at: new.taken)
            Sighting.renew(&brake, seen: reasons.contains(.powerBrake), at: new.taken)
        }
        if new.utilization == 0, new.processes?.isEmpty == false {
            idleSince = idleSince ?? new.taken
        } else {
            idleSince = nil
        }
        (sample, isVisible, silence, isMissed) = (new, true, nil, false)
    }

    /// It shows, but does not answer.
    mutating func takeSilence(_ error: NVMLError) {
        (isVisible, silence, isMissed, idleSince) = (false, error, false, nil)
    }

    /// It is not seen: because the driver does not show it, or because there is no driver to ask.
    mutating func disappear(isMissed: Bool) {
        (isVisible, silence, self.isMissed, idleSince) = (false, nil, isMissed, nil)
    }

    var activeLinks: Int { gpu.nvlinks.count(where: \.isActive) }

    var idle: Idle? {
        guard let since = idleSince, let processes = sample?.processes else { return nil }
        let held = processes.compactMap(\.memory)
        return Idle(since: since, memory: held.isEmpty ? nil : held.reduce(0, &+))
    }
}

extension Sample.NVLinkErrors {
    fileprivate var sum: UInt64? {
        let known = [crcFlit, crcData, crc, replay, recovery, received].compactMap(\.self)
        return known.isEmpty ? nil : known.reduce(0, &+)
    }
}
