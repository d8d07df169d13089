import SystemPackage

/// NVIDIA's kernel module and its helper, as /proc shows them.
struct DriverModule {
    let proc: FilePath

    /// The loaded module's version; nil: none is loaded.
    var version: String? { SmallFile.text(proc.appending("driver/nvidia/version")).flatMap(Self.version) }

    /// Out of `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 …`, or, of the open one,
    /// `… NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build …`.
    static func version(in text: String) -> String? {
        let line = text.prefix { !$0.isNewline }
        guard line.hasPrefix("NVRM version:") else { return nil }
        return line.split(separator: " ").first { word in
            word.first?.isNumber == true && word.contains(".")
        }.map(String.init)
    }

    /// Whether the Fabric Manager runs, as a unit or in a container; the kernel keeps 15 characters of a name.
    var fabricManagerRuns: Bool {
        (SmallFile.names(in: proc) ?? []).contains { name in
            name.first?.isNumber == true
                && SmallFile.text(proc.appending(name).appending("comm")) == "nv-fabricmanage\n"
        }
    }
}
