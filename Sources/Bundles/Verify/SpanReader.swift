import Glibc
import SystemPackage

/// Reads spans, wherever their bytes lie. One a thread.
struct SpanReader: ~Copyable {
    private let pieces: (BundleDescription.File) -> [Piece]
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileHash.step, alignment: 64)
    /// Spent in reading, and with what was read.
    private(set) var reading: Duration = .zero
    private(set) var working: Duration = .zero

    /// - Parameter pieces: Where a file's bytes lie.
    init(_ pieces: @escaping (BundleDescription.File) -> [Piece]) { self.pieces = pieces }

    deinit { buffer.deallocate() }

    enum Answer: Hashable, Sendable {
        case whole
        /// The file ends before.
        case short
        case unreadable(at: FilePath, why: Errno)
    }

    /// Hands over the span's bytes in their order.
    mutating func read(_ span: Span, _ take: (UnsafeRawBufferPointer) -> Void) -> Answer {
        var offset = span.bytes.lowerBound
        for piece in pieces(span.file) where piece.offset <= offset && offset < max(piece.end, 1) {
            do {
                let file = try FileDescriptor.open(piece.file, .readOnly, options: [.closeOnExec])
                defer { try? file.close() }
                let end = min(piece.end, span.bytes.upperBound)
                while offset < end {
                    let began = ContinuousClock.now
                    let wanted = UnsafeMutableRawBufferPointer(
                        rebasing: buffer[..<min(buffer.count, Int(end - offset))])
                    let count = try file.read(fromAbsoluteOffset: offset - piece.offset, into: wanted)
                    let isRead = ContinuousClock.now
                    if count == 0 { return .short }
                    take(UnsafeRawBufferPointer(rebasing: wanted[..<count]))
                    offset += Int64(count)
                    reading += began.duration(to: isRead)
                    working += isRead.duration(to: .now)
                }
            } catch {
                return .unreadable(at: piece.file, why: error as? Errno ?? .ioError)
            }
        }
        return offset == span.bytes.upperBound ? .whole : .short
    }

    /// Whether the span's bytes are what they should be.
    mutating func prove(_ span: Span) -> (answer: Answer, isGood: Bool) {
        var hash = ChainedHash(from: span.before, after: span.bytes.lowerBound)
        let answer = read(span) { hash.update($0) }
        return (answer, answer == .whole && span.proves(hash))
    }

    /// The span's bytes, if they are what they should be.
    mutating func proved(_ span: Span) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(span.bytes.count)
        var hash = ChainedHash(from: span.before, after: span.bytes.lowerBound)
        let answer = read(span) {
            hash.update($0)
            bytes += $0
        }
        return answer == .whole && span.proves(hash) ? bytes : nil
    }

    /// Has the system read the span's bytes while others are hashed.
    func announce(_ span: Span) {
        for piece in pieces(span.file)
        where piece.offset <= span.bytes.lowerBound && span.bytes.lowerBound < piece.end {
            guard let file = try? FileDescriptor.open(piece.file, .readOnly, options: [.closeOnExec]) else { return }
            posix_fadvise(
                file.rawValue, Int(span.bytes.lowerBound - piece.offset), span.bytes.count, POSIX_FADV_WILLNEED)
            try? file.close()
        }
    }
}
