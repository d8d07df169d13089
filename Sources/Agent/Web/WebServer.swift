package import NIOCore
import NIOHTTP1
import NIOPosix
import SystemPackage

/// A small HTTP server for answers that are at hand: each is made on the thread that read the request.
package struct WebServer: Sendable {
    package typealias Answering = @Sendable (WebRequest) -> WebAnswer

    /// More than a Prometheus, a portal and some people at terminals ever need.
    static let mostConnections = 64
    /// A client that says nothing for so long is gone.
    static let idleLimit = TimeAmount.seconds(75)

    private let channels: [any Channel]

    /// The ports it listens on, in the order in which they were asked for.
    package var ports: [Int] { channels.compactMap(\.localAddress?.port) }

    /// Listens on all of the addresses, or on none.
    package static func listening(
        on addresses: [ListenAddress], group: any EventLoopGroup, answer: @escaping Answering
    ) async throws(WebError) -> WebServer {
        let guests = Guests(most: mostConnections)
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try guests.admit(channel)
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: idleLimit))
                    try pipeline.configureHTTPServerPipeline(withErrorHandling: true)
                    try pipeline.addHandler(WebConversation(answer))
                }
            }
        var channels: [any Channel] = []
        for address in addresses {
            do {
                channels.append(try await bootstrap.bind(host: address.host, port: address.port).get())
            } catch {
                for channel in channels { try? await channel.close() }
                let reason = (error as? IOError).map { Errno(rawValue: $0.errnoCode).description }
                throw WebError("could not listen on \(address): \(reason ?? "\(error)")")
            }
        }
        return WebServer(channels: channels)
    }

    /// Answers until the task is cancelled, which closes the sockets.
    package func serve() async throws {
        try await withTaskCancellationHandler {
            for channel in channels { try await channel.closeFuture.get() }
        } onCancel: {
            for channel in channels { channel.close(promise: nil) }
        }
    }
}

/// "10.0.0.7:9450", "[::1]:9450"
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init?(_ text: String) {
        guard let cut = text.lastIndex(of: ":"), let port = Int(text[text.index(after: cut)...]),
            (0...65535).contains(port)
        else { return nil }
        let host = text[..<cut]
        let isIPv6 = host.hasPrefix("[") && host.hasSuffix("]")
        guard !host.isEmpty, isIPv6 || !host.contains(":") else { return nil }
        self.host = isIPv6 ? String(host.dropFirst().dropLast()) : String(host)
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
