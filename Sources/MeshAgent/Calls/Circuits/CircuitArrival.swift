import MeshBase
import MeshLink
import MeshNode
import MeshWire
import NIOCore

/// A link that a relay brings, at the end that is reached. Confined to the plane's event loop.
final class CircuitArrival: LinkStreamObserver, CircuitWire, @unchecked Sendable {
    // Sendable as `PeerAttempt` is: confined to the one event loop.
    private let relay: NodeID
    /// Who dials, as the relay says.
    private let caller: NodeID
    private let stream: LinkStream
    private unowned let plane: CallPlane
    private var circuit: Circuit?
    private var use = LinkUse()
    /// Bytes that the relay gets credit for again once this end takes more.
    private var owed = 0
    private var isOver = false

    init(from relay: NodeID, of caller: NodeID, on stream: LinkStream, of plane: CallPlane) {
        self.relay = relay
        self.caller = caller
        self.stream = stream
        self.plane = plane
    }

    /// Takes the link up.
    func begin() {
        guard !isOver else { return }
        circuit = plane.transport.withLock({ $0 })?.accept(
            from: relay, of: caller, over: self, on: plane.loop)
        guard let circuit else {
            isOver = true
            return stream.reset(.overloaded)
        }
        circuit.room = { [unowned self] in giveCredit() }
        stream.answer(head: ByteBuffer(bytes: CircuitCodec.answer))
    }

    func stream(did event: LinkStreamEvent) {
        guard !isOver else {
            // What was under way is nobody's, and holds up no one.
            if case .data(let piece) = event { stream.consumed(piece.readableBytes) }
            return
        }
        switch event {
        case .data(let piece):
            use.note(of: relay, on: plane)
            if circuit?.take(piece) == true {
                stream.consumed(piece.readableBytes)
            } else {
                owed += piece.readableBytes
            }
        case .end: close()
        case .reset, .lost:
            isOver = true
            close()
        case .writable: circuit?.resume()
        case .head: break
        }
    }

    func pass(_ bytes: ByteBuffer) -> Bool { stream.write(bytes) == .open }

    func finish() {
        circuit = nil
        giveCredit()
        guard !isOver else { return }
        isOver = true
        stream.end()
    }

    private func close() { circuit?.close() }

    private func giveCredit() {
        guard owed > 0 else { return }
        stream.consumed(owed)
        owed = 0
    }
}

/// Says now and then that a link is in use that carries another one: the calls' own words do not tell it.
struct LinkUse {
    private static let pause: TimeAmount = .seconds(5)
    private var next = NIODeadline.uptimeNanoseconds(0)

    mutating func note(of peer: NodeID, on plane: CallPlane) {
        let now = NIODeadline.now()
        guard now >= next else { return }
        next = now + Self.pause
        _ = plane.inputs.withLock { $0 }?.post(.linkUsed(peer), .droppable)
    }
}
