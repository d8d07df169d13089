import Synchronization
package import SystemPackage

/// The last samples, on the disk: for whoever was away and wants to catch up.
///
/// One line a sample, `CHECKSUM NUMBER JSON`, appended and synchronised before the next; files of bounded size, of
/// which the oldest goes when there are too many. A power cut may leave half a line at the end: it is cut off when the
/// ring is opened. A line that does not fit its checksum is left out when the ring is read, and nothing else is.
package final class SampleRing: Sendable {
    package static let segments = 64

    package let folder: FilePath
    private let segmentBytes: Int
    private let state: Mutex<State>

    struct State {
        var firsts: [UInt64]
        var next: UInt64
        var size: Int
    }

    /// - Parameters:
    ///   - bytes: how much the ring may hold, at most.
    ///   - began: the first number of a new ring. From the time of day, so that no number of a ring that was lost is
    ///     ever given again.
    package init(in folder: FilePath, bytes: Int, began: UInt64) throws(RingError) {
        (self.folder, segmentBytes) = (folder, max(bytes / Self.segments, 1))
        state = Mutex(try Self.opened(folder, began: began))
    }

    /// Adds what `sample` makes of its number, and returns that when it is on the disk.
    @discardableResult
    package func append(_ sample: (UInt64) throws -> [UInt8]) throws -> UInt64 {
        try state.withLock { state in
            let number = state.next
            let line = RingLine(number: number, sample: try sample(number)).bytes
            if state.size >= segmentBytes || state.firsts.isEmpty { try beginSegment(&state) }
            let path = Self.path(of: state.firsts[state.firsts.count - 1], in: folder)
            do throws(Errno) {
                try Disk.append(line, to: path, at: state.size)
            } catch {
                throw RingError("could not write \(path): \(error)")
            }
            state.size += line.count
            state.next += 1
            return number
        }
    }

    /// The number of the newest sample; nil before the first.
    package var last: UInt64? { state.withLock { $0.firsts.isEmpty ? nil : $0.next - 1 } }

    /// The samples after a number, oldest first: whole ones, up to about `bytes`, at least one where there is one.
    package func samples(after number: UInt64, bytes: Int) throws(RingError) -> [RingLine] {
        let (firsts, next) = state.withLock { ($0.firsts, $0.next) }
        var (lines, count): ([RingLine], Int) = ([], 0)
        for (index, first) in firsts.enumerated() {
            let end = index + 1 < firsts.count ? firsts[index + 1] : next
            guard end > 0, end - 1 > number else { continue }
            // One that has gone meanwhile was the oldest.
            for line in RingLine.all(in: try Self.contents(of: Self.path(of: first, in: folder)) ?? []).lines
            where line.number > number {
                guard lines.isEmpty || count + line.sample.count <= bytes else { return lines }
                lines.append(line)
                count += line.sample.count
            }
        }
        return lines
    }

    private func beginSegment(_ state: inout State) throws(RingError) {
        do throws(Errno) {
            try Disk.create(Self.path(of: state.next, in: folder))
            state.firsts.append(state.next)
            state.size = 0
            while state.firsts.count > Self.segments {
                try Disk.remove(Self.path(of: state.firsts[0], in: folder))
                state.firsts.removeFirst()
            }
        } catch {
            throw RingError("could not begin a new file in \(folder): \(error)")
        }
    }
}

extension SampleRing {
    private static func opened(_ folder: FilePath, began: UInt64) throws(RingError) -> State {
        do throws(Errno) {
            try Disk.makeFolder(folder)
            let firsts = try Disk.names(in: folder).compactMap(first).sorted()
            guard let last = firsts.last else { return State(firsts: [], next: began, size: 0) }
            let path = path(of: last, in: folder)
            let found = RingLine.all(in: try Disk.contents(of: path) ?? [])
            // Half a line of a power cut, and zeros where the size was on the disk before the bytes.
            try Disk.cut(path, to: found.end)
            return State(firsts: firsts, next: found.lines.last.map { $0.number + 1 } ?? last, size: found.end)
        } catch {
            throw RingError("could not open the samples in \(folder): \(error)")
        }
    }

    private static func contents(of path: FilePath) throws(RingError) -> [UInt8]? {
        do { return try Disk.contents(of: path) } catch { throw RingError("could not read \(path): \(error)") }
    }

    private static func path(of first: UInt64, in folder: FilePath) -> FilePath { folder.appending("\(first).samples") }

    private static func first(of name: String) -> UInt64? {
        name.hasSuffix(".samples") ? UInt64(name.dropLast(".samples".count)) : nil
    }
}

package struct RingError: Error, Hashable, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }
}
