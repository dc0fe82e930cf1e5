import Logging
import MeshAgreements
import MeshAudit
import MeshBase
import MeshCredentials
import MeshGossip
import MeshLink
import MeshNode
import MeshStore
import MeshTrust
import MeshWire
import NIOCore

/// The one owner of the `Node`: drains the mailbox in batches, makes what was decided durable, and only then
/// lets it be seen.
///
///     inputs ──batch──> Node.handle ──effects──> journal, store (one transaction) ──> sockets, calls
///                            ^                                                           │
///                            └──────────── signatures ───────────────────────────────────┘
///
/// While the store cannot be written nothing is let out, and the batch is tried again with all that came
/// since: the node's state and what the world saw of it never part. Calls go on meanwhile by the last view,
/// less what was taken away since (`CallView.lessened`).
actor ControlPlane {
    private(set) var node: Node<SystemSuite>
    let inputs: Mailbox
    let store: Store
    let trail: AuditTrail
    private let hands: SigningHands
    private let encryption: EncryptionKeys
    private let calls: CallPlane
    let log: Logger
    private let loop: any EventLoop
    private var transport: LinkTransport?
    private var alarm: Scheduled<Void>?
    private var ticketsIssued: UInt64 = 0
    private var commands: [Ticket: CheckedContinuation<NodeAnswer, Never>] = [:]
    private(set) var confirmations = AskingJoiners()
    private var announcePairing: (@Sendable (PairingWindow) -> Void)?
    private var links: LinkShell?
    /// What was answered in this turn.
    private var answers: [(Ticket, NodeAnswer)] = []
    /// Connections whose first handshake is done: a repeated one travels in documents.
    private var admitted: Set<ConnectionID> = []
    /// Those that ended in this turn, in which they may be admitted yet.
    private var ended: [ConnectionID] = []
    private var meetingPlaces = MeetingPlaces()
    /// What calls are decided by.
    private(set) var published: CallView?
    var storeTrouble: StoreError?
    /// Whether something was decided that is durable nowhere, for the agent ended: nothing is decided on it.
    var hasGivenUp = false
    private(set) var clock = ClockWitness()
    private var news = PeerNewsDesk()
    /// Counts handshakes and trust.
    let meter = TrustMeter()

    init(
        node: Node<SystemSuite>, inputs: Mailbox, store: Store, trail: AuditTrail,
        hands: SigningHands, encryption: EncryptionKeys, calls: CallPlane,
        loop: any EventLoop, log: Logger
    ) {
        self.node = node
        self.inputs = inputs
        self.store = store
        self.trail = trail
        self.hands = hands
        self.encryption = encryption
        self.calls = calls
        self.loop = loop
        self.log = log
    }

    /// What calls used of agreements' limits.
    var meters: MeterBook { calls.desk.withLock { $0.meters } }

    /// Takes up what was stored, and begins to perform over `transport`.
    func start(over transport: LinkTransport, _ links: LinkShell) async {
        self.transport = transport
        self.links = links
        var outbox = Outbox<NodeEffect>()
        node.start(at: SystemClock.now(), into: &outbox)
        await settle(outbox.drain())
    }

    /// Who is to be told whether a window for pairing is open.
    func announcePairing(_ announce: @escaping @Sendable (PairingWindow) -> Void) {
        announcePairing = announce
    }

    /// Serves the mailbox until it is closed.
    func run() async {
        while !hasGivenUp, let first = await inputs.take() { await turn(first) }
        alarm?.cancel()
        for continuation in commands.values { continuation.resume(returning: .refused([Refusal(.draining)])) }
        commands = [:]
    }

    /// Whether the plane answers at all: who gets this answer knows.
    var isThere: Bool { true }

    /// Orders something of the node and waits for its answer.
    func command(_ command: NodeCommand) async -> NodeAnswer {
        ticketsIssued += 1
        let ticket = Ticket(ticketsIssued)
        return await withCheckedContinuation { continuation in
            commands[ticket] = continuation
            if !inputs.post(.commanded(ticket, command)) {
                commands.removeValue(forKey: ticket)?.resume(returning: .refused([Refusal(.draining)]))
            }
        }
    }

    /// Takes up a batch: what it begins with, and what the mailbox has more of it by then.
    private func turn(_ first: [ControlLetter]) async {
        var outbox = Outbox<NodeEffect>()
        handleBatch(first, into: &outbox)
        await settle(outbox.drain())
    }

    func handleBatch(_ first: [ControlLetter], into outbox: inout Outbox<NodeEffect>) {
        for letter in first { handle(letter, into: &outbox) }
        while let letter = inputs.more() { handle(letter, into: &outbox) }
    }

    private func handle(_ letter: ControlLetter, into outbox: inout Outbox<NodeEffect>) {
        switch letter {
        case .input(let input): handle(input, into: &outbox)
        case .document(let id, let unread):
            // Of one that is held back nothing else may come for a while, and it is not silent.
            if unread.stage == .link { handle(.heard(id), into: &outbox) }
            for input in links?.read(unread, of: id) ?? [] { handle(input, into: &outbox) }
        }
    }

    private func handle(_ input: NodeInput, into outbox: inout Outbox<NodeEffect>) {
        if case .connectionClosed(let id) = input { ended.append(id) }
        node.handle(input, at: SystemClock.now(), into: &outbox)
    }

    /// Makes durable, performs, and goes round again with the signatures until nothing is left to sign.
    private func settle(_ first: [NodeEffect]) async {
        var effects = first
        while true {
            guard let durable = await madeDurable(effects) else { break }
            var signed: [NodeInput] = []
            for effect in durable {
                meter.note(effect)
                if case .sign(let request) = effect { sign(request, into: &signed) } else { perform(effect) }
            }
            guard !signed.isEmpty else { break }
            var outbox = Outbox<NodeEffect>()
            takeBack(signed, into: &outbox)
            effects = outbox.drain()
        }
        for id in ended where admitted.remove(id) != nil { calls.connectionEnded(id) }
        ended = []
        giveAnswers()
        setAlarm()
    }

    /// Behind everything else, by way of the loop on which calls are decided: what is acknowledged is in
    /// force for the next call.
    private func giveAnswers() {
        let given = answers
        answers = []
        for (ticket, answer) in given {
            guard let asker = commands.removeValue(forKey: ticket) else { continue }
            calls.behindDecisions { asker.resume(returning: answer) }
        }
    }

    /// Gives the node what it ordered.
    func takeBack(_ signed: [NodeInput], into outbox: inout Outbox<NodeEffect>) {
        for input in signed { node.handle(input, at: SystemClock.now(), into: &outbox) }
    }

    func sign(_ request: SigningRequest, into inputs: inout [NodeInput]) {
        do throws(CredentialError) {
            inputs.append(.signed(request.ticket, try hands.sign(request)))
        } catch {
            log.error(
                "a key does not sign",
                metadata: [
                    "cause": "\(error)", "kind": "\(request.kind.rawValue)",
                    "key": "\(request.hand.rawValue)",
                ])
            inputs.append(.signingFailed(request.ticket))
        }
    }

    // MARK: Performing

    func perform(_ effect: NodeEffect) {
        switch effect {
        case .dial(let id, let endpoint, let purpose):
            transport?.dial(endpoint, as: id, for: purpose == .pairing ? .pairing : .peer)
        case .dialThrough(let id, let dial): calls.dial(dial, as: id)
        case .send(let id, let document): send(document, on: id)
        case .admit(let id, let peer, let origin):
            guard admitted.insert(id).inserted else { break }
            // Its calls may be here already, and the rest of what is ordered takes its time.
            calls.expect(peer, over: id, from: origin)
            transport?.admit(id)
        case .repeatHandshake(let id): links?.repeatHandshake(id)
        case .awaitPeople(let id): transport?.awaitPeople(on: id, for: Limits.pairingDecision)
        case .ping(let id, let ping): transport?.sendPing(ping.bytes, on: id)
        case .close(let id, let code): transport?.close(id, code?.rawValue ?? "done")
        case .linkUp(let peer, let connection):
            clock.agreed(at: SystemClock.now())
            calls.setLink(peer, connection)
            keepPlace(for: peer)
        case .linkDown(let node): calls.setLink(node, nil)
        // A call that was let go before still finds its way: over the link as long as it stands.
        case .linkAtRest(let node): calls.submit(.linkAtRest(node))
        case .drain(let id): transport?.drain(id)
        case .publish(let view):
            published = view
            calls.submit(.viewPublished(view))
        case .pairing(let window):
            trying("the pairing door") { try transport?.setPairing(window == .closed ? .closed : .open) }
            announcePairing?(window)
        case .renewSessions: trying("TLS contexts") { try transport?.renew() }
        case .answer(let ticket, let answer): answers.append((ticket, answer))
        case .confirmationWanted, .persist: confirmations.note(effect)
        case .lookUp(let lookUp): look(up: lookUp)
        case .record(let records, _): news.tell(records, of: node, log)
        case .makeEncryptionKey: keepKeys { now throws(CredentialError) in try encryption.renew(at: now) }
        case .dropEncryptionKey: keepKeys { _ throws(CredentialError) in try encryption.dropPrevious() }
        case .sign: break
        }
    }

    /// Changes the file of the keys for sealed payloads. Where that fails the node orders it again later.
    private func keepKeys(_ change: (WallTime) throws(CredentialError) -> HeldEncryptionKeys?) {
        do throws(CredentialError) {
            guard let held = try change(SystemClock.now().wall) else { return }
            _ = inputs.post(.encryptionKeysHeld(held))
        } catch {
            log.error("the keys for sealed payloads cannot be kept", metadata: ["cause": "\(error)"])
        }
    }

    /// Strangers who flood the link port leave room for addresses where peers were met.
    private func keepPlace(for peer: NodeID) {
        guard let link = node.gossip.link(with: peer), link.relay == nil,
            meetingPlaces.note(link.remote.host, of: peer)
        else { return }
        transport?.setKnownAddresses(meetingPlaces.all)
    }

    private func send(_ document: LinkDocument, on id: ConnectionID) {
        do throws(WireError) {
            // What peers wrote travels on in documents of this node: none is worth the process.
            let bytes = try Document.encode(document, limit: Limits.framePayload)
            switch document {
            case .handshake(.accept) where !admitted.contains(id): transport?.finishHandshake(bytes, on: id)
            case .handshake where !admitted.contains(id): transport?.sendHandshake(bytes, on: id)
            default: transport?.sendDocument(bytes, on: id)
            }
        } catch {
            log.error("a document cannot be written", metadata: ["cause": "\(error)"])
        }
    }

    private func trying(_ what: String, _ work: () throws -> Void) {
        do {
            try work()
        } catch {
            log.error("\(what) cannot be renewed", metadata: ["cause": "\(error)"])
        }
    }

    private func setAlarm() {
        alarm?.cancel()
        alarm = node.nextDeadline.map { deadline in
            let delay = max(.zero, deadline - SystemClock.now().instant) + .microseconds(100)
            return loop.scheduleTask(in: .nanoseconds(delay.wholeNanoseconds)) { [inputs] in
                _ = inputs.post(.timeReached)
            }
        }
    }
}
