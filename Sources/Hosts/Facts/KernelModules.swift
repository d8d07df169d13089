package import SystemPackage

/// The modules that are loaded; none where the kernel was built without modules.
package struct LoadedModules: FileFact {
    package init() {}
    package var path: FilePath { "/proc/modules" }

    package func value(of contents: String?) throws(FactError) -> Set<String> {
        Set(
            (contents ?? "").split(whereSeparator: \.isNewline).compactMap {
                $0.split(separator: " ").first.map(String.init)
            })
    }
}

/// The modules that were built into a kernel, as its package lists them.
package struct BuiltInModules: FileFact {
    package var release: String
    package init(release: String) { self.release = release }
    package var path: FilePath { FilePath("/lib/modules").appending(release).appending("modules.builtin") }

    package func value(of contents: String?) throws(FactError) -> Set<String> {
        let files = (contents ?? "").split(whereSeparator: \.isNewline).compactMap { $0.split(separator: "/").last }
        return Set(files.map { String($0.prefix { $0 != "." }).moduleName })
    }
}

extension Host {
    /// Whether the kernel has what the module brings, loaded or built in.
    package func hasModule(_ module: String) async throws -> Bool {
        let name = module.moduleName
        // Built-in modules stand here too, if they have parameters.
        if try await transport.state(of: FilePath("/sys/module").appending(name)) != nil { return true }
        if try await learn(LoadedModules()).contains(name) { return true }
        guard let release = try await learn(Sysctl("kernel.osrelease")) else {
            throw FactError("the kernel does not tell its release")
        }
        return try await learn(BuiltInModules(release: release)).contains(name)
    }
}

extension String {
    /// The kernel takes `-` and `_` for the same, and itself says `_`.
    fileprivate var moduleName: String { String(map { $0 == "-" ? "_" : $0 }) }
}
