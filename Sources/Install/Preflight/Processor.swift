import Hosts
import SystemPackage

struct EnoughCores: Check {
    let id = "os.cpu"
    let title = "The head has processors enough"

    func finding(on site: Site) async throws -> Finding {
        let needs = "4 cores (fewer than 2: refused)"
        let output = try await site.node.transport.run(["nproc"]).output.trimmed
        guard let cores = Int(output) else { throw FactError("nproc says '\(output)'") }
        let fix = "give the machine more processors; Kubernetes and the hub alone take about one"
        if cores >= 4 { return .passed("\(cores) cores", needs: needs) }
        return cores >= 2
            ? .warning("\(cores) cores", needs: needs, fix: fix) : .failed("\(cores) core", needs: needs, fix: fix)
    }
}

/// A container image of today may hold programs for this level; Ubuntu's and Debian's own do not need it.
struct ProcessorLevel: Check {
    let id = "os.cpu_level"
    let title = "The processor knows what today's images are built for"
    static let flags = ["cx16", "lahf_lm", "pni", "popcnt", "sse4_1", "sse4_2", "ssse3"]

    func finding(on site: Site) async throws -> Finding {
        let needs = "x86-64-v2"
        let text = try await site.node.text(of: "/proc/cpuinfo") ?? ""
        guard let line = text.lines.first(where: { $0.hasPrefix("flags") }) else {
            throw FactError("/proc/cpuinfo has no flags")
        }
        let lacking = Set(Self.flags).subtracting(line.words).sorted()
        return lacking.isEmpty
            ? .passed("x86-64-v2", needs: needs)
            : .failed(
                "lacks \(lacking.joined(separator: ", "))", needs: needs,
                fix: "in a virtual machine, choose the processor type 'host' instead of the generic one")
    }
}
