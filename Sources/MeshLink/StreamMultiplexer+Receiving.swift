import MeshBase
import MeshWire
import NIOCore

/// What a frame means to the owner of the multiplexer.
enum Arrival<Observer> {
    /// Nothing to be told: credit, or a late frame of a stream that is over.
    case nothing
    /// The peer opened a stream; it is to be seated or reset. `isLast`: nothing follows from the peer.
    case opened(UInt32, head: ByteBuffer, isLast: Bool)
    /// The peer answered.
    case head(Observer, ByteBuffer, isLast: Bool)
    /// A piece of the body; empty only when it is the last.
    case data(Observer, ByteBuffer, isLast: Bool)
    /// The peer sends no more.
    case end(Observer, trailers: ByteBuffer)
    /// The stream is over; by the peer, or because this node holds too much. Nil: a reason of a later
    /// version.
    case reset(Observer, RefusalCode?)
    /// The peer asked for a pong, which is queued already; what it said beside the token.
    case ping(payload: ByteBuffer)
    /// The peer answered a ping.
    case pong(token: UInt64, payload: ByteBuffer)
    /// The peer takes no more streams.
    case goAway
    /// A message of the handshake or of the control plane.
    case document(ByteBuffer)
}

extension StreamMultiplexer {
    /// Bytes that a ping may carry beside its token.
    static var pingPayload: Int { 64 }

    /// Takes the next frame of the connection.
    /// - Throws: `FrameViolation`; the link is to be ended, and nothing more asked of this value but `close`.
    mutating func receive(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        switch frame.kind {
        case .open: return try receiveOpen(frame)
        case .data: return try receiveData(frame)
        case .end: return try receiveEnd(frame)
        case .reset: return try receiveReset(frame)
        case .window: return try receiveWindow(frame)
        case .ping: return try receivePing(frame)
        case .pong: return try receivePong(frame)
        case .goAway:
            _ = try frame.payload.readPayload(FramePayload.goAway(from:))
            // Said once: whoever hears of it keeps it until it is taken up.
            guard !isPeerDraining else { return .nothing }
            isPeerDraining = true
            return .goAway
        case .document: return .document(frame.payload)
        }
    }

    private mutating func receiveOpen(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        try checkHead(frame)
        guard isPeers(frame.stream) else { return try receiveAnswer(frame) }
        guard frame.stream > highestPeerNumber else { throw .wrongStream(frame.kind, stream: frame.stream) }
        // Each stream may cost a reset, which must not pile up for a peer that does not read.
        guard answerable(FrameHeader.length + 4) else { throw .unreadAnswers }
        highestPeerNumber = frame.stream
        guard !isDraining, peerStreams < Limits.streamsPerLink else {
            answerReset(frame.stream, isDraining ? .draining : .limitReached)
            return .nothing
        }
        peerStreams += 1
        streams[frame.stream] = MultiplexedStream(
            observer: nil, head: nil, there: frame.endsStream ? .ended : .open)
        mostStreams = max(mostStreams, streams.count)
        return .opened(frame.stream, head: frame.payload, isLast: frame.endsStream)
    }

    private mutating func receiveAnswer(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        guard let stream = try known(frame) else { return .nothing }
        guard stream.there == .headless else {
            throw .outOfOrder(frame.kind, stream: frame.stream)
        }
        stream.there = .open
        let arrival = told(stream) { .head($0, frame.payload, isLast: frame.endsStream) }
        if frame.endsStream { endThere(frame.stream, stream) }
        return arrival
    }

    private mutating func receiveData(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        let bytes = frame.payload.readableBytes
        guard bytes > 0 || frame.endsStream else { throw .emptyData(stream: frame.stream) }
        guard linkReceiving.receive(bytes) else { throw .windowExceeded(stream: 0) }
        guard answerable(FrameHeader.length + 4) else { throw .unreadAnswers }
        if let grant = linkReceiving.consume(bytes) { answerWindow(0, grant) }
        guard let stream = try known(frame) else { return .nothing }
        guard stream.there == .open else {
            throw .outOfOrder(frame.kind, stream: frame.stream)
        }
        guard stream.receiving.receive(bytes) else {
            throw .windowExceeded(stream: frame.stream)
        }
        held += bytes
        guard held <= Self.heldLimit else {
            let observer = stream.observer
            reset(frame.stream, .overloaded)
            return observer.map { .reset($0, .overloaded) } ?? .nothing
        }
        let arrival = told(stream) { .data($0, frame.payload, isLast: frame.endsStream) }
        if frame.endsStream { endThere(frame.stream, stream) }
        return arrival
    }

    private mutating func receiveEnd(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        try checkHead(frame)
        guard let stream = try known(frame) else { return .nothing }
        guard stream.there == .open else {
            throw .outOfOrder(frame.kind, stream: frame.stream)
        }
        let arrival = told(stream) { .end($0, trailers: frame.payload) }
        endThere(frame.stream, stream)
        return arrival
    }

    private mutating func receiveReset(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        let code = try frame.payload.readPayload(FramePayload.reset(from:))
        guard try known(frame) != nil, let observer = forget(frame.stream)?.observer else { return .nothing }
        return .reset(observer, code)
    }

    private mutating func receiveWindow(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        let grant = try frame.payload.readPayload(FramePayload.window(from:))
        if frame.stream == 0 {
            guard linkSending.grant(grant) else { throw .windowExceeded(stream: 0) }
            let waiting = blockedByLink
            blockedByLink.removeAll(keepingCapacity: true)
            for number in waiting { ring.append(number) }
            return .nothing
        }
        guard let stream = try known(frame) else { return .nothing }
        guard stream.sending.grant(grant) else { throw .windowExceeded(stream: frame.stream) }
        if stream.wantsTurn {
            stream.isReady = true
            ring.append(frame.stream)
        }
        return .nothing
    }

    private mutating func receivePing(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        let bytes = frame.payload.readableBytes
        guard bytes >= 8 else { throw .malformed(.truncated(at: bytes)) }
        guard bytes <= 8 + Self.pingPayload else {
            throw .malformed(.tooLong(bytes: bytes, limit: 8 + Self.pingPayload))
        }
        guard answerable(FrameHeader.length + bytes) else { throw .unreadAnswers }
        answers.write(FrameHeader(.pong, payloadLength: bytes))
        answers.writeImmutableBuffer(frame.payload)
        var payload = frame.payload
        payload.moveReaderIndex(forwardBy: 8)
        return .ping(payload: payload)
    }

    private mutating func receivePong(_ frame: Frame) throws(FrameViolation) -> Arrival<Observer> {
        var payload = frame.payload
        let bytes = payload.readableBytes
        guard bytes <= 8 + Self.pingPayload else {
            throw .malformed(.tooLong(bytes: bytes, limit: 8 + Self.pingPayload))
        }
        guard let token = payload.readInteger(as: UInt64.self) else {
            throw .malformed(.truncated(at: bytes))
        }
        return .pong(token: token, payload: payload)
    }

    /// The peer sends no more on this stream.
    private mutating func endThere(_ number: UInt32, _ stream: MultiplexedStream<Observer>) {
        stream.there = .ended
        if stream.here == .ended { forget(number) }
    }

    private func checkHead(_ frame: Frame) throws(FrameViolation) {
        let bytes = frame.payload.readableBytes
        guard bytes <= Limits.invocationHead else {
            throw .malformed(.tooLong(bytes: bytes, limit: Limits.invocationHead))
        }
    }

    /// The frame's stream; nil when it is over and the frame merely late.
    private func known(_ frame: Frame) throws(FrameViolation) -> MultiplexedStream<Observer>? {
        if let stream = streams[frame.stream] { return stream }
        let wasOpened = isPeers(frame.stream) ? frame.stream <= highestPeerNumber : frame.stream < nextNumber
        guard wasOpened else { throw .wrongStream(frame.kind, stream: frame.stream) }
        return nil
    }

    private func told(
        _ stream: MultiplexedStream<Observer>, _ arrival: (Observer) -> Arrival<Observer>
    ) -> Arrival<Observer> {
        stream.observer.map(arrival) ?? .nothing
    }
}
