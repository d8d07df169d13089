extension Containerd {
    /// The names of all that is unpacked.
    package func snapshots(of snapshotter: String) async throws(ContainerdError) -> [String] {
        let answers = try await channel.call(
            "containerd.services.snapshots.v1.Snapshots/List", .text(1, snapshotter))
        return try reading("Snapshots/List") { () throws(WireError) in
            var names: [String] = []
            for answer in answers {
                for info in try answer.messages(1) where info.number(3) == Self.committed { names.append(info.text(1)) }
            }
            return names
        }
    }

    /// What the kubelet's side of this containerd (CRI) unpacks images with. Nil where it does not say: it is turned off,
    /// or still starting.
    package func kubeletsSnapshotter() async throws(ContainerdError) -> String? {
        guard let answer = try? await channel.call("runtime.v1.ImageService/ImageFsInfo", WireMessage()).first else {
            return nil
        }
        // It tells the folder, which is the plugin's: io.containerd.snapshotter.v1.NAME.
        return try reading("ImageService/ImageFsInfo") { () throws(WireError) in
            guard let folder = try answer.messages(1).first?.message(2).text(1) else { return nil }
            let name = folder.split(separator: "/").last ?? ""
            return name.hasPrefix(Self.plugin) ? String(name.dropFirst(Self.plugin.count)) : nil
        }
    }

    private static let plugin = "io.containerd.snapshotter.v1."

    /// The snapshotters that there are, each with the reason why it does not work; nil for one that does.
    package func snapshotters() async throws(ContainerdError) -> [String: String?] {
        let request = WireMessage.text(1, "type==" + Self.plugin.dropLast())
        let answer = try await ask("introspection.v1.Introspection/Plugins", request)
        return try reading("Introspection/Plugins") { () throws(WireError) in
            var found: [String: String?] = [:]
            for plugin in try answer.messages(1) {
                found.updateValue(try plugin.messages(7).first?.text(2), forKey: plugin.text(2))
            }
            return found
        }
    }

    /// Snapshots' `Kind`.
    private static let committed: Int64 = 3

    /// A layer to be unpacked.
    package struct Unpacking: Sendable {
        package var snapshotter: String
        package var layer: Descriptor
        /// The digest of the plain tar.
        package var difference: String
        /// The name that the result gets: the chain id.
        package var name: String
        /// The chain id of what it lies on; empty for the lowest.
        package var parent: String

        package init(snapshotter: String, layer: Descriptor, difference: String, name: String, parent: String) {
            (self.snapshotter, self.layer, self.difference) = (snapshotter, layer, difference)
            (self.name, self.parent) = (name, parent)
        }
    }

    /// Unpacks one layer onto its parent, which is there. Where somebody else was faster, that is fine.
    /// `limit` is for the unpacking itself.
    package func unpack(_ unpacking: Unpacking, within limit: Duration) async throws(ContainerdError) {
        // Spelled as containerd's own client spells it; the number keeps two of them apart.
        let key = "extract-\(UInt64.random(in: 0 ... .max)) \(unpacking.name)"
        var prepare = snapshot(unpacking, 2, key)
        prepare.set(3, unpacking.parent)
        let prepared = try await ask("snapshots.v1.Snapshots/Prepare", prepare)
        do throws(ContainerdError) {
            var apply = WireMessage()
            apply.add(1, unpacking.layer.message)
            for mount in try reading("Snapshots/Prepare", { () throws(WireError) in try prepared.messages(1) }) {
                apply.add(2, mount)
            }
            let applied = try await ask("diff.v1.Diff/Apply", apply, within: limit)
            let found = try reading("Diff/Apply") { () throws(WireError) in try Descriptor(applied.message(1)).digest }
            guard found == unpacking.difference else {
                throw ContainerdError(
                    "Diff/Apply",
                    "the layer \(unpacking.layer.digest) unpacks to \(found), "
                        + "and the image's config names \(unpacking.difference)", code: .failedPrecondition)
            }
            var commit = snapshot(unpacking, 2, unpacking.name)
            commit.set(3, key)
            _ = try await ask("snapshots.v1.Snapshots/Commit", commit)
        } catch {
            // Where this fails too, the lease's end clears it away; the first error is the one to tell.
            _ = try? await ask("snapshots.v1.Snapshots/Remove", snapshot(unpacking, 2, key))
            guard error.code == .alreadyExists else { throw error }
        }
    }

    private func snapshot(_ unpacking: Unpacking, _ field: Int, _ name: String) -> WireMessage {
        var message = WireMessage.text(1, unpacking.snapshotter)
        message.set(field, name)
        return message
    }
}
