import Foundation
import MeshBase
import MeshLink
import MeshNode
import MeshTrust
import MeshWire
import NIOCore
import NIOPosix
import Synchronization

/// Somebody with a link transport and credentials of his own, who says whatever he likes.
final class Attacker: LinkObserver {
    struct Records {
        var events: [ConnectionID: [LinkEvent]] = [:]
        var accepted: [ConnectionID] = []
        var streams = 0
        /// All bytes that came, but for signs of life without any, in the order in which they came.
        var heard: [[UInt8]] = []
        var transport: LinkTransport?
        var lastID: UInt64 = 0
    }

    private let records = Mutex(Records())

    init(_ credentials: LinkCredentials) throws {
        let transport = try LinkTransport(
            group: MultiThreadedEventLoopGroup.singleton, credentials: credentials, observer: self)
        records.withLock { $0.transport = transport }
    }

    var transport: LinkTransport {
        guard let transport = records.withLock({ $0.transport }) else { fatalError("no transport") }
        return transport
    }

    /// Connects; returns once TLS is up.
    func dial(_ endpoint: Endpoint, for protocol: LinkProtocol = .peer) async throws -> AttackLine {
        let id = nextID()
        transport.dial(endpoint, as: id, for: `protocol`)
        return try await line(id)
    }

    /// The next connection that comes in, once TLS is up.
    func accept() async throws -> AttackLine {
        let id = try await eventually("somebody dials the attacker", within: .seconds(20)) {
            records.withLock { $0.accepted.isEmpty ? nil : $0.accepted.removeFirst() }
        }
        return try await line(id)
    }

    /// Every byte that came over links that were admitted: documents, and what pings said.
    var heard: [[UInt8]] { records.withLock { $0.heard } }

    func end() async { await transport.drain(within: .zero) }

    private func line(_ id: ConnectionID) async throws -> AttackLine {
        let first = try await next(on: id)
        guard case .secured(let facts) = first else {
            throw NeverHappened(description: "TLS with the attacker did not come up: \(first)")
        }
        return AttackLine(attacker: self, secured: facts)
    }

    /// Whether a ping was answered.
    func hasPong(on id: ConnectionID) -> Bool {
        records.withLock { records in
            records.events[id]?.contains { if case .pong = $0 { true } else { false } } ?? false
        }
    }

    /// The next event of a connection, other than signs of life.
    fileprivate func next(on id: ConnectionID) async throws -> LinkEvent {
        try await eventually("anything happens on \(id)", within: .seconds(20)) {
            records.withLock { records in
                guard let events = records.events[id], !events.isEmpty else { return nil }
                return records.events[id]?.removeFirst()
            }
        }
    }

    private func nextID() -> ConnectionID {
        records.withLock { records in
            records.lastID += 1
            return ConnectionID(records.lastID)
        }
    }

    // MARK: LinkObserver

    func nameAcceptedConnection() -> ConnectionID { nextID() }

    func connection(_ id: ConnectionID, did event: LinkEvent) {
        if case .heard = event { return }
        records.withLock { records in
            if case .secured(let facts) = event, facts.role == .listener { records.accepted.append(id) }
            records.events[id, default: []].append(event)
            switch event {
            case .document(let bytes), .pinged(let bytes): records.heard.append(bytes)
            case .secured, .handshakeMessage, .heard, .pong, .goingAway, .closed: break
            }
        }
    }

    func connection(
        _ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer
    ) -> (any LinkStreamObserver)? {
        records.withLock { $0.streams += 1 }
        return nil
    }

    func turnedAway(_ remote: Endpoint, because end: LinkEnd) {}
}

extension TestMesh {
    /// Somebody with these credentials, who is gone when the test is over.
    func attacker(_ credentials: LinkCredentials) throws -> Attacker {
        let attacker = try Attacker(credentials)
        atEnd { await attacker.end() }
        return attacker
    }
}

/// One connection of an attacker, TLS up.
struct AttackLine: Sendable {
    let attacker: Attacker
    let secured: MeshLink.SecuredConnection

    func send(_ message: HandshakeMessage) throws {
        send(bytes: try Document.encode(LinkDocument.handshake(message)))
    }

    func send(bytes: [UInt8]) { attacker.transport.sendHandshake(bytes, on: secured.id) }

    /// What the other side says next.
    func receive() async throws -> HandshakeMessage {
        let event = try await attacker.next(on: secured.id)
        guard case .handshakeMessage(let bytes) = event,
            case .handshake(let message) = try Document.decode(
                LinkDocument.self, from: bytes, limit: Limits.handshakeMessage)
        else { throw NeverHappened(description: "instead of a message came \(event)") }
        attacker.transport.expectMessage(on: secured.id)
        return message
    }

    /// Waits for a denial, which must be the next that comes, and for the end behind it.
    func denial() async throws -> Denial {
        let message = try await receive()
        guard case .deny(let denial) = message else {
            throw NeverHappened(description: "instead of a denial came \(message)")
        }
        _ = try await ending()
        return denial
    }

    /// Waits for the end, which must be the next that comes.
    func ending() async throws -> LinkEnd {
        let event = try await attacker.next(on: secured.id)
        guard case .closed(let end) = event else {
            throw NeverHappened(description: "instead of the end came \(event)")
        }
        return end
    }
}
