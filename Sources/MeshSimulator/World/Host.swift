import MeshAgreements
import MeshBase
import MeshNode
import MeshTrust

/// One machine: its clock, its disk, its services, and the agent that runs on it.
struct Host: Sendable {
    let key: SimulatedKey
    let name: NodeName
    let endpoint: Endpoint
    /// Where its monotonic clock stood when the world began.
    let monotonicBase: Int64
    var clock = HostClock()
    var disk = Disk()
    /// How its service `orders` does.
    var service = ServiceHealth.healthy
    /// The agent; nil while none runs.
    var agent: Agent?
    /// Keys for sealed payloads that were made here, by whichever run.
    var keysMade = 0
    /// All of them; asked, never walked.
    var keysTold: Set<EncryptionKey> = []
    /// Runs so far; names the current one.
    var runs = 0
    /// The highest number that any of its runs ever had, whatever its home remembers of it.
    var bootMax: Int64 = 0
    /// Which run each of them said that it was.
    var boots: [Int: BootID] = [:]
    /// The number of the run that goes on; 0 when none does. Beside `agent`, which is large, because every
    /// event asks for it.
    var running = 0
    var isPowered = true
    /// It stands still until then.
    var pausedUntil = Instant.zero
    /// What it has to do, in runs in which work takes time.
    var work = HostWork()
    /// How many effects are still performed before the agent is killed; nil when nobody wants that.
    var effectsUntilKill: Int?
    /// Whether it sends what no honest node sends.
    var isInsider = false
    /// Whether it never did so, nor was two of itself.
    var isHonest = true
    /// How many writes are still done before the next one is its last, of which a beginning is left.
    var writesUntilEnd: Int?
    /// How that write ends.
    var ending = Ending.process
    /// Whether its disk takes nothing; what its node is told then waits.
    var isFull = false
    var wasFull = false
    var mailbox: [NodeInput] = []
    /// The home as it was once.
    var backup: Disk?
    /// A whole run as it was once.
    var snapshot: (agent: Agent, disk: Disk)?
    /// The home, while a run goes on that is not its own.
    var keptDisk: Disk?
    /// Agreements of which its disk once held more than the one that took that disk's place.
    var lostAgreements: Set<AgreementID> = []
    /// The key of a domain's anchor that lies in the home; nil: none does.
    var anchor: HeldAnchor?
    /// The join token with which the agent is started; nil: without one.
    var token: HeldToken?
    /// Whether the machine will never run again.
    var isGone = false

    /// What ends in the middle of a write.
    enum Ending: Sendable, CaseIterable { case process, power }

    var node: NodeID { key.node }

    /// An older disk takes the place of its disk, or an empty one.
    mutating func replaceDisk(by older: Disk) {
        for record in disk.agreements.values where older.agreements[record.contentID]?.state != record.state {
            lostAgreements.insert(record.agreement.id)
        }
        disk = older
    }

    /// A run of this restored home goes on under another boot number.
    mutating func raise(to boot: BootID, _ run: Int) {
        boots[run] = boot
        agent?.boot = boot
        bootMax = max(bootMax, boot.number)
    }

    init(number: Int, key: SimulatedKey, monotonicBase: Int64) {
        guard let name = NodeName("node-\(number)") else { preconditionFailure("node-\(number) is no name") }
        self.key = key
        self.name = name
        self.monotonicBase = monotonicBase
        endpoint = Endpoint(host: "10.0.\(number / 250).\(number % 250 + 1)", port: 7411)
    }
}

/// A wall clock that may be wrong.
struct HostClock: Sendable {
    var offset: Duration = .zero
    /// Parts per million, and since when.
    var driftInPPM: Int64 = 0
    var driftSince = Instant.zero

    /// 2026-09-21, more or less.
    static let epoch: Int64 = 1_790_000_000_000

    func wall(at time: Instant) -> WallTime {
        let drift = (time.nanoseconds - driftSince.nanoseconds) / 1_000_000 * driftInPPM / 1_000_000
        return WallTime(milliseconds: Self.epoch + time.nanoseconds / 1_000_000 + drift) + offset
    }

    mutating func setRight(at time: Instant) {
        offset = .zero
        driftInPPM = 0
        driftSince = time
    }
}

/// How a service behind a node does.
enum ServiceHealth: Int, Sendable, CaseIterable {
    case healthy
    /// Takes seconds.
    case slow
    /// Never answers.
    case stalled
    /// Refuses connections.
    case dead
    /// Does its work, then breaks off before the answer.
    case breaking
}

/// A stage of one use of a service.
enum ServiceStage: Sendable, Equatable {
    case begin(IdempotentWork?)
    case answer
    case end
    case refuse
    case breakOff
}

/// Work that must be done once.
struct IdempotentWork: Sendable, Equatable, Hashable {
    let caller: NodeID
    let key: String
}

/// One run of the agent: all that its process holds, and loses at its end.
struct Agent: Sendable {
    var run: RunID
    /// Which run of its node it says that it is.
    var boot: BootID
    /// The certificate that it shows now.
    var leaf: CertificateFacts
    var node: Node<SimulatedSuite>
    /// Nil until the node's first view.
    var desk: CallDesk?
    /// What the desk ordered and waits for the disk.
    var line = OrderLine()
    /// When the last sync and the last key that were asked for are done: both come in their order.
    var syncedAt = Instant.zero
    var keptAt = Instant.zero
    var generator: SeededGenerator
    var pipes = OrderedTable<ConnectionID, Int>()
    var accepted: UInt64 = 1
    var links = OrderedTable<NodeID, ConnectionID>()
    /// Connections that end when their streams are over.
    var draining: [ConnectionID] = []
    var isPairingOpen = false
    /// The next alarm that is in the queue.
    var alarm: Instant?
    var alarmsInARow = 0
    /// Its attempts at peers, with the streams that carry them.
    var attempts = OrderedTable<AttemptID, InboundKey>()
    var streams = OrderedTable<InboundKey, AttemptID>()
    var streamsOpened: UInt64 = 0
    /// Peers' calls under way here.
    var inbound = OrderedTable<InboundKey, UInt64>()
    /// Uses of services that are under way.
    var services: Set<ServiceID> = []
    /// Which of them must not be done twice.
    var keyed: [ServiceID: IdempotentWork] = [:]

    /// What node and desk wait for, and the earlier of the two. Mutating, so that it reads in place: a copy
    /// of an agent costs more than most events.
    mutating func readDeadlines() -> (node: Instant?, desk: Instant?, first: Instant?) {
        let (first, second) = (node.nextDeadline, desk?.nextDeadline)
        return (first, second, [first, second].compactMap { $0 }.min())
    }
}
