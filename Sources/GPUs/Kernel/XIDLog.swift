/// The faults of this boot: the GPUs' (XIDs), each once, though the kernel's log and NVML both tell of most; the switches'
/// (SXids), of which the log alone tells.
struct XIDLog {
    struct Key: Hashable {
        var bus: PCIAddress?
        var code: Int
    }

    private struct Tally {
        var fromLog = 0
        var fromNVML = 0
        var latest: XIDEvent
        var count: Int { max(fromLog, fromNVML) }
    }

    /// The newest last.
    private(set) var recent: [XIDEvent] = []
    private var tallies: [Key: Tally] = [:]
    /// By switch, code and gravity, in the order in which each came first.
    private(set) var switchFaults: [SwitchFault] = []
    /// When the kernel module was last loaded, by the log.
    private(set) var loaded: Moment?

    /// Both count alike, and neither says which of the other's an event is: so one is new
    /// only if its own source has now told of more such events than the other.
    mutating func take(_ event: XIDEvent) {
        let key = Key(bus: event.bus, code: event.code)
        var tally = tallies[key] ?? Tally(latest: event)
        let before = tally.count
        switch event.source {
        case .kernelLog: tally.fromLog += 1
        case .nvml: tally.fromNVML += 1
        }
        if tally.count > before {
            recent.append(event)
            if recent.count > 256 { recent.removeFirst() }
        } else if event.source == .kernelLog, let same = recent.lastIndex(where: { $0.isUnexplained(key) }) {
            // The log's event has the driver's words, so it takes the place of NVML's.
            recent[same] = event
        }
        if tally.count > before || event.source == .kernelLog { tally.latest = event }
        tallies[key] = tally
    }

    mutating func take(_ line: DriverLine) {
        switch line {
        case .xid(let event): take(event)
        case .switchFault(let fault): take(fault)
        case .loaded(let moment): loaded = moment
        }
    }

    private mutating func take(_ fault: SwitchFault) {
        let same = switchFaults.firstIndex { known in
            (known.bus, known.code, known.isFatal) == (fault.bus, fault.code, fault.isFatal)
        }
        guard let same else { return switchFaults.append(fault) }
        let count = switchFaults[same].count + fault.count
        switchFaults[same] = fault
        switchFaults[same].count = count
    }

    var counts: [XIDCount] {
        tallies.map { XIDCount(bus: $0.key.bus, code: $0.key.code, count: $0.value.count) }
            .sorted { one, other in
                one.bus == other.bus ? one.code < other.code : (one.bus ?? .last) < (other.bus ?? .last)
            }
    }

    /// The latest event of each code on that GPU, after the last loading of the driver.
    func latest(on bus: PCIAddress) -> [(event: XIDEvent, count: Int)] {
        tallies.filter { $0.key.bus == bus }.map { ($0.value.latest, $0.value.count) }
            .filter { event, _ in isPresent(event.moment) }
            .sorted { $0.event.code < $1.event.code }
    }

    /// After the last loading of the driver.
    var presentSwitchFaults: [SwitchFault] { switchFaults.filter { isPresent($0.moment) } }

    private func isPresent(_ moment: Moment) -> Bool { loaded.map { moment.seconds(since: $0) >= 0 } ?? true }
}

extension XIDEvent {
    fileprivate func isUnexplained(_ key: XIDLog.Key) -> Bool {
        source == .nvml && code == key.code && bus == key.bus
    }
}

extension PCIAddress {
    fileprivate static let last = PCIAddress(domain: .max, bus: .max)
}
