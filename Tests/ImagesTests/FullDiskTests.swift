import Hosts
import SystemPackage
import TestSupport
import Testing

@testable import Images

/// A containerd whose disk is small.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FullDiskTests {
    /// Runs with a file system of so many MiB below the containerd; whoever mounts may also grow it.
    private func with(
        mebibytes: Int, _ body: (PrivateContainerd, (Int) async throws -> Void) async throws -> Void
    ) async throws {
        guard try await PrivateContainerd.isPossible() else {
            return try missing("\(PrivateContainerd.needs) are needed")
        }
        try await Folder.with { folder in
            let transport = LocalTransport()
            func mount(_ size: Int, _ more: String) async throws -> Outcome {
                try await transport.run(
                    ["mount", "-t", "tmpfs", "-o", "size=\(size)m,mode=700\(more)", "tmpfs", folder.path.string])
            }
            let mounted = try await mount(mebibytes, "")
            guard mounted.status == 0 else { return try missing("mount is needed: \(mounted.errors)") }
            let result: Result<Void, any Error>
            do {
                let containerd = PrivateContainerd(in: folder.path)
                try await containerd.run {
                    try await body(containerd) { size in
                        let grown = try await mount(size, ",remount")
                        try #require(grown.status == 0, "\(grown)")
                    }
                }
                result = .success(())
            } catch {
                result = .failure(error)
            }
            // Lazily: what containerd had mounted may go a moment after it.
            let unmounted = try await transport.run(["umount", "--lazy", folder.path.string])
            #expect(unmounted.status == 0, "\(unmounted)")
            try result.get()
        }
    }

    /// The archives lie elsewhere: a stick is never full by reading.
    private func images(in folder: Folder) throws -> [ArchivedImage] {
        var (one, two) = (Sample.large, Sample.large)
        (one.name, two.name) = ("docker.io/library/one:1", "docker.io/library/two:1")
        two.layers[1] = Tar(members: [.file("other", Array(one.layers[1].reversed()))]).bytes
        _ = try (folder.write("one.tar", one.oci), folder.write("two.tar", two.oci))
        return try folder.shelf(folder.path.appending("one.tar"), folder.path.appending("two.tar")).images()
    }

    /// Each image has 12 MiB of blobs and 12 MiB unpacked; the second shares half of it.
    @Test(arguments: [6, 10, 18, 22]) func itsEndNamesTheImageAndLosesNothing(mebibytes: Int) async throws {
        try await Folder.with { folder in
            let images = try images(in: folder)
            try await with(mebibytes: mebibytes) { containerd, grow in
                let loads = images.compactMap { Holdings().lacks($0) }
                let error = await #expect(throws: ImageError.self) {
                    _ = try await containerd.store.load(loads, LoadListener())
                }
                let words = error?.description ?? ""
                #expect(words.contains("no space left on device"), "\(words)")
                #expect(words.hasSuffix("; free some there, and run the same command again"), "\(words)")
                #expect(words.contains(#/sha256:[0-9a-f]{64} of docker.io/library/(one|two):1 on here: /#), "\(words)")
                // What is named is whole, and what was committed stays.
                let between = try await containerd.store.holdings()
                for image in images where between.records[image.names[0].description] != nil {
                    #expect(between.lacks(image) == nil)
                }
                try await grow(200)
                let rest = images.compactMap { between.lacks($0) }
                let effort = try await containerd.store.load(rest, LoadListener())
                #expect(effort.bytes <= Set(rest.flatMap(\.missing)).reduce(0) { $0 + $1.size })
                let after = try await containerd.store.holdings()
                #expect(images.allSatisfy { after.lacks($0) == nil })
            }
        }
    }
}
