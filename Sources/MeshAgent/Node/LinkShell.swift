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
    /// Pings carry the registry summary; it comes back with the pong.
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
            inputs.post(.connectionSecured(id, facts(of: secured), distance(of: secured)))
        case .handshakeMessage(let bytes): receive(bytes, on: id, limit: Limits.handshakeMessage)
        case .document(let bytes): receive(bytes, on: id, limit: Limits.framePayload)
        case .heard: inputs.post(.heard(id), .droppable)
        case .pinged(let payload):
            if let digest = Digest(payload) {
                inputs.post(.pinged(id, RegistrySummary(digest: digest)), .droppable)
            }
        case .pong(_, let roundTrip): inputs.post(.ponged(id, roundTrip: roundTrip), .droppable)
        case .goingAway: break
        case .closed: inputs.post(.connectionClosed(id))
        }
    }

    func connection(
        _ id: ConnectionID, opened stream: LinkStream, head: ByteBuffer
    ) -> (any LinkStreamObserver)? {
        calls.streamOpened(stream, head: head, on: id)
    }

    func turnedAway(_ remote: Endpoint, because end: LinkEnd) {}

    private func receive(_ bytes: [UInt8], on id: ConnectionID, limit: Int) {
        do throws(WireError) {
            inputs.post(
                .documentArrived(id, try Document.decode(LinkDocument.self, from: bytes, limit: limit)))
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
