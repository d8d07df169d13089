package import NIOCore
package import NIOHTTP1
import NIOPosix
import NIOSSL

/// One request, one connection: to the API server, to the kubelet, to the agent itself.
package struct WebClient: Sendable {
    package struct Call: Sendable {
        package var method = HTTPMethod.GET
        package var host: String
        package var port: Int
        package var path: String
        package var token: String?
        package var type: String?
        package var body: [UInt8] = []

        package init(host: String, port: Int, path: String) { (self.host, self.port, self.path) = (host, port, path) }
    }

    /// An answer longer than this is none of ours.
    static let mostBytes = 16 << 20

    private let group: any EventLoopGroup
    private let trust: NIOSSLContext?

    /// With the certificates of an authority it speaks TLS, and trusts them alone.
    package init(group: any EventLoopGroup, authority: [UInt8]? = nil) throws(WebError) {
        self.group = group
        do {
            trust = try authority.map { pem in
                var configuration = TLSConfiguration.makeClientConfiguration()
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(pem))
                return try NIOSSLContext(configuration: configuration)
            }
        } catch {
            throw WebError("the certificate of the API server's authority cannot be used: \(error)")
        }
    }

    package func send(_ call: Call, within limit: Duration) async throws(WebError) -> WebAnswer {
        let limit = TimeAmount(limit)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(limit)
        do {
            let answer = try await bootstrap.connect(host: call.host, port: call.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    // Without a name it is the address that the certificate has to have.
                    if let trust {
                        try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: call.name))
                    }
                    try pipeline.addHTTPClientHandlers()
                    let promise = channel.eventLoop.makePromise(of: WebAnswer.self)
                    try pipeline.addHandler(WebExchange(call, promise))
                    let timer = channel.eventLoop.scheduleTask(in: limit) {
                        promise.fail(WebError("no answer in time"))
                    }
                    promise.futureResult.whenComplete { _ in
                        timer.cancel()
                        channel.close(promise: nil)
                    }
                    return promise.futureResult
                }
            }
            return try await answer.get()
        } catch {
            throw WebError("\(call.method) \(call.host):\(call.port)\(call.path): \(error)")
        }
    }
}

extension WebClient.Call {
    /// The server's name, where it is one: TLS names no addresses.
    var name: String? { (try? SocketAddress(ipAddress: host, port: port)) == nil ? host : nil }
}

/// Sends the call when the connection stands, gathers what comes, and keeps the promise.
private final class WebExchange: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let call: WebClient.Call
    private let promise: EventLoopPromise<WebAnswer>
    private var answer = WebAnswer(0, [])

    init(_ call: WebClient.Call, _ promise: EventLoopPromise<WebAnswer>) { (self.call, self.promise) = (call, promise) }

    func channelActive(context: ChannelHandlerContext) {
        var head = HTTPRequestHead(version: .http1_1, method: call.method, uri: call.path)
        head.headers.add(name: "host", value: "\(call.host):\(call.port)")
        head.headers.add(name: "connection", value: "close")
        if let token = call.token { head.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let type = call.type {
            head.headers.add(name: "content-type", value: type)
            head.headers.add(name: "content-length", value: "\(call.body.count)")
        }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if !call.body.isEmpty {
            let body = context.channel.allocator.buffer(bytes: call.body)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): answer.status = Int(head.status.code)
        case .body(let bytes):
            answer.body += bytes.readableBytesView
            if answer.body.count > WebClient.mostBytes { promise.fail(WebError("its answer has no end")) }
        case .end: promise.succeed(answer)
        }
    }

    /// Comes last, also where no connection came about; a promise that was kept stays so.
    func handlerRemoved(context: ChannelHandlerContext) { promise.fail(WebError("it closed the connection")) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}
