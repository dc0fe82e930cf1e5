import NIOCore

/// Stands before the decoder, which keeps silent about bytes that make up no field: padding, chunk
/// extensions, an unfinished head. It tells the connection that and when bytes came, and lets none through
/// any more once the connection is ending. What follows a request for a WebSocket is not for the decoder.
final class ByteMeter: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: GatewayConnection

    init(_ connection: GatewayConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if connection.isWebSocket { return connection.said(unwrapInboundIn(data)) }
        guard connection.bytesArrived(unwrapInboundIn(data).readableBytes) else { return }
        context.fireChannelRead(data)
    }
}
