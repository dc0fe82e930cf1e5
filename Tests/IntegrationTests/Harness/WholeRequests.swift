import NIOCore
import NIOHTTP1

/// A request of which all has come.
struct WholeRequest: Sendable {
    let head: HTTPRequestHead
    let body: ByteBuffer
}

/// Puts the requests of a connection together, for services whose bodies are short.
final class WholeRequests: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = WholeRequest

    private var head: HTTPRequestHead?
    private var body = ByteBuffer()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ByteBuffer()
        case .body(var piece): body.writeBuffer(&piece)
        case .end:
            guard let head else { return }
            context.fireChannelRead(wrapInboundOut(WholeRequest(head: head, body: body)))
        }
    }
}
