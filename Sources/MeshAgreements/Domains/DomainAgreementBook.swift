import MeshBase

/// The agreements in which a domain is a party, as far as they hold for this node: how they come about, how
/// they reach every member, and what the evaluator is told.
///
///     (nothing) ──offered here, or shown by who may sign for the other party──> offered
///     offered ──who may sign here signs──> active ──> every member of both parties
///     (nothing), offered ──shown by a peer of either party, both signatures and chains hold──> active
///     offered, active ──a word of who may sign for either party──> withdrawn, ended ──> the same
///
/// Who may sign: the node itself where it is the party, a holder of the role `agree` where its domain is.
/// What is held of one document is joined with what a peer shows: signatures and an ending are only added, so
/// whatever the order of messages, nodes that told each other all they hold hold the same. An offer is known
/// to those who may sign it; all else to every member of either party, and to nobody outside: each peer's
/// proved membership is asked at each message.
///
/// What permits must be proved now; what ends need only have been proved once. So the signature for this
/// node's own party counts when it comes if its signer may sign now, or if a member that may sign now shows
/// it; what was taken once stays, whoever leaves later. A revocation counts if its signer could sign at any
/// moment since the agreement was made. Docs/Decisions/0035 says why.
///
/// Of two active versions of one agreement the greater (version, time, content id) counts. Bounds:
/// `AgreementLimits.domainAgreements` in all and `domainAgreementsPerParty` with one party.
///
/// Callers owe it: `.restored` first; effects performed in order; an answer to every `.sign`; `nextDeadline`
/// kept. Source: protocol section 7.
public struct DomainAgreementBook<Chain: Codable & Equatable & Sendable>: Sendable, Equatable {
    let me: NodeID
    var generator: SeededGenerator
    /// By content id.
    var held = OrderedTable<Digest, DomainAgreementRecord<Chain>>()
    var peers = OrderedTable<NodeID, PeerFile>()
    /// Who is in which domain now, this node among them.
    var memberships = OrderedTable<NodeID, Membership>()
    var errands = OrderedTable<Ticket, Errand>()
    /// Whom to ask again, and when.
    var reminders = Deadlines<NodeID>()
    /// What the evaluator asks, of all that is held.
    public private(set) var index = AgreementIndex()
    var isStale = false
    /// How often what is held, or who is where, has changed.
    var changes: UInt64 = 0
    private var lastTicket: UInt64 = 0

    /// What is kept about one trusted peer.
    struct PeerFile: Sendable, Equatable {
        /// Signatures that may be checked because of it; nil before the first.
        var checks: TokenBucket?
        /// Lists that it may be answered; nil before the first.
        var lists: TokenBucket?
        /// Up to which content id it was shown what it lacks, by rising ids; nil: nothing is behind.
        var shownLast: Digest?
        /// How far things had changed here when a question of its was answered to the end.
        var answeredAt: UInt64?
    }

    /// What a signature is wanted for.
    enum Errand: Sendable, Equatable {
        case offer(Agreement, payload: Octets, ticket: Ticket)
        case acceptance(Digest, ticket: Ticket)
        case revocation(AgreementRevocation, payload: Octets, ticket: Ticket)

        /// Who waits for it.
        var ticket: Ticket {
            switch self {
            case .offer(_, _, let ticket), .acceptance(_, let ticket), .revocation(_, _, let ticket): ticket
            }
        }
    }

    /// - Parameter generator: for agreement ids; the book's own.
    public init(me: NodeID, generator: SeededGenerator) {
        self.me = me
        self.generator = generator
    }

    /// Everything that is held, by content id.
    public var records: [DomainAgreementRecord<Chain>] { held.values }

    /// What this node's resources others may call as its peer or as members of a domain: to `peer`, by name,
    /// each once. An offer is none of it.
    public func resourcesGranted(to peer: NodeID, at now: WallTime) -> [ResourceName] {
        var names = OrderedTable<ResourceName, Bool>()
        for entry in index.terms where entry.standing == .active && now < entry.agreement.validUntil {
            guard belongs(me, to: entry.agreement.source, at: now),
                belongs(peer, to: entry.agreement.target, at: now)
            else { continue }
            for grant in entry.agreement.grants { names[grant.resource] = true }
        }
        return names.keys
    }

    /// The record of this content id.
    public func record(_ contentID: Digest) -> DomainAgreementRecord<Chain>? { held[contentID] }

    /// Whether nothing waits for a signature here.
    public var isAtRest: Bool { errands.isEmpty }

    /// When `.timeReached` is due; nil when nothing waits for time.
    public var nextDeadline: Instant? { reminders.next }

    /// Takes one input at `now`; what follows from it is posted to `effects`.
    public mutating func handle(
        _ input: DomainAgreementInput<Chain>, at now: Moment,
        judging judge: some SignatoryJudge<Chain>, using suite: some SignatureSuite,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        switch input {
        case .restored(let records):
            for record in records { held[record.contentID] = record }
            isStale = true
        case .peerTrusted(let peer): if peers[peer] == nil { peers[peer] = PeerFile() }
        case .peerLost(let peer):
            peers[peer] = nil
            reminders.cancel(peer)
        case .membershipChanged(let node, let membership):
            change(membership, of: node, at: now.wall, into: &effects)
        case .linkCameUp(let peer):
            peers.update(peer) { ($0.shownLast, $0.answeredAt) = (nil, nil) }
            name(to: peer, .greeting, at: now.wall, into: &effects)
        case .offerRequested(let ticket, let request):
            offer(request, for: ticket, at: now.wall, using: suite, into: &effects)
        case .acceptanceRequested(let ticket, let contentID):
            accept(contentID, for: ticket, at: now.wall, into: &effects)
        case .revocationRequested(let ticket, let order):
            revoke(order, for: ticket, at: now.wall, using: suite, into: &effects)
        case .signed(let ticket, let signature):
            take(signature, for: ticket, at: now.wall, judging: judge, using: suite, into: &effects)
        case .signingFailed(let ticket): giveUp(ticket, into: &effects)
        case .messageArrived(let peer, .held(let list)):
            hear(list, from: peer, at: now, judging: judge, into: &effects)
        case .messageArrived(let peer, .shown(let content)):
            hear(content, from: peer, at: now, judging: judge, using: suite, into: &effects)
        case .timeReached: break
        }
        while let peer = reminders.takeDue(at: now.instant) {
            // What it lacks still is in its answer.
            peers.update(peer) { $0.answeredAt = nil }
            name(to: peer, .question, at: now.wall, into: &effects)
        }
        reindex(into: &effects)
    }

    /// Orders a signature and remembers what for.
    mutating func order(
        _ errand: Errand, _ kind: DocumentKind, over payload: Octets,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        lastTicket += 1
        let ticket = Ticket(lastTicket)
        errands[ticket] = errand
        effects.post(.sign(SigningRequest(ticket: ticket, kind: kind, payload: payload)))
    }

    /// Keeps what a record has become, and shows it to whoever may know of it but `teller`, who did.
    mutating func settle(
        _ record: DomainAgreementRecord<Chain>, as action: AgreementAction, with other: NodeID,
        besides teller: NodeID?, at now: WallTime, judging judge: some SignatoryJudge<Chain>,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        held[record.contentID] = record
        isStale = true
        // Who told this lacks no more than before.
        if let teller, peers[teller]?.answeredAt == changes {
            peers.update(teller) { $0.answeredAt = changes + 1 }
        }
        changes += 1
        effects.post(.persist(record))
        effects.post(
            .record(
                AgreementNotice(
                    peer: other, action: action, contentID: record.contentID, agreement: record.agreement,
                    more: [
                        Fact("provider", record.agreement.source), Fact("consumer", record.agreement.target),
                    ]
                )))
        let shown = shown(record, judging: judge)
        for peer in peers.keys where peer != teller && mayKnow(peer, of: record, at: now) {
            effects.post(.send(peer, .shown(shown)))
        }
    }

    /// What others are shown: with the newest chains, since the first ones run out.
    func shown(
        _ record: DomainAgreementRecord<Chain>, judging judge: some SignatoryJudge<Chain>
    ) -> DomainAgreement<Chain> {
        DomainAgreement(
            document: record.content.document, signatories: record.content.signatories.map(judge.renewed),
            ending: record.content.ending.map {
                .init(document: $0.document, signatory: judge.renewed($0.signatory))
            })
    }

    /// A membership began, changed or ended.
    private mutating func change(
        _ membership: Membership?, of node: NodeID, at now: WallTime,
        into effects: inout Outbox<DomainAgreementEffect<Chain>>
    ) {
        let domains = Set(memberships.values.map(\.domain))
        memberships[node] = membership
        changes += 1
        // Whoever is proved to be of a domain that nobody else was makes judging possible what was not.
        let isNews = membership.map { !domains.contains($0.domain) } ?? false
        for peer in node == me || isNews ? peers.keys : [node] {
            name(to: peer, .greeting, at: now, into: &effects)
        }
    }

    /// Works out which versions overrule which, and what the evaluator asks.
    private mutating func reindex(into effects: inout Outbox<DomainAgreementEffect<Chain>>) {
        guard isStale else { return }
        isStale = false
        let versions = Dictionary(grouping: held.values) { MeterKey($0.agreement) }
        for record in held.values {
            let overruled = overruling(of: record, among: versions[MeterKey(record.agreement)] ?? [])
            held.update(record.contentID) { $0.overruled = overruled }
        }
        index = AgreementIndex(held.values.map(\.terms))
        effects.post(.changed)
    }

    /// Why another of all `versions` of its agreement puts this one out of force; empty when none does.
    private func overruling(
        of record: DomainAgreementRecord<Chain>, among versions: [DomainAgreementRecord<Chain>]
    ) -> [Fact] {
        guard !record.content.stage.isOver else { return [] }
        for other in versions where other.contentID != record.contentID {
            if other.content.stage == .ended, let word = other.content.ending?.document.body {
                return word.facts
            }
        }
        let isBeaten = versions.contains { $0.content.stage == .active && $0.precedes(record) }
        return isBeaten ? [Fact("ended", "another version took its place")] : []
    }
}

extension DomainAgreementRecord {
    /// Whether it counts rather than `other`, another version of the same agreement: one that is not signed
    /// by both is put out of force by a version at least as high, and puts out none.
    fileprivate func precedes(_ other: DomainAgreementRecord) -> Bool {
        guard contentID != other.contentID else { return false }
        if other.content.stage == .offered { return agreement.version >= other.agreement.version }
        let mine = (agreement.version, agreement.created, contentID)
        return mine > (other.agreement.version, other.agreement.created, other.contentID)
    }
}
