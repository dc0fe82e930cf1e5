import MeshBase
import MeshLink
import NIOCore
import NIOPosix
import Synchronization

/// A man in the middle: ends TLS on both sides with leaves of its own or stolen ones, and passes every
/// message of the handshake on, byte for byte.
///
///     dialler --TLS with `front`--> relay --TLS with `back`--> listener
final class Relay: Sendable {
    private let front: Side
    private let back: Side

    /// - Parameters:
    ///   - front: what it shows whoever dials it.
    ///   - back: what it shows the listener.
    init(front: LinkCredentials, back: LinkCredentials, to endpoint: Endpoint) throws {
        let back = try Side(back)
        let front = try Side(front)
        self.back = back
        self.front = front
        front.onSecured { id in
            back.transport.dial(endpoint, as: id, for: .peer)
        }
        front.onMessage { id, bytes in back.pass(bytes, on: id) }
        front.onClosed { id in back.transport.close(id, "the other side is gone") }
        back.onSecured { id in back.flush(id) }
        back.onMessage { id, bytes in front.transport.sendHandshake(bytes, on: id) }
        back.onClosed { id in front.transport.close(id, "the other side is gone") }
    }

    func listen() async throws -> Endpoint {
        try await front.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
    }

    /// How many connections came in and had TLS.
    var dialled: Int { front.transport.counts.secured }
    /// How many messages went through, both ways.
    var passed: Int { front.messages + back.messages }

    func end() async {
        await front.transport.drain(within: .zero)
        await back.transport.drain(within: .zero)
    }

    /// One of its two faces.
    private final class Side: LinkObserver {
        struct State {
            var transport: LinkTransport?
            var lastID: UInt64 = 0
            var messages = 0
            var secured: Set<ConnectionID> = []
            var waiting: [ConnectionID: [[UInt8]]] = [:]
            var whenSecured: (@Sendable (ConnectionID) -> Void)?
            var whenMessage: (@Sendable (ConnectionID, [UInt8]) -> Void)?
            var whenClosed: (@Sendable (ConnectionID) -> Void)?
        }

        private let state = Mutex(State())

        init(_ credentials: LinkCredentials) throws {
            let made = try LinkTransport(
                group: MultiThreadedEventLoopGroup.singleton, credentials: credentials, observer: self)
            state.withLock { $0.transport = made }
        }

        var transport: LinkTransport {
            guard let transport = state.withLock({ $0.transport }) else { fatalError("no transport") }
            return transport
        }
        var messages: Int { state.withLock { $0.messages } }

        func onSecured(_ work: @escaping @Sendable (ConnectionID) -> Void) {
            state.withLock { $0.whenSecured = work }
        }
        func onMessage(_ work: @escaping @Sendable (ConnectionID, [UInt8]) -> Void) {
            state.withLock { $0.whenMessage = work }
        }
        func onClosed(_ work: @escaping @Sendable (ConnectionID) -> Void) {
            state.withLock { $0.whenClosed = work }
        }

        /// Sends, or keeps until TLS is up.
        func pass(_ bytes: [UInt8], on id: ConnectionID) {
            let isUp = state.withLock { state in
                if !state.secured.contains(id) { state.waiting[id, default: []].append(bytes) }
                return state.secured.contains(id)
            }
            if isUp { transport.sendHandshake(bytes, on: id) }
        }

        func flush(_ id: ConnectionID) {
            let waiting = state.withLock { state in
                state.secured.insert(id)
                return state.waiting.removeValue(forKey: id) ?? []
            }
            for bytes in waiting { transport.sendHandshake(bytes, on: id) }
        }

        func nameAcceptedConnection() -> ConnectionID {
            state.withLock { state in
                state.lastID += 1
                return ConnectionID(state.lastID)
            }
        }

        func connection(_ id: ConnectionID, did event: LinkEvent) {
            let (secured, message, closed) = state.withLock { state in
                (state.whenSecured, state.whenMessage, state.whenClosed)
            }
            switch event {
            case .secured: secured?(id)
            case .handshakeMessage(let bytes):
                state.withLock { $0.messages += 1 }
                message?(id, bytes)
            case .closed: closed?(id)
            case .document, .heard, .pinged, .pong, .goingAway: break
            }
        }

        func connection(
            _ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer
        ) -> (any LinkStreamObserver)? { nil }

        func turnedAway(_ remote: Endpoint, because end: LinkEnd) {}
    }
}
