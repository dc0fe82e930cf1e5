import Logging
import MeshAgreements
import MeshAudit
import MeshBase
import MeshCredentials
import MeshGateway
import MeshNode
import MeshStore
import MeshTrust
import NIOCore
import NIOPosix

/// What an agent stands on and what needs no socket: keys, store, journal, the node and the desk as they
/// were.
struct AgentGround: Sendable {
    let group: MultiThreadedEventLoopGroup
    let store: Store
    let journal: Journal
    let trail: AuditTrail
    let inputs: Mailbox
    let plane: ControlPlane
    let calls: CallPlane
    let resources: ResourceClient
    let identity: NodeIdentity
    /// The join token with which the agent was started; nil: none.
    let token: JoinToken?
    let log: Logger
    private let served: Task<Void, Never>
    private let auditAge: Duration

    /// Inputs from outside that may wait; above it witnesses and signs of life are dropped.
    private static let mailboxCapacity = 8_192

    static func lay(
        in home: Home, _ configuration: AgentConfiguration, _ environment: [String: String],
        _ surroundings: Surroundings, adjusting adjust: (inout NodeConfiguration) -> Void = { _ in }
    ) throws -> AgentGround {
        let log = surroundings.log.logger
        let store = try Store.open(path: home.store)
        let journal = try Journal.open(
            folder: home.journal, limits: JournalLimits(totalBytes: configuration.audit.bytes))
        for damage in journal.opening.damages {
            log.error("the audit journal is damaged", metadata: ["where": "\(damage)"])
        }
        let trail = AuditTrail(
            journal: journal, index: try AuditIndex(store: store, journal: journal), store: store)
        let stored = try RestoredHome.markingLost(home, store)
        let now = SystemClock.now()
        let identity = try NodeIdentity.prepare(
            in: home, name: configuration.name, store: store, stored: stored, at: now)
        surroundings.identify(as: identity.own)
        var settings = nodeConfiguration(configuration)
        adjust(&settings)
        var restored = try StoredNode.restored(from: stored)
        restored.anchor = try AnchorKey.publicKey(at: home.anchorKey)
        if restored.anchor != nil {
            restored.anchorCertificate = try AnchorKey.certificate(at: home.anchorKey)
        }
        let encryption = try EncryptionKeys.load(from: home.encryptionKeys)
        restored.encryption = encryption.held
        let token = try GivenToken.read(environment, isMember: restored.home != nil, log)
        let node = Node(
            me: identity.own, restored: restored, configuration: settings,
            suite: SystemSuite(),
            generator: SeededGenerator(seed: UInt64(bigEndian: SystemRandom.bytes(8))))
        // One loop for applications, links and backends: no call crosses a thread (Docs/Decisions/0013).
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let inputs = Mailbox(capacity: mailboxCapacity)
        let resources = ResourceClient(ResourceClientConfiguration(), on: group)
        let desk = CallDesk(
            view: node.callView(at: now), audit: settings.audit,
            generator: SeededGenerator(seed: UInt64(bigEndian: SystemRandom.bytes(8))))
        let calls = CallPlane(
            identity.own.node, desk: desk, on: loop, resources: resources, trail: trail,
            encryption: encryption, policy: try ExternalPolicyDesk.prepare(configuration.policy, in: home),
            programs: configuration.mcp.servers, principals: PrincipalRules(configuration.gateway), log: log)
        let plane = ControlPlane(
            node: node, inputs: inputs, store: store, trail: trail,
            hands: SigningHands(
                identity: Signer(identity.key), token: token?.signer, anchorPath: home.anchorKey),
            encryption: encryption, calls: calls, loop: loop, log: log)
        calls.submit(.roomMeasured(bytes: journal.room))
        calls.submit(.keysRestored(try stored.idempotencyEntries))
        calls.submit(.metersRestored(try stored.meterRecords))
        inputs.post(.roomMeasured(bytes: journal.room))
        try tellRestore(stored, store, inputs)
        inputs.post(.callsFoundUnfinished(try trail.index.unfinishedCalls()))
        let days = Int64(configuration.audit.days)
        return AgentGround(
            group: group, store: store, journal: journal, trail: trail, inputs: inputs, plane: plane,
            calls: calls,
            resources: resources, identity: identity, token: token?.token, log: log,
            served: Task { await plane.run() },
            auditAge: .seconds(days * 24 * 3_600))
    }

    /// Writes down, once, that this home was restored.
    private static func tellRestore(
        _ stored: StoredState, _ store: Store, _ inputs: Mailbox
    ) throws(StoreError) {
        func value(_ key: String) -> String? { stored.settings.first { $0.key == key }?.value }
        guard let made = value(RestoredHome.setting), value(RestoredHome.toldSetting) == nil else { return }
        let time = Int64(made).map { RFC3339.text(WallTime(milliseconds: $0)) } ?? made
        inputs.post(.commanded(Ticket(0), .note("home restored", [Fact("backup of", time)])))
        try store.commit([.putSetting(SettingRow(key: RestoredHome.toldSetting, value: "yes"))])
    }

    private static func nodeConfiguration(_ configuration: AgentConfiguration) -> NodeConfiguration {
        var node = NodeConfiguration()
        node.agreements = AgreementConfiguration(configuration)
        node.calls.external = ExternalPolicyRules(configuration.policy)
        node.calls.rates = configuration.calls
        node.audit.storeBytes = configuration.audit.bytes
        node.audit.retention = .seconds(configuration.audit.days * 24 * 3_600)
        return node
    }

    /// Keeps the audit indexed, its room known and its age bounded, until the task is cancelled.
    func keepUp() async {
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                await trail.index.keepUp(every: .milliseconds(500)) { error in
                    log.error("the audit index falls behind", metadata: ["cause": "\(error)"])
                }
            }
            tasks.addTask { await measure() }
        }
    }

    private func measure() async {
        var seconds = 0
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: .seconds(1))
            } catch {
                return
            }
            let room = journal.room
            calls.submit(.roomMeasured(bytes: room))
            inputs.post(.roomMeasured(bytes: room), .droppable)
            seconds += 1
            if seconds.isMultiple(of: HeapTrim.interval) { HeapTrim.giveBack() }
            if seconds % ProgramTrim.interval == ProgramTrim.delay { ProgramTrim.giveBack() }
            if seconds.isMultiple(of: 60) { await retire() }
        }
    }

    /// Removes what is too much, and what is old when the clock can be believed.
    private func retire() async {
        let now = SystemClock.now()
        let isVouchedFor = await plane.clock.vouches(at: now)
        do {
            try trail.index.retire(at: now.wall, age: isVouchedFor ? auditAge : nil)
            if isVouchedFor { _ = try store.removeIdempotency(expiredAt: now.wall) }
        } catch {
            log.error("old events cannot be removed", metadata: ["cause": "\(error)"])
        }
    }

    /// Ends everything in reverse; what was written is synced.
    func close() async {
        inputs.close()
        await served.value
        await calls.endToolSessions()
        await resources.close()
        journal.close()
        do {
            try await calls.policy?.close()
            try store.close()
            try await group.shutdownGracefully()
        } catch {
            log.error("the agent did not end cleanly", metadata: ["cause": "\(error)"])
        }
    }
}

extension AgreementConfiguration {
    init(_ configuration: AgentConfiguration) {
        self.init(
            automaticAcceptance: configuration.agreements.autoAccept == .none ? .none : .short,
            echoOffer: configuration.isEchoOffered ? .trustedPeers : .none,
            approvalsRequired: configuration.agreements.requireApprovals.map(\.role))
    }
}
