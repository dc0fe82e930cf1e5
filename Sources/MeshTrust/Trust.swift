import MeshBase

/// Who a peer is and what it may do: the machine of trust (protocol sections 1 to 3).
///
/// It holds the pin book, the invites, every handshake under way and every attempt to join, and lets each do
/// its part:
///
///     connection secured -> Handshake -> established -> pairing: trusted on both sides, one transcript
///                                                    -> peering: boot ID held against the book, then a link
///                                     -> refused     -> told as a code and a reference, recorded in full
///     operator: suspend, resume, revoke, forget      -> at once: pin book, links cut, the peer told
///
/// Callers owe it: one `connectionSecured` per connection before its messages, one `connectionClosed` at its
/// end, the answer to every `.sign`, and `timeReached` no earlier than `nextDeadline`. A `.persist` must be
/// durable before any effect behind it is performed. There is no way from discovery into the pin book: only
/// an established handshake under an invite adds a peer.
public struct Trust<Suite: SignatureSuite>: Sendable {
    /// Whom this node knows.
    public internal(set) var pins: PinBook
    /// The invites that are open here.
    public internal(set) var invites: InviteBook
    /// Which anchors count here, and what was shown under them.
    public internal(set) var domains: DomainBook
    /// This node. Its boot ID changes only where its home was restored (`Trust+Boots`).
    public internal(set) var me: OwnIdentity

    let suite: Suite
    let origin: HomeOrigin
    /// The number with which this process began.
    let bootAtStart: Int64
    var generator: SeededGenerator
    var handshakes = OrderedTable<ConnectionID, RunningHandshake>()
    var signatures = OrderedTable<Ticket, ConnectionID>()
    var joins = OrderedTable<Ticket, JoinAttempt>()
    /// The operator's window for pairing by words.
    public internal(set) var words = WordPairing()
    var consents = OrderedTable<InviteName, AwaitedConsent>()
    var returnedBoots = OrderedTable<NodeID, ReturnedBoot>()
    var noticesHeard = OrderedTable<NodeID, Instant>()
    var deadlines = Deadlines<TrustAlarm>()
    var issuances = OrderedTable<Ticket, Issuance>()
    var tokensInTheMaking = OrderedTable<Ticket, TokenInTheMaking>()
    var papersInTheMaking = OrderedTable<Ticket, PaperInTheMaking>()
    /// What the operator ordered about other domains, in turn: the first is decided and being signed.
    var partnerOrders: [PendingPartnerOrder] = []
    /// Who was asked for its domain's bundle, for whom.
    var bundleQuestions = OrderedTable<Ticket, NodeID>()
    /// How it stands with the token that this node was given; nil: it has none, or needs none any more.
    public internal(set) var enrolment: Enrolment?
    var seeking = Seeking.nobody
    var credentialChecks = OrderedTable<NodeID, TokenBucket>()
    /// What trusted peers showed that is dated ahead of this clock: the last of each, judged again later.
    var earlyCredentials = OrderedTable<NodeID, CredentialChain>()
    var proofChecks = OrderedTable<NodeID, TokenBucket>()
    var paperChecks = OrderedTable<NodeID, TokenBucket>()
    var bundleTakes = OrderedTable<DomainID, TokenBucket>()
    /// What a member named last of papers that this node does not hold; nil: none has since the start.
    var papersMissed: [Digest]?
    var paperAnswers = OrderedTable<NodeID, TokenBucket>()
    /// When the next step of a renewal may be taken, and whose turn it is.
    var nextRenewal = Instant.zero
    var issuersAsked = 0
    private var ticketsIssued: UInt64 = 0

    /// A node's trust as it was stored; `generator` is for references and jitter only.
    public init(
        me: OwnIdentity, pins: PinBook, invites: InviteBook, domains: DomainBook = DomainBook(),
        origin: HomeOrigin = .own, suite: Suite, generator: SeededGenerator
    ) {
        self.me = me
        self.origin = origin
        bootAtStart = me.boot.number
        self.pins = pins
        self.invites = invites
        self.domains = domains
        self.suite = suite
        self.generator = generator
    }

    /// When `timeReached` is due; nil when nothing waits for time.
    public var nextDeadline: Instant? { deadlines.next }

    /// Whether the listener should offer `comity-pair/1` now: what the shell asks once at start.
    public func pairingWindow(at now: Moment) -> PairingWindow {
        let isOpen = invites.isOpen(at: now.wall) || domains.isIssuer(at: now.wall)
        return words.isOpen ? .announced : isOpen ? .open : .closed
    }

    /// Sets the alarms of what was restored.
    public mutating func start(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        scheduleInviteExpiry(at: now)
        startDomains(at: now, into: &effects)
        effects.post(.pairing(pairingWindow(at: now)))
    }

    /// The one entrance.
    public mutating func handle(_ input: TrustInput, at now: Moment, into effects: inout Outbox<TrustEffect>)
    {
        switch input {
        case .connectionSecured(let connection, let secured, let intent):
            begin(connection, secured, intent, at: now, into: &effects)
        case .messageArrived(let connection, let message):
            advance(connection, at: now, into: &effects) { $0.receive(message, $1, using: $2) }
        case .messageUnreadable(let connection, let problem):
            let refusal = Refusal(.handshakeMalformed, [Fact("problem", problem)])
            advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(refusal) }
        case .signed(let ticket, let signature):
            if takeIssuingSignature(ticket, signature, at: now, into: &effects) { return }
            if takePaperSignature(ticket, signature, at: now, into: &effects) { return }
            guard let connection = signatures.remove(ticket) else { return }
            advance(connection, at: now, into: &effects) { handshake, ground, suite in
                handshake.receive(signature: signature, ground, using: suite)
            }
        case .signingFailed(let ticket): giveUp(ticket, at: now, into: &effects)
        case .connectionClosed(let connection): forget(connection, at: now, into: &effects)
        case .doorClosed(let connection):
            joinFoundDoorClosed(connection)
            pairingFailed(connection, WordPairing.closed, at: now, into: &effects)
        case .inviteRequested(let ticket, let secret, let life, let confirmation):
            openInvite(ticket, secret: secret, life: life, confirmation, at: now, into: &effects)
        case .inviteConfirmed(let ticket, let name, let pin, let consent):
            confirm(ticket, name, by: pin, consent, at: now, into: &effects)
        case .inviteWithdrawn(let ticket, let name): withdraw(ticket, name, at: now, into: &effects)
        case .joinRequested(let ticket, let request): beginJoin(ticket, request, at: now, into: &effects)
        case .pairingOrdered(let ticket, let order): pair(order, ticket, at: now, into: &effects)
        case .domainRequested(let ticket, let label, let anchor, let roles):
            found(ticket, label, anchor: anchor, giving: roles, at: now, into: &effects)
        case .tokenRequested(let ticket, let order): makeToken(ticket, order, at: now, into: &effects)
        case .enrolmentOrdered(let token): orderEnrolment(token, at: now, into: &effects)
        case .anchorChanged(let anchor):
            domains.anchor = anchor
            keepBundle(at: now, into: &effects)
        case .anchorCertified(let certificate):
            domains.anchorCertificate = certificate
            keepBundle(at: now, into: &effects)
        case .partnerOrdered(let ticket, let order): decide(order, ticket, at: now, into: &effects)
        case .bundleRequested(let ticket, let node): askForBundle(node, ticket, at: now, into: &effects)
        case .houseAgreementChanged(let contentID): domains.houseAgreement = contentID
        case .domainMessageArrived(let node, let message):
            hear(message, from: node, at: now, into: &effects)
        case .memberProved(let proof, let node): hear(proof, from: node, at: now, into: &effects)
        case .linkCameUp(let node):
            greet(node, at: now, into: &effects)
            askAgain(node, into: &effects)
            namePapers(to: node, at: now, into: &effects)
        case .decided(let ticket, let node, let decision, let note):
            decide(ticket, node, decision, note: note, at: now, into: &effects)
        case .noticeArrived(let node, let notice): hear(notice, from: node, at: now, into: &effects)
        case .left(let node, let until): hear(of: node, leavingUntil: until, at: now, into: &effects)
        case .contradicted(let node, let evidence):
            suspend(
                node, TrustEvidence(kind: .alarm, transcript: nil, note: evidence), at: now, into: &effects)
            convictVouched(node, evidence: evidence, at: now, into: &effects)
        case .timeReached: reachTime(at: now, into: &effects)
        }
    }

    /// A ticket of this machine.
    mutating func newTicket() -> Ticket {
        ticketsIssued += 1
        return Ticket(ticketsIssued)
    }

    /// What a handshake's checks are held against now.
    func ground(at now: Moment) -> HandshakeGround {
        HandshakeGround(
            me: me, pins: pins, invites: invites, words: words, domains: domains, now: now)
    }
}

// MARK: - Handshakes

extension Trust {
    private mutating func begin(
        _ connection: ConnectionID, _ secured: SecuredConnection, _ intent: DialIntent?, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard secured.role == .responder || intent != nil else {
            preconditionFailure("\(connection): dialled without knowing whom to accept")
        }
        guard secured.role == .initiator || secured.purpose == .peering || pairingWindow(at: now) != .closed
        else {
            return effects.post(.close(connection, .pairingClosed))
        }
        // A repeated handshake must not get the signature that an earlier one ordered.
        end(connection)
        handshakes[connection] = RunningHandshake(
            handshake: Handshake(secured, intent: intent), began: now.instant)
        deadlines.set(.handshake(connection), at: now.instant + Limits.handshakeMessageTime)
        advance(connection, at: now, into: &effects) { $0.begin($1, using: $2) }
    }

    /// Lets one handshake take a step and performs what it orders.
    mutating func advance(
        _ connection: ConnectionID, at now: Moment, into effects: inout Outbox<TrustEffect>,
        _ step: (inout Handshake, HandshakeGround, Suite) -> [Handshake.Step]
    ) {
        guard var running = handshakes[connection] else { return }
        let steps = step(&running.handshake, ground(at: now), suite)
        deadlines.set(.handshake(connection), at: running.deadline(at: now.instant))
        handshakes[connection] = running
        for step in steps { perform(step, on: connection, running.handshake, at: now, into: &effects) }
    }

    private mutating func perform(
        _ step: Handshake.Step, on connection: ConnectionID, _ handshake: Handshake, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        switch step {
        case .send(let message): effects.post(.send(connection, message))
        case .sign(let kind, let payload, let hand):
            let ticket = newTicket()
            signatures[ticket] = connection
            effects.post(.sign(SigningRequest(ticket: ticket, kind: kind, payload: payload, hand: hand)))
        case .enrol(let record, let node, let key, _):
            enrol(record, node, key, on: connection, at: now, into: &effects)
        case .referred(let endpoints):
            end(connection)
            effects.post(.referred(endpoints))
            effects.post(.close(connection, nil))
        case .claimInvite(let name, let pin, let claimed):
            claim(name, by: pin, calling: claimed, on: connection, at: now, into: &effects)
        case .claimWords: claimWords(connection, handshake, at: now, into: &effects)
        case .compare(let sum): compare(sum, on: connection, into: &effects)
        case .awaitPeople: effects.post(.awaitPeople(connection))
        case .refuse(let refusal): refuse(connection, handshake, refusal, at: now, into: &effects)
        case .denied(let denial): denied(connection, handshake, denial.turned, at: now, into: &effects)
        case .establish(let establishment):
            end(connection)
            switch handshake.connection.purpose {
            case .pairing where establishment.granted != nil:
                finishEnrolment(establishment, connection, handshake, at: now, into: &effects)
            case .pairing: makeTrust(establishment, connection, handshake, at: now, into: &effects)
            case .peering: admit(establishment, connection, handshake, at: now, into: &effects)
            }
        }
    }

    /// Tells the other end as little as it may know, and the record everything.
    private mutating func refuse(
        _ connection: ConnectionID, _ handshake: Handshake, _ refusal: Refusal, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        let reference = Octets(generator.bytes(8))
        let claimed = handshake.claimedNode
        let isTrusted = handshake.provedNode.map(pins.isTrusted) ?? false
        let isToldInFull = handshake.mayTell(refusal.code, isTrusted: isTrusted)
        let accepted = refusal.code == .bootReturned ? handshake.provedNode.flatMap { pins[$0]?.boot } : nil
        let denial = Denial(
            code: isToldInFull ? refusal.code : .handshakeRefused, reference: reference,
            facts: handshake.mayTellFacts(of: refusal.code, isTrusted: isTrusted) ? refusal.facts : [],
            boot: isToldInFull ? accepted?.number : nil)
        let remote = handshake.connection.remote
        effects.post(
            .record(.handshakeRefused(reference: reference, remote: remote, claimed: claimed, refusal)))
        effects.post(.send(connection, .deny(denial)))
        end(connection)
        effects.post(.close(connection, refusal.code))
        joinFailed(connection, refusal, at: now, into: &effects)
        pairingFailed(connection, refusal, at: now, into: &effects)
        enrolmentFailed(handshake, refusal)
        countWrongProof(refusal, handshake, at: now, into: &effects)
        if let accepted, let node = handshake.provedNode, let returned = handshake.returnedBoot {
            bootReturned(node, accepted, returned, at: now, into: &effects)
        }
    }

    /// Holds the boot ID against the book; a higher one replaces, a returned one is an alarm (protocol
    /// section 1).
    private mutating func admit(
        _ establishment: Establishment, _ connection: ConnectionID, _ handshake: Handshake, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        // Judged once more: what it proved may have ended while the other end took its time.
        let shown = judgeAgain(establishment, at: now, into: &effects)
        let known = pins[establishment.node].flatMap { $0.state == .trusted ? $0 : nil }
        let met = shown.held.flatMap { held in
            known == nil ? trustMember(establishment, held, connection, at: now, into: &effects) : nil
        }
        guard var peer = known ?? met else {
            return effects.post(.close(connection, shown.refusal?.code ?? .peerUnknown))
        }
        if let held = shown.held {
            domains.partners.declined[held.membership.domain] = nil
            if known != nil {
                hold(held, of: peer.node, at: now, into: &effects)
                peer = pins[peer.node] ?? peer
            }
        }
        if let accepted = peer.boot, establishment.boot != accepted,
            establishment.boot.number <= accepted.number
        {
            effects.post(.close(connection, .bootReturned))
            return bootReturned(peer.node, accepted, establishment.boot, at: now, into: &effects)
        }
        if peer.boot != establishment.boot {
            peer.boot = establishment.boot
            pins.write(peer)
            effects.post(.persist(.peer(peer)))
        }
        effects.post(
            .admit(
                connection,
                AdmittedPeer(
                    node: peer.node, role: handshake.connection.role, boot: establishment.boot,
                    skew: establishment.skew, certificateExpires: establishment.certificateExpires,
                    remote: handshake.connection.remote, transcript: establishment.transcript,
                    membership: domains.members[peer.node]?.membership)))
    }

    /// Nothing more is expected of this handshake; the connection itself may go on as a link.
    mutating func end(_ connection: ConnectionID) {
        handshakes[connection] = nil
        deadlines.cancel(.handshake(connection))
        signatures.removeAll { _, owner in owner == connection }
        consents.removeAll { _, waiting in waiting.connection == connection }
    }

    private mutating func forget(
        _ connection: ConnectionID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        end(connection)
        let refusal = Refusal(.peerUnreachable, [Fact("because", "the connection failed")])
        joinFailed(connection, refusal, at: now, into: &effects)
        pairingFailed(connection, refusal, at: now, into: &effects)
    }

    private mutating func reachTime(at now: Moment, into effects: inout Outbox<TrustEffect>) {
        while let alarm = deadlines.takeDue(at: now.instant) {
            switch alarm {
            case .handshake(let connection):
                guard let late = handshakes[connection]?.lateness(at: now.instant) else { continue }
                advance(connection, at: now, into: &effects) { handshake, _, _ in handshake.abandon(late) }
            case .join(let ticket): continueJoin(ticket, at: now, into: &effects)
            case .inviteExpiry: expireInvites(at: now, into: &effects)
            case .pairingWindow: pairingTimePassed(at: now, into: &effects)
            case .pairingDial: dialForWords(at: now, into: &effects)
            case .domain:
                reassess(at: now, into: &effects)
                renewIfDue(at: now, into: &effects)
                redateDecision(at: now, into: &effects)
                scheduleDomains(at: now)
            case .papers: repeatPapers(at: now, into: &effects)
            case .bundleQuestion(let ticket): bundleDidNotCome(ticket, into: &effects)
            }
        }
    }
}
