import CArchive
package import SystemPackage

/// What a .deb says of itself: an ar archive with a control.tar in it (deb(5)), whose file `control` has the fields.
package struct DebianPackage: Hashable, Sendable {
    package let path: FilePath
    /// "Package", "Depends" and so on, as they are spelled; a value of several lines is one.
    package let fields: [String: String]

    package init(reading path: FilePath) throws(ImageError) {
        self.path = path
        let file = ReadHandle()
        archive_read_support_format_ar(file.raw)
        let opened = path.withPlatformString { archive_read_open_filename(file.raw, $0, 1 << 16) }
        let control = try opened == ARCHIVE_OK ? Self.member(of: file, path) { $0.hasPrefix("control.tar") } : nil
        guard let control else { throw Self.error(path, "it is no Debian package") }

        let inner = ReadHandle()
        archive_read_support_filter_gzip(inner.raw)
        archive_read_support_filter_xz(inner.raw)
        archive_read_support_filter_zstd(inner.raw)
        archive_read_support_format_tar(inner.raw)
        // libarchive reads from where the bytes lie: they have to stay until it is done.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: control.count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyBytes(from: control)
        let begun = archive_read_open_memory(inner.raw, copy.baseAddress, copy.count)
        let text = try begun == ARCHIVE_OK ? Self.member(of: inner, path) { $0 == "control" || $0 == "./control" } : nil
        guard let text else { throw Self.error(path, "its control.tar has no readable 'control'") }
        fields = Self.fields(String(decoding: text, as: UTF8.self))
        for name in ["Package", "Version", "Architecture"] where fields[name]?.isEmpty != false {
            throw Self.error(path, "its control has no \(name)")
        }
    }

    package var name: String { fields["Package"] ?? "" }
    package var version: String { fields["Version"] ?? "" }
    package var architecture: String { fields["Architecture"] ?? "" }

    /// In bytes. Controls are some kilobytes, with all scripts beside them.
    private static let largest = 16 << 20

    private static func member(
        of handle: borrowing ReadHandle, _ path: FilePath, where matches: (String) -> Bool
    ) throws(ImageError) -> [UInt8]? {
        var entry: OpaquePointer?
        while archive_read_next_header(handle.raw, &entry) == ARCHIVE_OK {
            guard let name = archive_entry_pathname(entry), matches(String(cString: name)) else { continue }
            let size = Int(archive_entry_size(entry))
            guard (0...largest).contains(size) else { throw error(path, "its control has \(size) bytes") }
            let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = max(0, archive_read_data(handle.raw, buffer.baseAddress, size))
            }
            guard bytes.count == size else { throw error(path, "it ends early") }
            return bytes
        }
        return nil
    }

    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        var last = ""
        for line in text.split(whereSeparator: \.isNewline) {
            if line.first?.isWhitespace == true {
                fields[last, default: ""] += " " + line.drop { $0.isWhitespace }
            } else if let colon = line.firstIndex(of: ":") {
                last = String(line[..<colon])
                fields[last] = String(line[line.index(after: colon)...].drop { $0.isWhitespace })
            }
        }
        return fields
    }

    private static func error(_ path: FilePath, _ reason: String) -> ImageError {
        ImageError("read", path.string, "\(reason): fetch it again")
    }
}
