import Glibc
package import Hosts
package import SystemPackage

/// A configuration on disk. It decides what root does, so it is read only
/// where nobody else can have written it.
package enum SettingsFile {
    /// Messages call the file as it is given; relative paths in it start at its folder.
    package static func load(
        _ path: FilePath, overrides: [String: String] = [:], owners: Set<UInt32> = trustedOwners
    ) throws(SettingsError) -> Settings {
        func refused(_ complaint: Settings.Complaint, line: Int? = nil) -> SettingsError {
            SettingsError([Fault(file: path.string, line: line, complaint.reason)])
        }
        let bytes: [UInt8]
        do throws(Settings.Complaint) {
            bytes = try GuardedFile(path: path, isSecret: false, owners: owners).read()
        } catch {
            throw refused(error)
        }
        if let zero = bytes.firstIndex(of: 0) {
            throw refused(.init("has a NUL byte in it: it is not a text"), line: line(of: zero, in: bytes))
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw refused(.init("is not UTF-8"), line: line(of: firstFault(in: bytes), in: bytes))
        }
        return try Settings(
            parsing: text, file: path.string, folder: workingDirectory.pushing(path).removingLastComponent(),
            overrides: overrides
        ) { path throws(Settings.Complaint) in try secret(in: path, owners: owners) }
    }

    /// Root, the caller, and whoever called through sudo, who may do all this without us.
    package static var trustedOwners: Set<UInt32> {
        var owners: Set<UInt32> = [0, geteuid()]
        if let text = getenv("SUDO_UID"), let user = UInt32(String(cString: text)) { owners.insert(user) }
        return owners
    }

    /// A secret that the command line names: in a file that nobody else can read, or behind a descriptor, /dev/fd/N.
    package static func secret(in path: FilePath) throws(SettingsError) -> Secret {
        do throws(Settings.Complaint) {
            return Secret(try secret(in: path, owners: trustedOwners) ?? "")
        } catch {
            throw SettingsError([Fault(file: path.string, error.reason)])
        }
    }

    /// A secret in a file of its own, without the newline that editors put behind it.
    private static func secret(in path: FilePath, owners: Set<UInt32>) throws(Settings.Complaint) -> String? {
        let bytes = try GuardedFile(path: path, isSecret: true, owners: owners).read()
        guard var text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw Settings.Complaint("\(path) is not a text")
        }
        while text.last?.isNewline ?? false { text.removeLast() }
        if text.isEmpty { throw Settings.Complaint("\(path) is empty") }
        return text
    }

    private static var workingDirectory: FilePath {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            guard let start = getcwd(buffer.baseAddress, buffer.count) else { return "/" }
            return FilePath(platformString: start)
        }
    }

    private static func line(of offset: Int, in bytes: [UInt8]) -> Int {
        bytes[..<offset].count { $0 == UInt8(ascii: "\n") } + 1
    }

    /// Where the bytes stop being UTF-8: repairing them puts a mark there that was not there.
    private static func firstFault(in bytes: [UInt8]) -> Int {
        zip(bytes.indices, String(decoding: bytes, as: UTF8.self).utf8).first { bytes[$0] != $1 }?.0 ?? bytes.count
    }
}

/// A file that is read only where it is safe to believe it.
private struct GuardedFile {
    var path: FilePath
    /// Nobody else may even read it.
    var isSecret: Bool
    var owners: Set<UInt32>
    private static let mostBytes = 1 << 20

    func read() throws(Settings.Complaint) -> [UInt8] {
        do {
            // Opened again, what a descriptor leads to would be read from its beginning, or not at all.
            if path.removingLastComponent() == "/dev/fd", let number = path.lastComponent.flatMap({ Int32($0.string) })
            {
                return try contents(of: FileDescriptor(rawValue: number))
            }
            // Without O_NONBLOCK a named pipe would hold us here for ever.
            let file = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
            return try file.closeAfter {
                try check(file.stat())
                return try contents(of: file)
            }
        } catch let error as Settings.Complaint {
            throw error
        } catch {
            throw Settings.Complaint("could not read \(path): \(error)" + remedy(for: error))
        }
    }

    /// What to do about it, where that is plain.
    private func remedy(for error: any Error) -> String {
        switch error as? Errno {
        case .noSuchFileOrDirectory: "; write it, or name another"
        case .permissionDenied: "; run this with sudo"
        default: ""
        }
    }

    private func check(_ found: Stat) throws(Settings.Complaint) {
        if found.type == .directory { throw Settings.Complaint("\(path) is a directory; name the file in it") }
        guard found.type == .regular else { throw Settings.Complaint("\(path) is not a regular file") }
        guard owners.contains(found.userID.rawValue) else {
            throw Settings.Complaint(
                "\(path) belongs to user \(found.userID.rawValue), who could change what root does; "
                    + "look through it and run: chown root \(path)")
        }
        if isSecret, !found.permissions.isDisjoint(with: [.groupReadWriteExecute, .otherReadWriteExecute]) {
            throw Settings.Complaint("others can read \(path); run: chmod 600 \(path)")
        }
        if !found.permissions.isDisjoint(with: [.groupWrite, .otherWrite]) {
            throw Settings.Complaint("others can write \(path); look through it and run: chmod go-w \(path)")
        }
        guard found.size <= Self.mostBytes else { throw tooLarge }
    }

    private func contents(of file: FileDescriptor) throws -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = try piece.withUnsafeMutableBytes { try file.read(into: $0) }
            if count == 0 { return bytes }
            bytes += piece[..<count]
            // It may have grown since it was looked at.
            if bytes.count > Self.mostBytes { throw tooLarge }
        }
    }

    private var tooLarge: Settings.Complaint { .init("\(path) is larger than 1 MiB: it is no configuration") }
}
