import MeshBase
import MeshDiscovery
import MeshLink
import MeshNode
import MeshRouting
import NIOCore

/// A link of this node's that a relay carries, at the end that dials: the agent's own call of the relay's
/// `relay`, in the place of an application. Confined to the plane's event loop.
///
///     asking --answered 101--> carrying --either end closes--> over
///        └──any other answer, refused──> over: the dial came to nothing
final class CircuitDial: CircuitWire {
    private let connection: ConnectionID
    private let dial: CircuitPlan.Dial
    private unowned let plane: CallPlane
    /// The call.
    weak var request: OwnRequest?
    private var circuit: Circuit?
    private var isFull = false
    private var isOver = false

    init(_ connection: ConnectionID, _ dial: CircuitPlan.Dial, on plane: CallPlane) {
        self.connection = connection
        self.dial = dial
        self.plane = plane
    }

    // MARK: The call's answer

    func head(status: Int) {
        guard !isOver else { return }
        guard status == WebSocketUpgrade.status, let transport = plane.transport.withLock({ $0 }) else {
            return fail()
        }
        // Where that fails, its closing was told.
        circuit = transport.dial(
            through: dial.relay, as: connection, for: .peer, over: self, on: plane.loop)
        guard let circuit else { return finish() }
        circuit.room = { [weak self] in self?.request?.flowChanged(.open) }
        sayInUse()
    }

    /// Two ends may be silent for as long as they like, where the link gave way and ends its last calls.
    private func sayInUse() {
        guard let id = request?.id else { return }
        plane.loop.assumeIsolated().scheduleTask(in: RelayUse.signPause) { [weak self] in
            guard let self, !isOver else { return }
            plane.submit(.bytesMoved(id))
            sayInUse()
        }
    }

    /// What comes once this end is over is nobody's, and holds up no one.
    func body(_ piece: ByteBuffer) {
        if circuit?.take(piece) == false { request?.flowChanged(.held) }
    }

    /// The call is over: answered, refused or broken off.
    func end() {
        guard !isOver else { return }
        guard let circuit else { return fail() }
        circuit.close()
    }

    /// No link came of it.
    private func fail() {
        isOver = true
        _ = plane.inputs.withLock { $0 }?.post(.connectionClosed(connection))
        _ = request?.feed.end(trailers: [])
    }

    // MARK: The call's body

    func hold() {
        isFull = true
        circuit?.hold()
    }

    func resume() {
        isFull = false
        circuit?.resume()
    }

    func pass(_ bytes: ByteBuffer) -> Bool {
        _ = request?.feed.take(bytes)
        return !isFull
    }

    func finish() {
        isOver = true
        circuit = nil
        request?.flowChanged(.open)
        _ = request?.feed.end(trailers: [])
    }
}
