import Dispatch
import MeshBase
import MeshCredentials
import MeshLink
import MeshNode
import MeshTrust
import MeshWire
import NIOCore
import NIOPosix
import Synchronization

/// Two ends over a socket of this machine, from the dial until both have let the other in, and the end.
func loopbackHandshake() -> Comparison {
    Comparison(
        area: "handshake", title: "a link over loopback, dialled, secured and closed",
        baseline: .loopback("TCP and TLS 1.3 alone, both certificates", isWhole: false),
        others: [.loopback("TCP, TLS and M1 to M4, both admitted", isWhole: true)])
}

extension Sample {
    fileprivate static func loopback(_ name: String, isWhole: Bool) -> Sample {
        Sample(name, by: .wall) {
            let people = [try Person(), try Person()]
            let pair = try HandshakePair(
                try people.map { try $0.side() }, suite: SystemSuite(), at: people[0].wall)
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let ends = try zip(people, pair.machines).map { person, machine in
                try LoopbackEnd(person, machine, group: group, isWhole: isWhole)
            }
            let place = try ends[1].listen()
            var number: UInt64 = 2
            return { count in
                for _ in 0..<count {
                    number += 2
                    try ends[0].dial(place, as: ConnectionID(number), expecting: people[1].key.nodeID)
                    for end in ends { try end.wait() }
                    ends[0].close(ConnectionID(number))
                    for end in ends { try end.waitClosed() }
                }
            }
        }
    }
}

/// One node's transport and its machine of trust, with nothing between: what the transport reports is decided at
/// once, on its own event loop.
final class LoopbackEnd: LinkObserver {
    /// What happens once the handshake is over.
    enum Happening {
        case admitted
        case heard([UInt8])
        case ponged
        case closed
    }

    private struct State {
        var trust: Trust<SystemSuite>
        var transport: LinkTransport?
        var intent: DialIntent?
        /// Odd: the dialler's own are even.
        var accepted: UInt64 = 1
        var nonces = SystemRandomNumberGenerator()
        var problem: String?
        var follower: (@Sendable (ConnectionID, Happening) -> Void)?
    }

    private let state: Mutex<State>
    private let signer: Signer
    private let isWhole: Bool
    private let reached = DispatchSemaphore(value: 0)
    private let closed = DispatchSemaphore(value: 0)

    init(_ person: Person, _ trust: Trust<SystemSuite>, group: MultiThreadedEventLoopGroup, isWhole: Bool)
        throws
    {
        state = Mutex(State(trust: trust))
        signer = Signer(person.key)
        self.isWhole = isWhole
        let transport = try LinkTransport(
            group: group,
            credentials: LinkCredentials(
                certificate: person.certificate.certificate, privateKey: person.certificate.privateKey),
            observer: self)
        state.withLock { $0.transport = transport }
    }

    /// Has `follower` told what happens after handshakes, on the connection's event loop.
    func follow(_ follower: @escaping @Sendable (ConnectionID, Happening) -> Void) {
        state.withLock { $0.follower = follower }
    }

    private func tell(_ id: ConnectionID, _ happening: Happening) {
        state.withLock { $0.follower }?(id, happening)
    }

    var transport: LinkTransport {
        guard let transport = state.withLock({ $0.transport }) else { preconditionFailure("no transport") }
        return transport
    }

    func listen() throws -> Endpoint {
        let done = DispatchSemaphore(value: 0)
        let found = Mutex<Endpoint?>(nil)
        let transport = transport
        Task {
            do throws(LinkError) {
                let place = try await transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
                found.withLock { $0 = place }
            } catch {
                fail("\(error)")
            }
            done.signal()
        }
        done.wait()
        guard let place = found.withLock({ $0 }) else { throw Unfit("no place to listen") }
        return place
    }

    func dial(_ place: Endpoint, as id: ConnectionID, expecting node: NodeID) throws {
        state.withLock { $0.intent = DialIntent(node: node, secret: nil) }
        transport.dial(place, as: id, for: .peer)
    }

    func close(_ id: ConnectionID) { transport.close(id, "measured") }

    /// Until it is secured, and admitted where the handshake is part of it.
    func wait() throws { try stay(for: reached) }
    func waitClosed() throws { try stay(for: closed) }

    private func stay(for event: DispatchSemaphore) throws {
        let isLate = event.wait(timeout: .now() + .seconds(10)) == .timedOut
        try require(!isLate, state.withLock { $0.problem } ?? "nothing happened for ten seconds")
    }

    private func fail(_ problem: String) { state.withLock { $0.problem = problem } }

    // MARK: LinkObserver

    func nameAcceptedConnection() -> ConnectionID {
        state.withLock { state in
            state.accepted += 2
            return ConnectionID(state.accepted)
        }
    }

    func connection(_ id: ConnectionID, did event: LinkEvent) {
        do {
            switch event {
            case .secured(let secured) where isWhole: try decide(id, try secure(id, secured))
            case .secured: reached.signal()
            case .handshakeMessage(let bytes):
                let document = try Document.decode(
                    LinkDocument.self, from: bytes, limit: Limits.handshakeMessage)
                guard case .handshake(let message) = document else {
                    throw Unfit("no message of a handshake")
                }
                try decide(id, .messageArrived(id, message))
            case .closed:
                try decide(id, .connectionClosed(id))
                closed.signal()
                tell(id, .closed)
            case .document(let bytes): tell(id, .heard(bytes))
            case .pong: tell(id, .ponged)
            case .heard, .pinged, .goingAway: break
            }
        } catch {
            fail("\(error)")
        }
    }

    func connection(_ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer) -> (
        any LinkStreamObserver
    )? {
        nil
    }

    func turnedAway(_ remote: Endpoint, because end: LinkEnd) { fail("turned away: \(end)") }

    /// What TLS knows, as the agent reads it.
    private func secure(_ id: ConnectionID, _ secured: MeshLink.SecuredConnection) throws -> TrustInput {
        guard let der = secured.peerCertificate else { throw Unfit("the peer showed no certificate") }
        let own = try CertificateReader.facts(der: secured.ownCertificate)
        let facts = try CertificateReader.facts(der: der)
        return state.withLock { state in
            let nonce = (0..<4).flatMap { _ in state.nonces.next().bigEndianBytes }
            let connection = MeshTrust.SecuredConnection(
                role: secured.role == .dialler ? .initiator : .responder, purpose: .peering,
                presented: .wellFormed(facts), ownCertificateDigest: own.certificateDigest,
                ownCertificateKey: own.certificateKey, nonce: MeshBase.Digest(nonce) ?? .zero,
                remote: secured.remote)
            let intent = secured.role == .dialler ? state.intent : nil
            return .connectionSecured(id, connection, intent: intent)
        }
    }

    private func decide(_ id: ConnectionID, _ input: TrustInput) throws {
        var waiting = [input]
        while let next = waiting.popLast() {
            let effects = state.withLock { state in
                var outbox = Outbox<TrustEffect>()
                state.trust.handle(next, at: moment(), into: &outbox)
                return outbox.drain()
            }
            for effect in effects {
                switch effect {
                case .send(_, let message):
                    transport.sendHandshake(try Document.encode(LinkDocument.handshake(message)), on: id)
                case .sign(let request):
                    waiting.append(.signed(request.ticket, try signer.sign(request)))
                case .admit:
                    transport.admit(id)
                    reached.signal()
                    tell(id, .admitted)
                case .record(let event): if case .handshakeRefused = event { fail("\(event)") }
                case .awaitPeople, .close, .notify, .dialToPair, .persist, .standingChanged,
                    .membershipChanged, .vouched,
                    .tell, .refer, .proved, .referred, .seek, .answer, .confirmationWanted, .pairing:
                    break
                }
            }
        }
    }

    private func moment() -> Moment {
        do {
            let nanoseconds = try Stopwatch.wall.read()
            return Moment(
                instant: Instant(nanoseconds: nanoseconds), wall: WallTime(milliseconds: Person.wallNow))
        } catch {
            preconditionFailure("the clock cannot be read: \(error)")
        }
    }
}
