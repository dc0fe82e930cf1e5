import MeshBase
import MeshWire
import NIOCore

/// One stream of a multiplexer, and no other's: an object, so that a look at one field does not copy the
/// bytes' holders in all of them.
final class MultiplexedStream<Observer> {
    /// How far one direction is.
    enum Direction { case headless, open, ended }

    /// Who is told; nil only between `.opened` and `seat`.
    var observer: Observer?
    /// What this node sends.
    var here = Direction.headless
    /// What the peer sends.
    var there: Direction
    /// An open frame that waits to be sent.
    var head: ByteBuffer?
    /// Data that waits to be sent.
    var outgoing = OutgoingBytes()
    /// An end frame that waits to be sent.
    var trailers: ByteBuffer?
    var sending = SendingWindow(size: Limits.streamWindow)
    var receiving = ReceivingWindow(size: Limits.streamWindow)
    /// Stands in the ring, or in the list of those that wait for the link's credit.
    var isReady = false
    /// Its writer was told to wait.
    var awaitsRoom = false

    init(observer: Observer?, head: ByteBuffer?, there: Direction) {
        self.observer = observer
        self.head = head
        self.there = there
    }

    /// Whether it should be given a turn: it has a frame that its own state and credit allow.
    var wantsTurn: Bool { !isReady && hasFrame }

    /// Whether a frame could leave as far as this stream is concerned.
    var hasFrame: Bool {
        switch here {
        case .headless: head != nil
        case .open: outgoing.count > 0 ? sending.credit > 0 : trailers != nil
        case .ended: false
        }
    }
}

extension MultiplexedStream {
    /// What came of a turn.
    enum Turn {
        case sent(dataBytes: Int)
        case nothing
        case blockedByLink
    }

    /// Writes this stream's next frame, if its state and both credits allow one.
    func sendOne(_ number: UInt32, linkCredit: Int, into batch: inout ByteBuffer) -> Turn {
        switch here {
        case .headless:
            guard let open = head.take() else { return .nothing }
            let isLast = outgoing.count == 0 && trailers?.readableBytes == 0
            here = isLast ? .ended : .open
            write(.open, open, number, isLast: isLast, into: &batch)
            return .sent(dataBytes: 0)
        case .open where outgoing.count > 0:
            let allowed = min(outgoing.count, sending.credit, StreamMultiplexer<Observer>.dataPayload)
            guard allowed > 0 else { return .nothing }
            let length = min(allowed, linkCredit)
            guard length > 0 else { return .blockedByLink }
            let isLast = outgoing.count == length && trailers?.readableBytes == 0
            if isLast { here = .ended }
            batch.write(FrameHeader(.data, payloadLength: length, endsStream: isLast, stream: number))
            outgoing.take(length, into: &batch)
            sending.spend(length)
            return .sent(dataBytes: length)
        case .open:
            guard let trailers = trailers.take() else { return .nothing }
            here = .ended
            write(.end, trailers, number, isLast: true, into: &batch)
            return .sent(dataBytes: 0)
        case .ended: return .nothing
        }
    }

    private func write(
        _ kind: FrameKind, _ payload: ByteBuffer, _ number: UInt32, isLast: Bool, into batch: inout ByteBuffer
    ) {
        batch.write(
            FrameHeader(kind, payloadLength: payload.readableBytes, endsStream: isLast, stream: number))
        batch.writeImmutableBuffer(payload)
    }
}
