import Glibc
import SystemPackage

/// The kernel's log (`/dev/kmsg`), from the oldest line that it still has, or that came after a `dmesg --clear`.
/// Reading it never waits.
final class KernelLog {
    private let file: FileDescriptor
    private var rest: [UInt8] = []

    init(at path: FilePath) throws(Errno) {
        do {
            file = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
        } catch let errno as Errno {
            throw errno
        } catch {
            throw .ioError
        }
        // SEEK_DATA, which Swift's Glibc does not show: behind what was cleared. Of a file it is the beginning.
        lseek(file.rawValue, 0, 3)
    }

    deinit { try? file.close() }

    /// The lines that have come since the last call.
    func next() throws(Errno) -> [KernelLogLine] {
        var lines: [KernelLogLine] = []
        while let piece = try read() {
            rest += piece
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                if let line = KernelLogLine(String(decoding: rest[..<end], as: UTF8.self)) { lines.append(line) }
                rest.removeFirst(end + 1)
            }
        }
        return lines
    }

    /// Nil: there is no more now. The device gives one record a call, of 8 kB at most.
    private func read() throws(Errno) -> ArraySlice<UInt8>? {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            do {
                let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
                return count == 0 ? nil : buffer[..<count]
            } catch Errno.brokenPipe {
                // Lines were overwritten before we came; the next call gives the oldest that is left.
                continue
            } catch let errno as Errno {
                guard errno == .wouldBlock else { throw errno }
                return nil
            } catch {
                throw .ioError
            }
        }
    }
}

/// One record: `6,1234,5678901,-;text`, as Documentation/ABI/testing/dev-kmsg of the kernel says.
struct KernelLogLine: Hashable, Sendable {
    var sequence: UInt64
    /// In seconds since boot.
    var uptime: Double
    var text: String

    /// Nil for what is no record: the lines that tell more of the one before begin with a space.
    init?(_ line: String) {
        guard let end = line.firstIndex(of: ";") else { return nil }
        let fields = line[..<end].split(separator: ",")
        guard fields.count >= 4, UInt32(fields[0]) != nil, let sequence = UInt64(fields[1]),
            let microseconds = UInt64(fields[2])
        else { return nil }
        (self.sequence, uptime) = (sequence, Double(microseconds) / 1e6)
        text = String(line[line.index(after: end)...])
    }
}
