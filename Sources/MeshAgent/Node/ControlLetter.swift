import MeshBase
import MeshNode
import MeshWire

/// What the control plane finds in its mailbox.
enum ControlLetter: Equatable, Sendable {
    case input(NodeInput)
    /// Bytes of a peer, to be read where they are taken up: on the loop of the calls, reading them would take
    /// the others' calls the time.
    case document(ConnectionID, UnreadDocument)

    /// The connection that brought it; nil: it is the node's own.
    var connection: ConnectionID? {
        switch self {
        case .input(let input): input.connection
        case .document(let connection, _): connection
        }
    }

    /// What taking it up counts for (`DocumentShare`).
    var cost: Int {
        switch self {
        case .input: DocumentShare.other
        case .document(_, let document): DocumentShare.cost(ofDocument: document.bytes.count)
        }
    }
}

/// A document as it came.
struct UnreadDocument: Equatable, Sendable {
    /// When it came.
    enum Stage: Sendable {
        /// Before the peer was admitted.
        case handshake
        /// From a peer that was.
        case link
    }

    let bytes: [UInt8]
    let stage: Stage

    func read() throws(WireError) -> LinkDocument {
        let limit =
            switch stage {
            case .handshake: Limits.handshakeMessage
            case .link: Limits.framePayload
            }
        return try Document.decode(LinkDocument.self, from: bytes, limit: limit)
    }
}

extension NodeInput {
    /// The connection that brought it; nil: it is the node's own.
    var connection: ConnectionID? {
        switch self {
        case .connectionSecured(let id, _, _), .documentArrived(let id, _), .documentUnreadable(let id, _),
            .heard(let id), .pinged(let id, _), .ponged(let id, _), .connectionClosed(let id),
            .goingAway(let id), .doorClosed(let id):
            id
        case .linkWanted, .linkUsed, .listens, .sighted, .withdrawn, .enrolmentOrdered, .anchorChanged,
            .anchorCertified, .encryptionKeysHeld, .signed, .signingFailed, .commanded, .roomMeasured,
            .callsFoundUnfinished, .lookedUp, .timeReached:
            nil
        }
    }
}
