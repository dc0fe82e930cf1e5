import MeshAudit
import MeshBase
import MeshGossip
import MeshNode
import MeshRouting

/// The two ends of a pipe.
enum PipeEnd: Int, Sendable {
    case dialler = 0
    case listener = 1

    var other: PipeEnd { self == .dialler ? .listener : .dialler }
}

/// Who is at an end.
enum Party: Equatable, Sendable {
    case agent(RunID, ConnectionID)
    case intruder
}

/// What travels, in order, over a connection.
enum PipeMessage: Sendable {
    /// TLS is up, as the listener sees it.
    case secured
    case document(LinkDocument)
    case garbage
    case ping(LinkPing, sent: Instant)
    case pong(sent: Instant)
    case invocation(stream: UInt64, Invocation)
    case answer(stream: UInt64, InvocationAnswer)
    case answerEnd(stream: UInt64, BodySummary)
    case answerReset(stream: UInt64)
    case abandon(stream: UInt64)
    /// The end opens no more streams and takes no more but these; it closes when they are over.
    case goAway(open: [UInt64])
    /// The other end has closed.
    case end
    /// The other end has closed, and nothing was under way on it.
    case drained
}

/// One connection. It keeps order; a message that finds the way cut waits and is delivered after heal, as TCP
/// would.
struct Pipe: Sendable {
    /// One end, and what it has sent that has not arrived.
    struct Side: Sendable {
        let party: Party
        var isOpen = true
        /// Whether it takes no more streams, and whether the other end has said so.
        var isDraining = false
        var isLeft = false
        /// Whom the node here admitted.
        var admitted: NodeID?
        /// What the node here takes it for.
        var origin: LinkOrigin?
        var heard = Instant.zero
        var queue: [PipeMessage] = []
        /// Arrivals that are in the world's queue.
        var scheduled = 0
        var lastArrival = Instant.zero
    }

    /// Who carries it, over which of its own connections.
    struct Carrier: Sendable {
        let run: RunID
        let node: NodeID
        let ways: [ConnectionID]
    }

    let isPairing: Bool
    let carrier: Carrier?
    private var dialler: Side
    private var listener: Side

    init(dialler: Party, listener: Party, isPairing: Bool, carrier: Carrier? = nil) {
        self.isPairing = isPairing
        self.carrier = carrier
        self.dialler = Side(party: dialler)
        self.listener = Side(party: listener)
    }

    subscript(end: PipeEnd) -> Side {
        get { end == .dialler ? dialler : listener }
        set { if end == .dialler { dialler = newValue } else { listener = newValue } }
        _modify { if end == .dialler { yield &dialler } else { yield &listener } }
    }

    var isOver: Bool { !dialler.isOpen && !listener.isOpen }

    /// At which end `run` is; nil when at none. A node that dialled itself is at both: then the one with that
    /// connection.
    func end(of run: RunID, _ connection: ConnectionID) -> PipeEnd? {
        if dialler.party == .agent(run, connection) { return .dialler }
        return listener.party == .agent(run, connection) ? .listener : nil
    }
}
