import NIOCore
import NIOHTTP1

/// One connection: requests come one after the other, and each is answered whole.
final class WebConversation: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: WebServer.Answering
    private var head: HTTPRequestHead?

    init(_ answer: @escaping WebServer.Answering) { self.answer = answer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): self.head = head
        // Nobody has a body to send here. One that does is not read to its end.
        case .body: refuse(context)
        case .end:
            guard let head else { return }
            self.head = nil
            let isHead = head.method == .HEAD
            guard isHead || head.method == .GET else {
                return send(WebAnswer(405, "only GET and HEAD"), headers: ["allow": "GET, HEAD"], to: head, context)
            }
            send(answer(WebRequest(head)), withBody: !isHead, to: head, context)
        }
    }

    private func refuse(_ context: ChannelHandlerContext) {
        guard var head else { return }
        self.head = nil
        head.headers.replaceOrAdd(name: "connection", value: "close")
        send(WebAnswer(413, "a request has no body here"), to: head, context)
    }

    private func send(
        _ answer: WebAnswer, headers: HTTPHeaders = [:], withBody: Bool = true, to request: HTTPRequestHead,
        _ context: ChannelHandlerContext
    ) {
        var head = HTTPResponseHead(
            version: request.version, status: .init(statusCode: answer.status), headers: headers)
        head.headers.add(name: "content-type", value: answer.type)
        head.headers.add(name: "content-length", value: "\(answer.body.count)")
        head.headers.add(name: "cache-control", value: "no-store")
        if answer.status == 401 { head.headers.add(name: "www-authenticate", value: "Bearer") }
        if !request.isKeepAlive { head.headers.add(name: "connection", value: "close") }
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        if withBody {
            let body = context.channel.allocator.buffer(bytes: answer.body)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        let sent = context.writeAndFlush(Self.wrapOutboundOut(.end(nil)))
        guard !request.isKeepAlive else { return }
        let channel = context.channel
        sent.whenComplete { _ in channel.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
