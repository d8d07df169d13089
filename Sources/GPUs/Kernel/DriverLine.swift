/// What a line of NVIDIA's drivers in the kernel's log says.
enum DriverLine: Hashable, Sendable {
    case xid(XIDEvent)
    case switchFault(SwitchFault)
    /// The kernel module was loaded: what was amiss with GPUs before is past.
    case loaded(Moment)

    /// Nil for all other lines. `now` is the moment of reading, from which the line's own is reckoned.
    init?(_ line: KernelLogLine, now: Moment) {
        let moment = now.advanced(by: line.uptime - now.uptime)
        if line.text.hasPrefix("NVRM: loading NVIDIA UNIX") {
            self = .loaded(moment)
        } else if var event = XIDEvent(line.text, at: moment) {
            event.sequence = line.sequence
            self = .xid(event)
        } else if let fault = SwitchFault(line.text, at: moment) {
            self = .switchFault(fault)
        } else {
            return nil
        }
    }
}

extension SwitchFault {
    /// As the driver of the switches writes it:
    ///
    ///     nvidia-nvswitch0: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 63 LTSSM Fault Up
    ///     nvidia-nvswitch3: SXid (PCI:0000:c1:00.0): 28006, Non-fatal, Link 46 MC TS crumbstore MCTO (First)
    ///
    /// Two lines more, with its severity and its data, belong to the same fault.
    init?(_ text: String, at moment: Moment) {
        guard text.hasPrefix("nvidia-nvswitch"), let start = text.firstRange(of: ": SXid (") else { return nil }
        let inside = text[start.upperBound...]
        guard let end = inside.firstIndex(of: ")"), let bus = PCIAddress(inside[..<end]) else { return nil }
        let words = inside[end...].dropFirst(3).split(separator: ", ", maxSplits: 2)
        guard words.count == 3, let code = Int(words[0]), ["Fatal", "Non-fatal"].contains(words[1]) else { return nil }
        self.init(bus, code, isFatal: words[1] == "Fatal", at: moment, String(words[2]))
    }
}

extension XIDEvent {
    /// The forms that drivers have written, from 2012 to now:
    ///
    ///     NVRM: Xid (0000:03:00): 14, Channel 00000001
    ///     NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.
    ///     NVRM: Xid (PCI:0000:3b:00): 13, pid='<unknown>', name=<unknown>, Graphics SM …
    ///     NVRM: Xid (PCI:0000:3b:00 GPU-I:05 GPU-CI:00): 31, pid=2512125, name=python3.10, Ch 00000008, …
    init?(_ text: String, at moment: Moment) {
        let start = "NVRM: Xid ("
        guard text.hasPrefix(start) else { return nil }
        let inside = text.dropFirst(start.count)
        guard let end = inside.firstIndex(of: ")") else { return nil }
        let words = inside[end...].dropFirst(3).split(separator: ",", omittingEmptySubsequences: false)
        guard inside[end...].hasPrefix("): "), let first = words.first, let code = Int(first) else { return nil }
        let place = inside[..<end].prefix { $0 != " " }
        guard let bus = PCIAddress(place) else { return nil }
        self.init(source: .kernelLog, moment: moment, code: code, bus: bus)
        var rest = words.dropFirst()
        // "pid=1 CE0" has been seen as well: the number ends where the digits do.
        if let pid = rest.first.flatMap({ Self.value("pid", in: $0) }) {
            self.pid = Int32(pid.prefix { $0.isNumber })
            rest = rest.dropFirst()
        }
        if let name = rest.first.flatMap({ Self.value("name", in: $0) }) {
            processName = name == "<unknown>" ? nil : String(name)
            rest = rest.dropFirst()
        }
        self.text = String(rest.joined(separator: ",").drop { $0 == " " })
    }

    private static func value(_ key: String, in word: Substring) -> Substring? {
        let bare = word.drop { $0 == " " }
        return bare.hasPrefix(key + "=") ? bare.dropFirst(key.count + 1) : nil
    }
}
