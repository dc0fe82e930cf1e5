import NIOCore

/// Stands before the decoder: writes requests round it, and sees bytes that come unasked.
final class ResourceWire: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var context: ChannelHandlerContext?
    private var isFlushDue = false
    /// Set before the channel reads, nil once it is gone.
    var connection: ResourceConnection?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        connection = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard connection?.bytesArrived(unwrapInboundIn(data).readableBytes) == true else { return }
        context.fireChannelRead(data)
    }

    /// Behind the decoder's removal, where both ends speak WebSocket: at the end of input the decoder would
    /// drop what came with the head.
    func channelInactive(context: ChannelHandlerContext) {
        guard connection?.isSwitched == true else { return context.fireChannelInactive() }
        context.eventLoop.assumeIsolated().execute { context.fireChannelInactive() }
    }

    /// Writes at the end of this turn of the loop, in one system call with all else of the turn.
    func gather(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>? = nil) {
        guard let context else { return }
        context.write(wrapOutboundOut(bytes), promise: promise)
        guard !isFlushDue else { return }
        isFlushDue = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushDue = false
            self.context?.flush()
        }
    }

    /// Says no more, behind all that was gathered.
    func end() {
        guard let context else { return }
        context.flush()
        context.close(mode: .output, promise: nil)
    }

    /// As `gather`, and says when the kernel has all of it.
    func gather(_ bytes: ByteBuffer, whenWritten: @escaping () -> Void) {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess(whenWritten)
        gather(bytes, promise: promise)
    }

    /// Writes head and body, and says when the kernel has all of it.
    func write(_ head: ByteBuffer, _ body: ByteBuffer, whenWritten: @escaping () -> Void) {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess(whenWritten)
        if body.readableBytes > 0 {
            context.write(wrapOutboundOut(head), promise: nil)
            context.writeAndFlush(wrapOutboundOut(body), promise: promise)
        } else {
            context.writeAndFlush(wrapOutboundOut(head), promise: promise)
        }
    }
}

/// Stands where the decoder stood once both ends speak WebSocket.
final class ResourceTunnel: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let connection: ResourceConnection

    init(_ connection: ResourceConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { connection.said(unwrapInboundIn(data)) }
}
