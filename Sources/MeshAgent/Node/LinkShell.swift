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
    private let inputs: Mailbox<NodeInput>
    private let calls: CallPlane
    /// Accepted connections have odd numbers, dialled ones the node's even ones.
    private let accepted = Mutex<UInt64>(1)
    /// What was found of connections that are up, for handshakes that are repeated.
    private let found = Mutex<[ConnectionID: Found]>([:])

    private struct Found {
        let secured: MeshLink.SecuredConnection
        /// When the last handshake began.
        var began: Instant
        /// Documents that came and were not looked at yet.
        var waiting = 0
    }

    /// A peer may repeat its handshake this often.
    private static let repeatMin: Duration = .seconds(30)
    /// A peer may be this many documents ahead of the control plane; one that sends faster loses its link, so
    /// that nobody's documents fill this node's memory.
    private static let waitingMax = 256

    init(inputs: Mailbox<NodeInput>, calls: CallPlane) {
        self.inputs = inputs
        self.calls = calls
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
        case .handshakeMessage(let bytes): receive(bytes, on: id, limit: Limits.handshakeMessage)
        case .document(let bytes): receive(bytes, on: id, limit: Limits.framePayload, isAdmitted: true)
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

    /// The control plane took up a document of this connection.
    func documentRead(on id: ConnectionID) { found.withLock { $0[id]?.waiting -= 1 } }

    /// Whether one more document of this connection may wait.
    private func takePlace(_ id: ConnectionID) -> Bool {
        found.withLock { found in
            guard let waiting = found[id]?.waiting, waiting < Self.waitingMax else { return false }
            found[id]?.waiting += 1
            return true
        }
    }

    /// This node repeats its handshake over a connection that it dialled.
    func repeatHandshake(_ id: ConnectionID) {
        guard let secured = found.withLock({ $0[id]?.secured }) else { return }
        inputs.post(.connectionSecured(id, facts(of: secured), distance(of: secured)))
    }

    /// A peer repeats its handshake: the same facts of TLS, and a nonce of its own. False when it does so too
    /// often.
    private func beginAgain(_ id: ConnectionID) -> Bool {
        let now = SystemClock.now().instant
        let secured = found.withLock { found -> MeshLink.SecuredConnection? in
            guard let known = found[id], known.secured.role == .listener, now - known.began >= Self.repeatMin
            else { return nil }
            found[id]?.began = now
            return known.secured
        }
        guard let secured else { return false }
        inputs.post(.connectionSecured(id, facts(of: secured), distance(of: secured)))
        return true
    }

    private func receive(_ bytes: [UInt8], on id: ConnectionID, limit: Int, isAdmitted: Bool = false) {
        guard takePlace(id) else {
            calls.transport.withLock { $0 }?.close(id, RefusalCode.overloaded.rawValue)
            return
        }
        do throws(WireError) {
            let document = try Document.decode(LinkDocument.self, from: bytes, limit: limit)
            if isAdmitted, case .handshake(.hello) = document, !beginAgain(id) {
                inputs.post(.documentUnreadable(id, problem: "a handshake is repeated too soon"))
                return
            }
            inputs.post(.documentArrived(id, document))
        } catch {
            inputs.post(.documentUnreadable(id, problem: String("\(error)".prefix(200))))
        }
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
        let host = secured.remote.host
        if secured.remote.isLoopback || host.hasPrefix("fe80:") { return .local }
        return LocalNetworks.contain(host) ? .local : .remote
    }
}
