import MeshBase
import NIOCore

/// What the transport and its streams ask of a connection, always on its event loop.
extension LinkConnection {
    /// Sends a message of the handshake, and expects one.
    func sendHandshake(_ bytes: [UInt8]) {
        guard phase != .securing, phase != .closed else { return }
        queue(bytes)
        expectMessage()
    }

    /// Sends the last message of the handshake; what comes behind it is for `admit` to let in.
    func finishHandshake(_ bytes: [UInt8]) {
        guard case .handshaking = phase else { return }
        queue(bytes)
    }

    /// Sends a message of the control plane; nothing before the connection is admitted.
    func sendDocument(_ bytes: [UInt8]) {
        guard phase == .admitted else { return }
        queue(bytes)
    }

    private func queue(_ bytes: [UInt8]) {
        guard streams.send(ByteBuffer(bytes: bytes)) else { return end(.stalled) }
        scheduleFlush()
    }

    /// Asks for a pong.
    func sendPing(_ payload: [UInt8]) {
        guard phase == .admitted else { return }
        if pings.count == Self.pingsUnderWay { pings.removeFirst() }
        pings.append((nextToken, .now()))
        streams.ping(nextToken, payload)
        nextToken += 1
        scheduleFlush()
    }

    /// Takes no more streams, and ends when those that are open are over.
    func drain() {
        guard phase == .admitted else { return end(.drained) }
        streams.drain()
        scheduleFlush()
    }

    func open(_ stream: LinkStream, head: ByteBuffer, observer: any LinkStreamObserver) {
        guard phase == .admitted, let context else { return observer.stream(did: .lost) }
        guard let number = streams.open(head: head, observer: observer) else {
            let why: RefusalCode = streams.isDraining || streams.isPeerDraining ? .draining : .limitReached
            // Later, because the observer may not be told before the caller has its stream.
            return context.eventLoop.execute { observer.stream(did: .reset(why)) }
        }
        stream.opened(as: number)
        scheduleFlush()
    }

    func answer(_ number: UInt32, head: ByteBuffer) {
        streams.answer(number, head: head)
        scheduleFlush()
    }

    func write(_ number: UInt32, _ data: ByteBuffer) -> StreamRoom {
        let room = streams.write(number, data)
        scheduleFlush()
        return room
    }

    func awaitRoom(_ number: UInt32) {
        streams.awaitRoom(number)
        scheduleFlush()
    }

    func end(_ number: UInt32, trailers: ByteBuffer) {
        streams.end(number, trailers: trailers)
        scheduleFlush()
    }

    func reset(_ number: UInt32, _ code: RefusalCode) {
        streams.reset(number, code)
        scheduleFlush()
    }

    func consumed(_ number: UInt32, _ bytes: Int) {
        streams.consumed(number, bytes)
        scheduleFlush()
    }

    /// Tells whom a frame concerns what it means.
    func deliver(_ arrival: Arrival<any LinkStreamObserver>) {
        switch arrival {
        case .nothing: break
        case .opened(let number, let head, let isLast): opened(number, head, isLast)
        case .head(let observer, let head, let isLast): tell(observer, .head(head), isLast)
        case .data(let observer, let data, let isLast):
            if data.readableBytes > 0 { observer.stream(did: .data(data)) }
            if isLast { observer.stream(did: .end(trailers: ByteBuffer())) }
        case .end(let observer, let trailers): observer.stream(did: .end(trailers: trailers))
        case .reset(let observer, let code): observer.stream(did: .reset(code))
        case .ping(let payload): tell(.pinged(payload: Array(payload.readableBytesView)))
        case .pong(let token, let payload):
            guard let index = pings.firstIndex(where: { $0.token == token }) else { return }
            let sent = pings.remove(at: index).at
            let roundTrip = Duration.nanoseconds((NIODeadline.now() - sent).nanoseconds)
            tell(.pong(payload: Array(payload.readableBytesView), roundTrip: roundTrip))
        case .goAway: tell(.goingAway)
        case .document(let bytes): tell(.document(Array(bytes.readableBytesView)))
        }
    }

    private func opened(_ number: UInt32, _ head: ByteBuffer, _ isLast: Bool) {
        guard let bound else { return }
        let stream = LinkStream(on: bound, number: number)
        guard let observer = transport.observer.connection(id, opened: stream, head: head) else {
            return reset(number, .resourceUnknown)
        }
        streams.seat(number, observer: observer)
        if isLast { observer.stream(did: .end(trailers: ByteBuffer())) }
    }

    private func tell(_ observer: any LinkStreamObserver, _ event: LinkStreamEvent, _ isLast: Bool) {
        observer.stream(did: event)
        if isLast { observer.stream(did: .end(trailers: ByteBuffer())) }
    }
}
