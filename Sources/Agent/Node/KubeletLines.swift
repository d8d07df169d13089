/// The lines that a disk or the memory must not cross, or the kubelet acts: it removes images, then pods.
package struct KubeletLines: Codable, Hashable, Sendable {
    /// How full the file system of the images may get before unused ones go, from 0 to 1.
    package var imageCollection: Double = 0.85
    /// By signal, as the kubelet names it ("nodefs.available"); below these pods are put out at once.
    package var eviction: [String: Threshold] = standard

    package enum Threshold: Codable, Hashable, Sendable {
        case bytes(UInt64)
        /// Of the whole, from 0 to 1.
        case share(Double)

        /// "1Gi", "100Mi", "1073741824", "10%"
        init?(_ text: some StringProtocol) {
            if text.hasSuffix("%") {
                guard let value = Double(text.dropLast()) else { return nil }
                self = .share(value / 100)
                return
            }
            let digits = text.prefix { $0.isNumber || $0 == "." }
            let units: [String: Double] = [
                "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30, "Ti": 0x1p40,
            ]
            guard let value = Double(digits), let unit = units[String(text.dropFirst(digits.count))] else { return nil }
            self = .bytes(UInt64(value * unit))
        }

        /// In the unit of the whole.
        package func amount(of whole: UInt64) -> Double {
            switch self {
            case .bytes(let bytes): Double(bytes)
            case .share(let share): Double(whole) * share
            }
        }
    }

    /// The kubelet's own for Linux (pkg/kubelet/apis/config/v1beta1/defaults_linux.go).
    private static let standard: [String: Threshold] = [
        "memory.available": .bytes(100 << 20), "nodefs.available": .share(0.1), "nodefs.inodesFree": .share(0.05),
        "imagefs.available": .share(0.15),
    ]

    /// Reads the kubelet's arguments: one a line in MicroK8s' `args/kubelet`, or one after the other on a command line.
    /// What they do not say is the kubelet's own.
    package init(arguments: [some StringProtocol]) {
        var values: [String: String] = [:]
        for (index, argument) in arguments.enumerated() where argument.hasPrefix("--") {
            let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1)
            guard let name = parts.first else { continue }
            values[String(name)] =
                parts.count > 1
                ? String(parts[1]) : arguments.dropFirst(index + 1).first.map { String($0) } ?? ""
        }
        if let high = values["image-gc-high-threshold"].flatMap({ Double($0) }) { imageCollection = high / 100 }
        guard let text = values["eviction-hard"]?.filter({ $0 != "\"" && $0 != "'" }) else { return }
        eviction = [:]
        for part in text.split(separator: ",") {
            let words = part.split(separator: "<", maxSplits: 1)
            if words.count == 2, let threshold = Threshold(words[1]) { eviction[String(words[0])] = threshold }
        }
    }
}
