package import Hosts
import Images
package import SystemPackage

/// A line to another machine: all that can be done there, and its sockets brought here.
package protocol NodeConnection: Transport {
    /// A Unix socket on this machine that leads to that one of the other, until the line is closed.
    func forward(_ socket: FilePath) async throws(TransportError) -> FilePath
    func close() async
}

/// The images of a node at the other end of a line. Its containerd may come only while we work: its socket is brought
/// here when it is first needed.
actor RemoteImages: ImageStore {
    private let name: String
    private let connection: any NodeConnection
    private let socket: FilePath
    private var store: ContainerdStore?

    init(on name: String, over connection: any NodeConnection, at socket: FilePath) {
        (self.name, self.connection, self.socket) = (name, connection, socket)
    }

    func holdings() async throws -> Holdings { try await opened().holdings() }

    func load(_ loads: [ImageLoad], _ listener: LoadListener) async throws -> Effort {
        try await opened().load(loads, listener)
    }

    func damages(in blobs: [Blob]) async throws -> [String] { try await opened().damages(in: blobs) }
    func used() async throws -> Set<String> { try await opened().used() }
    func remove(_ names: [String]) async throws { try await opened().remove(names) }

    private func opened() async throws -> ContainerdStore {
        if let store { return store }
        let opened = ContainerdStore(on: name, at: try await connection.forward(socket))
        store = opened
        return opened
    }
}

extension SSHTransport: NodeConnection {}
