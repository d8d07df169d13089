import Dispatch
import Glibc
import SystemPackage

extension LocalTransport {
    /// Runs system calls that may wait for a disk off the few threads that all tasks share.
    func calling<Value: Sendable>(
        _ attempt: String, _ work: @escaping @Sendable () throws(Errno) -> Value
    ) async throws(TransportError) -> Value {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: Result(catching: work)) }
        }
        switch result {
        case .success(let value): return value
        case .failure(let errno): throw TransportError(name, attempt, "\(errno)")
        }
    }
}

/// An open file, closed once.
struct OpenFile: ~Copyable {
    let raw: Int32

    init(_ path: FilePath, _ flags: Int32, mode: mode_t = 0, in folder: Int32 = AT_FDCWD) throws(Errno) {
        raw = try system { path.withPlatformString { openat(folder, $0, flags | O_CLOEXEC, mode) } }
    }

    deinit { close(raw) }

    func synchronize() throws(Errno) { _ = try system { fsync(raw) } }

    func write(_ bytes: [UInt8]) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = try system { rest.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) } }
            rest = rest.dropFirst(written)
        }
    }

    /// To the end; files under /proc have no size to go by.
    func readAll(upTo largest: Int) throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try system { piece.withUnsafeMutableBytes { Glibc.read(raw, $0.baseAddress, $0.count) } }
            if count == 0 { return all }
            guard all.count + count <= largest else { throw .fileTooLarge }
            all += piece[..<count]
        }
    }
}

/// The call's answer, asked again where a signal came in between.
@discardableResult
func system<Answer: SignedInteger>(_ call: () -> Answer) throws(Errno) -> Answer {
    while true {
        let answer = call()
        if answer >= 0 { return answer }
        let code = errno
        if code != EINTR { throw Errno(rawValue: code) }
    }
}
