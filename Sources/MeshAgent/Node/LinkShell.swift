import MeshBase
import MeshCredentials
import MeshGossip
import MeshLink
import MeshNode
import MeshTrust
import MeshWire
import NIOCore
import Synchronization

/// Translates between the link transport and the two planes; decides nothing.
final class LinkShell: LinkObserver {
    private let inputs: Mailbox
    private let calls: CallPlane
    /// Accepted connections have odd numbers, dialled ones the node's even ones.
    private let accepted = Mutex<UInt64>(1)
    /// What was found of connections that are up, for handshakes that are repeated.
    private let found = Mutex<[ConnectionID: Found]>([:])

    private struct Found {
        let secured: MeshLink.SecuredConnection
        /// When the last handshake began.
        var began: Instant
    }

    /// A peer may repeat its handshake this often.
    private static let repeatMin: Duration = .seconds(30)

    init(inputs: Mailbox, calls: CallPlane) {
        self.inputs = inputs
        self.calls = calls
        inputs.onRoom { [calls] id in calls.transport.withLock { $0 }?.readOn(id) }
    }

    func nameAcceptedConnection() -> ConnectionID {
        accepted.withLock { number in
            defer { number += 2 }
            return ConnectionID(number)
        }
    }

    func connection(_ id: ConnectionID, did event: LinkEvent) {
        switch event {
        case .secured(let secured):
            found.withLock { $0[id] = Found(secured: secured, began: SystemClock.now().instant) }
            inputs.post(.connectionSecured(id, facts(of: secured), distance(of: secured)))
        case .handshakeMessage(let bytes): receive(bytes, .handshake, on: id)
        case .document(let bytes): receive(bytes, .link, on: id)
        case .heard: inputs.post(.heard(id), .droppable)
        case .pinged(let payload):
            if let ping = LinkPing(payload) { inputs.post(.pinged(id, ping), .droppable) }
        case .pong(_, let roundTrip): inputs.post(.ponged(id, roundTrip: roundTrip), .droppable)
        case .goingAway: inputs.post(.goingAway(id))
        case .closed(let end):
            found.withLock { $0[id] = nil }
            if end == .protocolUnknown { inputs.post(.doorClosed(id)) }
            inputs.post(.connectionClosed(id))
        }
    }

    func connection(
        _ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer
    ) -> (any LinkStreamObserver)? {
        calls.streamOpened(stream, head: head, on: id)
    }

    func turnedAway(_ remote: Endpoint, because end: LinkEnd) {}

    /// This node repeats its handshake over a connection that it dialled.
    func repeatHandshake(_ id: ConnectionID) {
        guard let secured = found.withLock({ $0[id]?.secured }) else { return }
        inputs.post(.connectionSecured(id, facts(of: secured), distance(of: secured)))
    }

    /// One that sends faster than the control plane takes up is not read meanwhile.
    private func receive(_ bytes: [UInt8], _ stage: UnreadDocument.Stage, on id: ConnectionID) {
        guard inputs.post(UnreadDocument(bytes: bytes, stage: stage), of: id) == .isAhead else { return }
        calls.transport.withLock { $0 }?.holdBack(id)
    }

    /// What a document that came is to the node; called by the control plane, where it takes it up.
    func read(_ unread: UnreadDocument, of id: ConnectionID) -> [NodeInput] {
        do throws(WireError) {
            let document = try unread.read()
            guard unread.stage == .link, case .handshake(.hello) = document else {
                return [.documentArrived(id, document)]
            }
            guard let again = beginAgain(id) else {
                return [.documentUnreadable(id, problem: "a handshake is repeated too soon")]
            }
            return [again, .documentArrived(id, document)]
        } catch {
            return [.documentUnreadable(id, problem: String("\(error)".prefix(200)))]
        }
    }

    /// A peer repeats its handshake: the same facts of TLS, and a nonce of its own. Nil when it does so too
    /// often.
    private func beginAgain(_ id: ConnectionID) -> NodeInput? {
        let now = SystemClock.now().instant
        let secured = found.withLock { found -> MeshLink.SecuredConnection? in
            guard let known = found[id], known.secured.role == .listener, now - known.began >= Self.repeatMin
            else { return nil }
            found[id]?.began = now
            return known.secured
        }
        return secured.map { .connectionSecured(id, facts(of: $0), distance(of: $0)) }
    }

    /// What the trust decision begins with: all of it from TLS, none of it from messages.
    private func facts(of secured: MeshLink.SecuredConnection) -> MeshTrust.SecuredConnection {
        let suite = SystemSuite()
        let presented: PresentedCertificate
        if let der = secured.peerCertificate {
            do throws(CredentialError) {
                presented = .wellFormed(try CertificateReader.facts(der: der))
            } catch {
                presented = .malformed("\(error)")
            }
        } else {
            presented = .missing
        }
        let own: CertificateFacts
        do throws(CredentialError) {
            own = try CertificateReader.facts(der: secured.ownCertificate)
        } catch {
            preconditionFailure("the certificate that this node made for itself cannot be read: \(error)")
        }
        guard let nonce = Digest(SystemRandom.bytes(32)) else {
            preconditionFailure("32 bytes are a digest's")
        }
        return MeshTrust.SecuredConnection(
            role: secured.role == .dialler ? .initiator : .responder,
            purpose: secured.protocol == .pairing ? .pairing : .peering, presented: presented,
            ownCertificateDigest: suite.digest(secured.ownCertificate), ownCertificateKey: own.certificateKey,
            nonce: nonce,
            remote: secured.remote)
    }

    /// Loopback and link-local are near; what else is, the interfaces' networks say.
    private func distance(of secured: MeshLink.SecuredConnection) -> LinkDistance {
        if let relay = secured.relay { return .relayed(by: relay) }
        let host = secured.remote.host
        if secured.remote.isLoopback || host.hasPrefix("fe80:") { return .local }
        return LocalNetworks.contain(host) ? .local : .remote
    }
}
