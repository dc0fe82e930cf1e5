import MeshBase
import NIOCore
import NIOPosix
import Synchronization

/// Peers' mutual TLS connections: listens, dials, carries (protocol sections 2, 5, 5a).
///
/// It decides nothing about trust. It reports facts (`LinkEvent`) and performs orders; whether a peer is who
/// it should be is decided by others from `SecuredConnection` and the messages of the handshake, on every
/// connection, before `admit`.
///
///     listen/dial -> .secured -> sendHandshake, .handshakeMessage -> admit -> streams, documents -> .closed
///
/// Every verb may be called from any thread, and takes effect on the connection's event loop; orders about a
/// connection that is gone do nothing. Whoever sends the last message of the handshake orders
/// `finishHandshake`, then `admit`: what the peer sends meanwhile, for which the handshake is over, waits.
public final class LinkTransport: Sendable {
    enum Seat {
        case dialling
        case connected(NIOLoopBound<LinkConnection>)
    }

    struct State {
        var credentials: LinkCredentials
        var contexts: LinkContexts
        var pairing = PairingDoor.closed
        var admission = HandshakeAdmission()
        var seats: [ConnectionID: Seat] = [:]
        var listeners: [any Channel] = []
        var counts = LinkCounts()
        /// Whoever waits for the last connection to end.
        var drained: [CheckedContinuation<Void, Never>] = []
        var isDraining = false
        /// The second in which somebody was turned away last, and how many were told of in it.
        var turnedAway: (second: UInt64, told: Int) = (0, 0)
    }

    let group: any EventLoopGroup
    let observer: any LinkObserver
    let times: LinkTimes
    let names: NameLookup
    let state: Mutex<State>

    /// - Throws: `LinkError.credentials` when certificate and key cannot be used.
    public convenience init(
        group: any EventLoopGroup, credentials: LinkCredentials, observer: any LinkObserver
    ) throws(LinkError) {
        try self.init(group: group, credentials: credentials, observer: observer, times: LinkTimes())
    }

    init(
        group: any EventLoopGroup, credentials: LinkCredentials, observer: any LinkObserver, times: LinkTimes,
        names: NameLookup = NameLookup()
    ) throws(LinkError) {
        self.group = group
        self.observer = observer
        self.times = times
        self.names = names
        let contexts = try LinkContexts(credentials, pairing: .closed)
        state = Mutex(State(credentials: credentials, contexts: contexts))
    }

    /// What was counted so far.
    public var counts: LinkCounts { state.withLock { $0.counts } }

    /// Uses `credentials` for connections that begin from now on; those that exist keep theirs. Without an
    /// argument it makes the contexts anew, which is due at every change of trust: session tickets of the old
    /// ones are worth nothing then.
    /// - Throws: `LinkError.credentials`; then nothing has changed.
    public func renew(_ credentials: LinkCredentials? = nil) throws(LinkError) {
        try rebuild(credentials, pairing: nil)
    }

    /// Whether the listeners accept `comity-pair/1` from now on.
    /// - Throws: `LinkError.credentials`; then nothing has changed.
    public func setPairing(_ door: PairingDoor) throws(LinkError) { try rebuild(nil, pairing: door) }

    /// The addresses at which trusted peers were met: they have handshakes kept for them.
    public func setKnownAddresses(_ addresses: Set<String>) {
        let blocks = Set(addresses.map(AddressBlock.init(of:)))
        state.withLock { $0.admission.knownAddresses = blocks }
    }

    /// Sends a message of the handshake, at most `Limits.handshakeMessage` bytes, and lets the peer's next
    /// one in.
    public func sendHandshake(_ message: [UInt8], on id: ConnectionID) {
        on(id) { $0.sendHandshake(message) }
    }

    /// Sends the last message of the handshake, and lets nothing in before `admit`.
    public func finishHandshake(_ message: [UInt8], on id: ConnectionID) {
        on(id) { $0.finishHandshake(message) }
    }

    /// Lets the peer's next message of the handshake in without sending one, where two follow one another.
    public func expectMessage(on id: ConnectionID) { on(id) { $0.expectMessage() } }

    /// Lets the peer's next message of the handshake in and gives it `patience`: people decide what comes
    /// next. Each later message has its usual time again, and the whole as much as at the beginning.
    public func awaitPeople(on id: ConnectionID, for patience: Duration) {
        on(id) { $0.awaitPeople(for: patience) }
    }

    /// The handshake is finished: streams, documents and pings may pass. A connection without the peer's
    /// certificate is ended.
    public func admit(_ id: ConnectionID) { on(id) { $0.admit() } }

    /// Sends a message of the control plane, at most `Limits.framePayload` bytes. The connection ends as
    /// `.stalled` when the peer has not read `Limits.linkWindow` bytes of them.
    public func sendDocument(_ document: [UInt8], on id: ConnectionID) {
        on(id) { $0.sendDocument(document) }
    }

    /// Asks for a pong with the same payload, at most 64 bytes; `.pong` tells how long it took.
    public func sendPing(_ payload: [UInt8] = [], on id: ConnectionID) { on(id) { $0.sendPing(payload) } }

    /// Reads nothing more from an admitted connection until `readOn`, so that its peer waits, with its calls
    /// and pings: for who is ahead of whoever takes up its documents. Told on the connection's event loop it
    /// holds from the next frame on.
    public func holdBack(_ id: ConnectionID) { on(id) { $0.holdBack() } }

    /// Reads on.
    public func readOn(_ id: ConnectionID) { on(id) { $0.readOn() } }

    /// Ends a connection once what was ordered before has been handed to the socket.
    /// `.closed(.ordered(reason))` follows.
    public func close(_ id: ConnectionID, _ reason: String) {
        let wasDialling = state.withLock { state in
            guard case .dialling? = state.seats[id] else { return false }
            state.seats[id] = nil
            return true
        }
        if wasDialling {
            observer.connection(id, did: .closed(.ordered(reason)))
        } else {
            on(id) { $0.end(.ordered(reason)) }
        }
    }

    /// Ends a connection once the streams that are open on it are over; the peer is told to open no more, and
    /// `.closed(.drained)` follows.
    public func drain(_ id: ConnectionID) { on(id) { $0.drain() } }

    /// Opens a stream on an admitted connection.
    /// - Parameter head: at most `Limits.invocationHead` bytes.
    /// - Returns: nil when there is no such connection. If the stream cannot be opened its observer is told
    ///   so, by `.reset` (`.draining`, `.limitReached`) or `.lost`; nothing of it was sent then.
    public func openStream(
        on id: ConnectionID, head: ByteBuffer, observer: any LinkStreamObserver
    ) -> LinkStream? {
        guard let connection = connection(id) else { return nil }
        let stream = LinkStream(on: connection)
        if connection.eventLoop.inEventLoop {
            connection.value.open(stream, head: head, observer: observer)
        } else {
            connection.eventLoop.execute { connection.value.open(stream, head: head, observer: observer) }
        }
        return stream
    }

    /// How the frames of a connection have left; nil when there is no such connection.
    public func flow(of id: ConnectionID) async -> LinkFlow? {
        guard let connection = connection(id) else { return nil }
        return await withCheckedContinuation { continuation in
            connection.eventLoop.execute { continuation.resume(returning: connection.value.streams.flow) }
        }
    }

    /// The event loop of a connection; nil when there is no such connection. Streams are cheapest to use from
    /// there.
    public func eventLoop(of id: ConnectionID) -> (any EventLoop)? { connection(id)?.eventLoop }

    private func connection(_ id: ConnectionID) -> NIOLoopBound<LinkConnection>? {
        state.withLock { state in
            guard case .connected(let connection)? = state.seats[id] else { return nil }
            return connection
        }
    }

    func on(_ id: ConnectionID, _ order: @escaping @Sendable (LinkConnection) -> Void) {
        guard let connection = connection(id) else { return }
        perform(connection, order)
    }

    func perform(
        _ connection: NIOLoopBound<LinkConnection>, _ order: @escaping @Sendable (LinkConnection) -> Void
    ) {
        if connection.eventLoop.inEventLoop {
            order(connection.value)
        } else {
            connection.eventLoop.execute { order(connection.value) }
        }
    }

    private func rebuild(_ credentials: LinkCredentials?, pairing: PairingDoor?) throws(LinkError) {
        let result: Result<Void, LinkError> = state.withLock { state in
            do throws(LinkError) {
                let door = pairing ?? state.pairing
                state.contexts = try LinkContexts(credentials ?? state.credentials, pairing: door)
                state.credentials = credentials ?? state.credentials
                state.pairing = door
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
}
