import Logging
import MeshAudit
import MeshBase
import MeshCredentials
import MeshGateway
import MeshLink
import MeshNode
import MeshRouting
import MeshStore
import MeshWire
import NIOCore
import Synchronization

/// Carries calls: between the gateway's connections, the peers' streams and the resources, as the desk
/// decides.
///
/// Everything of a call happens on one event loop: the application's connection, the links, the backends. So
/// no call crosses a thread, and effects are performed in the order of the decisions. An effect behind a
/// record is performed once the record is written, or synced where the desk says so; meanwhile other calls go
/// on. The records of one turn of the loop leave in one write at its end, and what was ordered in it is
/// carried out then.
final class CallPlane: Sendable {
    /// What is under way, by the desk's names.
    struct Tables {
        private static let spread = UInt64(bigEndian: SystemRandom.bytes(8))
        var requests = SerialTable<RequestID, OwnRequest>(spread: Self.spread)
        var gateway = SerialTable<GatewayRequestID, RequestID>(spread: Self.spread)
        /// Requests to all providers, each of which has calls of its own among `requests`.
        var fanOuts: [GatewayRequestID: FanOut] = [:]
        let fanOutRoom = FanOutRoom()
        /// Messages of MCP clients that have not come whole.
        var toolMessages: [GatewayRequestID: ToolMessage] = [:]
        /// Sessions with MCP servers.
        let toolServers = ToolServers()
        let toolRoom = ToolRoom()
        /// MCP servers that this agent runs.
        let toolPrograms: ToolPrograms
        var attempts = SerialTable<AttemptID, PeerAttempt>(spread: Self.spread)
        var calls = SerialTable<InboundKey, PeerCall>(spread: Self.spread)
        var uses = SerialTable<ServiceID, any ServiceUse>(spread: Self.spread)
        /// URLs of this node's resources, as they were read.
        var urls: [String: ResourceURL] = [:]
        /// When peers' refusals leave.
        var refusals = RefusalPace()
        /// Bytes of calls' bodies that are kept for each peer.
        var kept: [NodeID: Int] = [:]
        var links: [NodeID: ConnectionID] = [:]
        var peers = SerialTable<ConnectionID, Caller>(spread: Self.spread)
        /// Answers under way that are kept.
        var keeping = 0
        /// What waits for the disk.
        var line = OrderLine()
        var turn = CallTurn()
        var pace = TurnPace()
        var requestsSeen: UInt64 = 0
        /// Makes trace contexts, which are names and no secrets.
        var traces = SeededGenerator(seed: UInt64(bigEndian: SystemRandom.bytes(8)))
        var streamsSeen: UInt64 = 0
        /// Attempts that may hold their answers' heads, by when they let go.
        var held = CircularBuffer<(due: NIODeadline, attempt: AttemptID)>()
        var isHeldWatched = false
        /// Whether peers' calls whose bodies are late are looked for soon.
        var isSweepDue = false
        /// What the desk is to hear once its last orders are carried out.
        var inputs = CircularBuffer<CallInput>()
        /// Whether the desk decides what came in this turn of the loop once all of it has come, and the turn
        /// is closed behind that.
        var isDecisionDue = false
        var isPerforming = false
        var alarm: Scheduled<Void>?
        var alarmAt: Instant?
    }

    /// This node.
    let me: NodeID
    let loop: any EventLoop
    let tables: NIOLoopBoundBox<Tables>
    let desk: Mutex<CallDesk>
    let trail: AuditTrail
    let resources: ResourceClient
    /// Nil: no engine is asked.
    let policy: ExternalPolicyDesk?
    /// What opens what peers seal to this node.
    let encryption: EncryptionKeys
    private let rules: Mutex<PrincipalRules>
    let transport: Mutex<LinkTransport?> = Mutex(nil)
    /// Where the control plane hears which links calls want and use; nil until it runs.
    let inputs: Mutex<Mailbox?> = Mutex(nil)
    /// What tells how the agent does; nil until it runs.
    let metrics: Mutex<MetricsWriter?> = Mutex(nil)
    private let log: Logger

    init(
        _ me: NodeID, desk: CallDesk, on loop: any EventLoop, resources: ResourceClient, trail: AuditTrail,
        encryption: EncryptionKeys, policy: ExternalPolicyDesk? = nil,
        programs: OrderedTable<ResourceName, [String]> = OrderedTable(), principals: PrincipalRules,
        log: Logger
    ) {
        self.me = me
        self.encryption = encryption
        self.loop = loop
        self.desk = Mutex(desk)
        self.trail = trail
        self.resources = resources
        self.policy = policy
        rules = Mutex(principals)
        self.log = log
        tables = NIOLoopBoundBox.makeBoxSendingValue(
            Tables(toolPrograms: ToolPrograms(programs)), eventLoop: loop)
    }

    /// Who applications are, and whom they may name.
    var principals: PrincipalRules { rules.withLock { $0 } }

    /// How calls do, for the page of metrics.
    var standing: MetricsWriter.CallStanding {
        let now = SystemClock.now().instant
        return desk.withLock { desk in
            MetricsWriter.CallStanding(
                tally: desk.tally, breakers: desk.breakers(at: now),
                kept: ResponseCache.Result.allCases.map { ($0.rawValue, desk.cache.times($0)) })
        }
    }

    /// From the next call on these rules hold.
    func follow(_ new: PrincipalRules) { rules.withLock { $0 = new } }

    /// Tells the desk, and performs what it orders. From another thread it hops to the loop.
    ///
    /// What comes in one turn of the loop is decided together, behind all that was read in it: the decisions
    /// share a lock, a look at the clock and the processor's caches.
    func submit(_ input: CallInput) {
        guard loop.inEventLoop else { return loop.execute { self.submit(input) } }
        tables.value.inputs.append(input)
        guard !tables.value.isPerforming, !tables.value.isDecisionDue else { return }
        tables.value.isDecisionDue = true
        tables.value.turn.wait()
        loop.execute { self.decide() }
    }

    /// Has the desk decide at once what came in this turn so far, for who asks it about that.
    func catchUp() {
        if tables.value.isDecisionDue, !tables.value.isPerforming { perform {} }
    }

    /// Does something once all is decided that was submitted before, from whichever thread.
    func behindDecisions(_ work: @escaping @Sendable () -> Void) {
        // A decision is a task that its submission asks for.
        loop.execute { self.loop.execute(work) }
    }

    private func decide() {
        perform {}
        tables.value.isDecisionDue = false
        closeTurn()
    }

    /// Does `first`, and then has the desk decide what was submitted, also meanwhile: it hears of nothing
    /// while an effect is being performed.
    func perform(_ first: () -> Void) {
        precondition(!tables.value.isPerforming, "orders are performed within others")
        tables.value.isPerforming = true
        first()
        while !tables.value.inputs.isEmpty {
            let now = SystemClock.now()
            let ordered = desk.withLock { desk in
                var ordered: [[CallEffect]] = []
                while let input = tables.value.inputs.popFirst() {
                    var outbox = Outbox<CallEffect>()
                    desk.handle(input, at: now, into: &outbox)
                    if !outbox.isEmpty { ordered.append(outbox.drain()) }
                }
                return ordered
            }
            for effects in ordered { carryOut(tables.value.line.add(effects)) }
        }
        tables.value.isPerforming = false
        setAlarm(desk.withLock { $0.nextDeadline })
    }

    /// Which connection carries the calls for a peer now; nil: none.
    func setLink(_ node: NodeID, _ connection: ConnectionID?) {
        guard loop.inEventLoop else { return loop.execute { self.setLink(node, connection) } }
        tables.value.links[node] = connection
        if connection == nil { tables.value.refusals.forget(node) }
        let relay = connection.flatMap { tables.value.peers[$0]?.origin.relay }
        submit(connection == nil ? .linkWentDown(node) : .linkCameUp(node, through: relay))
    }

    /// Whose calls come over a connection from now on, whether or not it becomes the link.
    func expect(_ node: NodeID, over connection: ConnectionID, from origin: LinkOrigin) {
        loop.execute { self.tables.value.peers[connection] = Caller(node: node, origin: origin) }
    }

    /// Whose calls come over a connection, and over what that runs.
    struct Caller {
        let node: NodeID
        let origin: LinkOrigin
    }

    /// It is gone.
    func connectionEnded(_ connection: ConnectionID) {
        loop.execute { self.tables.value.peers[connection] = nil }
    }

    /// Writes down what should not happen, with its cause; the log bounds how often.
    func note(_ what: String, _ error: any Error, _ about: Logger.Metadata = [:]) {
        log.warning("\(what)", metadata: about.merging(["cause": "\(error)"]) { _, cause in cause })
    }

    /// An answer begins: what the desk lets pass for this service comes from here.
    func begin(_ pipe: AnswerPipe, for service: ServiceID) {
        switch service {
        case .own(let attempt): tables.value.requests[attempt.request]?.own = (attempt, pipe)
        case .inbound(let key): tables.value.calls[key]?.pipe = pipe
        }
    }

    /// Bytes of a service's answer moved.
    func moved(_ service: ServiceID) {
        switch service {
        case .own(let attempt): submit(.bytesMoved(attempt.request))
        case .inbound(let key): submit(.serviceMoved(key))
        }
    }

    /// A service was answered before all of its request had come.
    func bodyEnded(_ service: ServiceID, _ partial: BodySummary) {
        switch service {
        case .own(let attempt): submit(.bodyEnded(attempt.request, partial))
        case .inbound(let key): submit(.serviceBodyEnded(key, partial))
        }
    }

    /// A peer's call is over on its stream.
    func forget(_ key: InboundKey) {
        guard let call = tables.value.calls.removeValue(forKey: key) else { return }
        release(call)
    }

    /// Makes room for so many more bytes of a peer's calls; false when it has its share.
    func keep(_ bytes: Int, for peer: NodeID) -> Bool {
        let kept = tables.value.kept[peer, default: 0] + bytes
        guard kept <= Limits.memoryPerPeer else { return false }
        tables.value.kept[peer] = kept
        return true
    }

    /// Makes room for one more answer that is kept as it passes; false when there is none.
    func beginKeeping() -> Bool {
        guard tables.value.keeping < Self.keepingMost else { return false }
        tables.value.keeping += 1
        return true
    }

    /// It is over.
    func endKeeping() { tables.value.keeping -= 1 }

    /// With what `Limits.keptBody` allows for each, 8 MiB.
    private static let keepingMost = 128

    /// A call that is over keeps nothing.
    func release(_ call: PeerCall) {
        guard let kept = tables.value.kept[call.peer] else { return }
        tables.value.kept[call.peer] = kept > call.keptBytes ? kept - call.keptBytes : nil
        call.keptBytes = 0
    }

    /// An alarm that is set earlier than it need be is left: it looks when it rings, and most calls are over
    /// long before their time is.
    private func setAlarm(_ deadline: Instant?) {
        if let set = tables.value.alarmAt, deadline.map({ set <= $0 }) ?? true { return }
        guard tables.value.alarmAt != deadline else { return }
        tables.value.alarm?.cancel()
        tables.value.alarmAt = deadline
        tables.value.alarm = deadline.map { deadline in
            let delay = max(.zero, deadline - SystemClock.now().instant) + .microseconds(100)
            return loop.scheduleTask(in: .nanoseconds(delay.wholeNanoseconds)) {
                self.tables.value.alarmAt = nil
                self.submit(.timeReached)
            }
        }
    }
}
