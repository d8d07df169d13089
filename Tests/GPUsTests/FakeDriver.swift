import Foundation
import Glibc
import SystemPackage

@testable import GPUs

/// A copy of the fake driver with a script of its own, and what of a machine belongs to it: a PCI bus and a kernel's
/// log. Each test has its own, since the library keeps its state by file.
final class FakeDriver: Sendable {
    let folder: FilePath
    var library: String { folder.appending("libnvidia-ml.so.1").string }
    var sys: FilePath { folder.appending("sys") }
    var proc: FilePath { folder.appending("proc") }
    var kernelLog: FilePath { folder.appending("kmsg") }

    /// What `swift test` has built beside the tests.
    private static let built = FilePath(
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    ).removingLastComponent().appending("libfake-nvml.so")

    /// `without`: functions that this library does not have.
    init(_ script: String = "", without missing: [String] = []) throws {
        folder = FilePath(FileManager.default.temporaryDirectory.path).appending("jhub-gpus-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            atPath: sys.pushing("bus/pci/devices").string, withIntermediateDirectories: true)
        var bytes = try Data(contentsOf: URL(filePath: Self.built.string))
        for name in missing {
            // Another name in the table of names, and the linker does not find the old one.
            guard bytes.range(of: Data("\0\(name)\0".utf8)) != nil else { throw NoSuchFunction(name: name) }
            while let place = bytes.range(of: Data("\0\(name)\0".utf8)) {
                bytes.replaceSubrange(place, with: Data("\0\(name.uppercased())\0".utf8))
            }
        }
        try bytes.write(to: URL(filePath: library))
        try write(script)
        try log("")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.string) }

    func write(_ script: String) throws { try put(script, "nvml.script") }

    func log(_ lines: String) throws { try put(lines, "kmsg") }

    func append(_ lines: String) throws {
        let file = try FileDescriptor.open(kernelLog, .writeOnly, options: [.append])
        try file.closeAfter { _ = try file.writeAll(lines.utf8) }
    }

    /// Whole at once, or not at all.
    func put(_ text: String, _ name: String) throws {
        let path = folder.pushing(FilePath(name))
        try FileManager.default.createDirectory(
            atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: path.string), options: .atomic)
    }

    /// As the kernel shows it; by default an H100.
    func plug(_ bus: String, vendor: String = "0x10de", kind: String = "0x030200", driver: String? = "nvidia") throws {
        let device = "sys/bus/pci/devices/\(bus)"
        try put("\(vendor)\n", "\(device)/vendor")
        try put("\(kind)\n", "\(device)/class")
        if let driver {
            try FileManager.default.createSymbolicLink(
                atPath: folder.pushing(FilePath("\(device)/driver")).string,
                withDestinationPath: "../../../bus/pci/drivers/\(driver)")
        }
    }

    /// Makes the library a link to a file of that name, as packages have it. The file is the same library.
    func link(_ name: String) throws {
        let (file, link) = (folder.appending(name).string, "\(library).new")
        try FileManager.default.copyItem(at: URL(filePath: library).resolvingSymlinksInPath(), to: URL(filePath: file))
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: name)
        rename(link, library)
    }

    func unplug(_ bus: String) throws {
        try FileManager.default.removeItem(atPath: sys.pushing(FilePath("bus/pci/devices/\(bus)")).string)
    }

    struct NoSuchFunction: Error {
        var name: String
    }
}

extension FakeDriver {
    /// Watches this driver, and what of a machine belongs to it.
    func watch(
        limit: Duration = .seconds(5), renewal: Duration = .seconds(60), life: Duration = .zero
    ) -> GPUWatch {
        var settings = GPUWatch.Settings()
        // A sample holds for three periods: for a minute, however slow the machine of the tests is.
        settings.period = .seconds(20)
        (settings.renewal, settings.descriptionLife) = (renewal, life)
        (settings.library, settings.callLimit, settings.retry) = (library, limit, .zero)
        (settings.sys, settings.proc, settings.kernelLog) = (sys, proc, kernelLog)
        return GPUWatch(settings)
    }
}

extension GPUWatch {
    /// Looks once, and tells what is known then.
    func looked() async -> Snapshot {
        await look()
        return snapshot()
    }
}

extension GPUReport {
    var rules: [Rule] { verdict.findings.map(\.rule) }
}

/// Comes back when it is so; the test's time limit is the end of all waiting.
func until(_ condition: () async -> Bool) async throws {
    while await !condition() { try await Task.sleep(for: .milliseconds(5)) }
}
