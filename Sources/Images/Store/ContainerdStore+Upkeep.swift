import Containerd
import Crypto
import Synchronization

extension ContainerdStore {
    package func damages(in blobs: [Blob]) async throws -> [String] {
        var damages: [String] = []
        for blob in blobs {
            let hash = Mutex(SHA256())
            do throws(ContainerdError) {
                try await containerd.read(blob.digest.description) { bytes in
                    hash.withLock { $0.update(data: bytes) }
                }
                let found = Digest(hash.withLock { $0.finalize() })
                if found != blob.digest { damages.append("\(blob.digest) is damaged") }
            } catch {
                // What the disk does not give is damage, too, and the other blobs are still to be read.
                damages.append("\(blob.digest) cannot be read: \(error.reason)")
            }
        }
        return damages
    }

    package func used() async throws -> Set<String> {
        do {
            return try await containerd.usedImages()
        } catch {
            throw said("ask for the containers of", error)
        }
    }

    package func remove(_ names: [String]) async throws {
        do {
            for (number, name) in names.enumerated() {
                // Once is enough, and only after the last name its content is nobody's.
                try await containerd.remove(name, clearing: number == names.count - 1)
            }
        } catch {
            throw said("remove images of", error)
        }
    }
}
