package import SystemPackage

/// What a client has to show.
package enum Tokens {
    package static func read(_ path: FilePath) throws(FileFault) -> String {
        let text = String(decoding: try FileFault.contents(of: path), as: UTF8.self)
        let token = text.filter { !$0.isWhitespace }
        guard !token.isEmpty else { throw FileFault("\(path) has no token in it") }
        return token
    }
}

/// A file that the agent was told to read, and could not.
package struct FileFault: Error, Hashable, CustomStringConvertible {
    package var description: String
    init(_ description: String) { self.description = description }

    static func contents(of path: FilePath) throws(FileFault) -> [UInt8] {
        do {
            guard let bytes = try Disk.contents(of: path) else { throw FileFault("there is no \(path)") }
            return bytes
        } catch let error as FileFault {
            throw error
        } catch {
            throw FileFault("could not read \(path): \(error)")
        }
    }
}

extension ClusterAccess {
    package init(at path: FilePath) throws(FileFault) {
        let bytes = try FileFault.contents(of: path)
        do { self = try JSONText.value(of: bytes) } catch {
            throw FileFault("\(path) is not as it should be: \(error)")
        }
    }
}
