package import SystemPackage

/// A setting of the kernel, such as "net.ipv4.ip_forward"; nil where this kernel has none of that name.
package struct Sysctl: FileFact {
    package var key: String
    package init(_ key: String) { self.key = key }

    /// As sysctl(8) has it: a dot parts the words, and a slash stands for the dot in an interface's name.
    package var path: FilePath {
        FilePath("/proc/sys/" + String(key.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 }))
    }

    package func value(of contents: String?) throws(FactError) -> String? {
        contents.map { $0.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
    }
}
