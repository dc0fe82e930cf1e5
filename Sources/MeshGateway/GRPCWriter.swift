import NIOCore
import NIOHTTP2

/// A stream of HTTP/2 that gathers what it says in a turn of the loop, and flushes once.
protocol GRPCWriter: ChannelDuplexHandler where OutboundOut == HTTP2Frame.FramePayload {
    /// Nil before it is on its channel, and afterwards.
    var context: ChannelHandlerContext? { get }
    /// Whether this turn's flush is ordered.
    var isFlushDue: Bool { get set }
}

extension GRPCWriter {
    /// Writes at the end of this turn of the loop, with all else of the turn.
    func write(_ payload: HTTP2Frame.FramePayload, promise: EventLoopPromise<Void>? = nil) {
        guard let context else { return }
        context.write(wrapOutboundOut(payload), promise: promise)
        guard !isFlushDue else { return }
        isFlushDue = true
        context.eventLoop.assumeIsolated().execute {
            self.isFlushDue = false
            self.context?.flush()
        }
    }
}
