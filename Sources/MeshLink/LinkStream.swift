import MeshBase
import NIOCore

/// One end of one stream. Every verb may be called from any thread; on the connection's event loop it takes
/// effect at once, elsewhere it hops there, in order. After the stream is over all of them do nothing.
///
/// What is written in one tick of the event loop leaves in one flush with that of all other streams.
public final class LinkStream: Sendable {
    /// The loop on which the observer is called.
    public let eventLoop: any EventLoop
    private let connection: NIOLoopBound<LinkConnection>
    /// 0 until it is opened.
    private let number: NIOLoopBoundBox<UInt32>

    init(on connection: NIOLoopBound<LinkConnection>, number: UInt32 = 0) {
        eventLoop = connection.eventLoop
        self.connection = connection
        self.number = NIOLoopBoundBox.makeBoxSendingValue(number, eventLoop: connection.eventLoop)
    }

    /// Sends the answer's head, on a stream that the peer opened: once, before data and end.
    public func answer(head: ByteBuffer) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.answer(head: head) } }
        connection.value.answer(number.value, head: head)
    }

    /// Sends a piece of the body. Empty pieces are nothing.
    /// - Returns: whether to go on; from another thread always `.full`, and `.writable` follows.
    @discardableResult
    public func write(_ data: ByteBuffer) -> StreamRoom {
        guard eventLoop.inEventLoop else {
            eventLoop.execute {
                let (connection, number) = (self.connection.value, self.number.value)
                if connection.write(number, data) == .open { connection.awaitRoom(number) }
            }
            return .full
        }
        return connection.value.write(number.value, data)
    }

    /// Sends no more, after what was written.
    public func end(trailers: ByteBuffer = ByteBuffer()) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.end(trailers: trailers) } }
        connection.value.end(number.value, trailers: trailers)
    }

    /// Ends the stream in both directions; what was written and has not left is dropped. No event follows.
    public func reset(_ code: RefusalCode) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.reset(code) } }
        connection.value.reset(number.value, code)
    }

    /// Gives credit back for `bytes` of data that were passed on: this is the backpressure.
    public func consumed(_ bytes: Int) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.consumed(bytes) } }
        connection.value.consumed(number.value, bytes)
    }

    /// The connection opened it under this number.
    func opened(as number: UInt32) { self.number.value = number }
}
