/// Numbers, as people like to read them.
enum Words {
    /// "71.2 GiB", "512 MiB"
    static func bytes(_ bytes: UInt64) -> String {
        bytes >= 1 << 30 ? "\(tenths(Double(bytes) / 0x1p30)) GiB" : "\(bytes >> 20) MiB"
    }

    /// "3.4"
    static func tenths(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return "\(tenths / 10).\(abs(tenths % 10))"
    }

    /// "41 %"
    static func share(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }

    /// "12 s", "3 min", "5 h", "2 d"
    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<120: "\(max(0, Int(seconds))) s"
        case ..<7200: "\(Int(seconds / 60)) min"
        case ..<172_800: "\(Int(seconds / 3600)) h"
        default: "\(Int(seconds / 86_400)) d"
        }
    }
}
