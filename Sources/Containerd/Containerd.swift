package import SystemPackage

/// containerd's own API, as far as images need it: the services that 1.6, 1.7 and 2.x have alike.
package struct Containerd: Sendable {
    package let socket: FilePath
    private let namespace: String
    /// What is made under a lease stays until the lease ends, whether anything refers to it or not.
    package var lease: String?

    package init(at socket: FilePath, namespace: String = "k8s.io") {
        (self.socket, self.namespace) = (socket, namespace)
    }

    var channel: Channel {
        var headers = ["containerd-namespace": namespace]
        headers["containerd-lease"] = lease
        return Channel(to: socket, headers: headers)
    }

    /// The one answer of a call that has one.
    func ask(
        _ method: String, _ request: WireMessage, within limit: Duration = .seconds(60)
    ) async throws(ContainerdError) -> WireMessage {
        try await channel.call("containerd.services." + method, request, within: limit).first ?? WireMessage()
    }

    /// Reads the answers; what is not as it should be is an error of the call.
    func reading<Value>(_ method: String, _ body: () throws(WireError) -> Value) throws(ContainerdError) -> Value {
        do {
            return try body()
        } catch {
            throw ContainerdError(method, "it sent what is no message: \(error)")
        }
    }
}

extension Containerd {
    /// What a name or a layer means.
    package struct Descriptor: Hashable, Sendable {
        package var mediaType: String
        package var digest: String
        /// In bytes.
        package var size: Int64

        package init(mediaType: String, digest: String, size: Int64) {
            (self.mediaType, self.digest, self.size) = (mediaType, digest, size)
        }

        init(_ message: WireMessage) {
            self.init(mediaType: message.text(1), digest: message.text(2), size: message.number(3))
        }

        var message: WireMessage {
            var message = WireMessage()
            message.set(1, mediaType)
            message.set(2, digest)
            message.set(3, size)
            return message
        }
    }
}

extension WireMessage {
    /// A field mask: the names of the fields that an update is about.
    static func mask(_ paths: [String]) -> WireMessage {
        var mask = WireMessage()
        for path in paths { mask.add(1, path) }
        return mask
    }

    static func text(_ field: Int, _ text: String) -> WireMessage {
        var message = WireMessage()
        message.set(field, text)
        return message
    }
}
