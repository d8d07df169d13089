extension Chart {
    /// XIDs, and what the driver itself wants to have done.
    func faults(_ about: Circumstances) -> [Symptom] {
        let events = about.xids.latest(on: gpu.bus).filter { !isSettled($0.event, about) }
        let xids = events.compactMap { Symptom($0.event, count: $0.count) }
        guard isVisible, let recovery = sample?.recovery, let action = recovery.action else { return xids }
        return xids + [Symptom(.recovery, .unhealthy, "the driver says: \(action.advice)", action)]
    }

    /// A reset ends what the GPU suffered before it, and the driver knows when nothing is left to recover from.
    private func isSettled(_ event: XIDEvent, _ about: Circumstances) -> Bool {
        if let reset, event.moment.seconds(since: reset) < 0 { return true }
        guard isVisible, let sample, sample.recovery == Sample.RecoveryAction.none else { return false }
        // The driver may find out some moments after its own message.
        return sample.taken.seconds(since: event.moment) > 10
    }
}

extension Symptom {
    /// Nil where the event says nothing against the GPU.
    fileprivate init?(_ event: XIDEvent, count: Int) {
        let entry = event.entry
        var (state, action) = (entry?.effect ?? .degraded, entry?.action ?? .contactSupport)
        switch event.code {
        case 144...150 where event.text?.contains("Nonfatal") == true: state = .degraded
        case 154:
            guard let wanted = event.recovery?.action else { return nil }
            action = wanted
        default: break
        }
        guard state != .healthy else { return nil }
        let times = count > 1 ? ", \(count) times" : ""
        let words = event.text ?? entry?.description ?? "not in NVIDIA's catalogue"
        self.init(.xid, state, "XID \(event.code)\(times): \(words)", action, since: event.moment)
    }

    /// Of the node; nil where the fault asks for nothing.
    init?(_ fault: SwitchFault) {
        guard let action = fault.action else { return nil }
        let times = fault.count > 1 ? ", \(fault.count) times" : ""
        let evidence = "SXid \(fault.code) of the NVSwitch \(fault.bus)\(times): \(fault.text)"
        self.init(.sxid, .unhealthy, evidence, action, since: fault.moment)
    }

    /// The driver shows the GPU, which does not answer.
    init(_ silence: NVMLError) {
        if silence.code == .resetRequired {
            self.init(.resetRequired, .unhealthy, "\(silence)", .resetGPU)
        } else {
            self.init(.lost, .unhealthy, "\(silence)", .reboot)
        }
    }
}

extension XIDEvent {
    /// Of 154: `GPU recovery action changed from 0x0 (None) to 0x4 (Drain and Reset)`.
    var recovery: Sample.RecoveryAction? {
        guard let number = text?.components(after: " to 0x"), let value = UInt32(number, radix: 16) else { return nil }
        return Sample.RecoveryAction(rawValue: value)
    }
}

extension String {
    /// The hexadecimal digits that follow the mark.
    fileprivate func components(after mark: String) -> Substring? {
        firstRange(of: mark).map { self[$0.upperBound...].prefix(while: \.isHexDigit) }
    }
}

extension Sample.RecoveryAction {
    /// Nil where nothing is to be done.
    var action: Action? {
        switch self {
        case .none: nil
        case .resetGPU, .resetBus: .resetGPU
        case .rebootNode, .rebootSystem: .reboot
        case .drainPeers, .drainAndReset: .drainAndReset
        case .recoverIMEX: .restartFabricManager
        }
    }
}

extension DriverStatus {
    /// What is wrong for all GPUs; nil when the driver answers.
    var symptom: Symptom? {
        let words = reason ?? state.rawValue
        return switch state {
        case .ready: nil
        case .starting: Symptom(.driver, .unknown, "NVML has not answered yet", .none)
        case .noLibrary: Symptom(.driver, .unhealthy, "there is no NVML: \(words)", .installDriver)
        case .notLoaded: Symptom(.driver, .unhealthy, words, .loadDriver)
        case .mismatch: Symptom(.driver, .unhealthy, "\(words)\(moduleNote)", .reboot)
        case .failed: Symptom(.driver, .unknown, words, .contactSupport)
        }
    }

    private var moduleNote: String { moduleVersion.map { "; the module is \($0)" } ?? "" }
}
