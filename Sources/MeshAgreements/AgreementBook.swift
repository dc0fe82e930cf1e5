import MeshBase

/// What this node and each of its peers have agreed, how it came about, and what is still to be said about
/// it.
///
///     (nothing) ──offer made or received──> offered ──both signed──> signed ──approved──> active
///                                           │                         └─higher version──> ended(replaced)
///                                           └─rejected──> ended(rejected)
///                        offered, signed, active ──either party's word──> ended(revoked)
///                        offered, signed ──a person's veto──> ended(vetoed)
///
/// What asks for no approvals is active as soon as both have signed.
///
/// That an agreement's time is over is no state: it is read from the clock wherever it matters, and told once
/// when the date passes. A clock that ran ahead ends nothing that both signed; what was over by it counts
/// again when it is set right.
///
/// One record for each version; versions of one id strictly rise; an ended version never returns. A
/// repeated message changes nothing and is answered as the first time. Only the second signature makes an
/// agreement: the offerer has it from the peer, the peer from its own key.
///
/// Callers owe it: `.restored` first; the peer's key with `.peerTrusted`; effects performed in order, so
/// that a signature is durable before it is sent; an answer to every `.sign`; `nextDeadline` kept. Source:
/// protocol section 7.
public struct AgreementBook: Sendable, Equatable {
    let me: NodeID
    /// What the operator says about agreements now.
    public private(set) var configuration: AgreementConfiguration
    var generator: SeededGenerator
    var files = OrderedTable<NodeID, PeerFile>()
    /// Who is in which domain now, this node among them.
    var memberships = OrderedTable<NodeID, Membership>()
    var houses = HouseBook()
    /// For whom this node vouches, or did.
    var persons = OrderedTable<NodeName, VouchingRecord>()
    var errands = OrderedTable<Ticket, Errand>()
    /// Peers of whom a record changed by the input in hand; empty between inputs.
    var changed: [NodeID] = []
    private var lastTicket: UInt64 = 0
    /// The earliest date at which something is over or due for renewal; never later than true.
    var nextDate = WallTime(milliseconds: .max)
    /// When the first peer is to be told again what it has not said that it has; never later than true.
    var nextRepeat: Instant?
    /// When the book looked at the wall clock last.
    private var lastLook: WallTime?
    /// When the sweep is due by the monotonic clock.
    public private(set) var nextDeadline: Instant?

    /// What is kept about one peer.
    struct PeerFile: Sendable, Equatable {
        /// Its identity key; nil while it is not trusted.
        var key: PublicKey?
        /// Versions about which this node's people's words were said again over this link.
        var wordsRepeated = OrderedTable<Digest, Bool>()
        /// Own people's approvals of which the peer said over this link why it does not take them; asked,
        /// never walked.
        var refusedWords: Set<Digest> = []
        /// Signatures of the peer that may be checked; nil before the first.
        var checks: TokenBucket?
        /// House agreements that may be sent because it asks; nil before the first.
        var houseAnswers: TokenBucket?
        var records = OrderedTable<AgreementVersion, AgreementRecord>()
        /// What the store kept otherwise than it was signed, until a higher version takes its place.
        var damaged = OrderedTable<Digest, DamagedAgreement>()
        /// When it is told again what it has not said that it has; nil: never.
        var repeating: Repeating?
        /// Of the records, as they were when the last input was done.
        var index = AgreementIndex()
    }

    /// What a signature is wanted for.
    enum Errand: Sendable, Equatable {
        case offer(Agreement, to: NodeID, origin: AgreementOrigin, payload: Octets, operatorTicket: Ticket?)
        case acceptance(Digest, from: NodeID, AgreementAcceptance, operatorTicket: Ticket?)
        case revocation(AgreementRevocation, peer: NodeID, payload: Octets, operatorTicket: Ticket)
        case house(HouseAgreement, anchor: PublicKey, payload: Octets)
        case vouching(Vouching, payload: Octets, operatorTicket: Ticket)

        /// What is signed, and by which key.
        var form: (kind: DocumentKind, hand: SigningHand) {
            switch self {
            case .offer, .acceptance: (Agreement.kind, .identity)
            case .revocation: (AgreementRevocation.kind, .identity)
            case .house: (HouseAgreement.kind, .anchor)
            case .vouching: (Vouching.kind, .identity)
            }
        }
    }

    /// - Parameter generator: for agreement ids; the book's own.
    public init(me: NodeID, configuration: AgreementConfiguration, generator: SeededGenerator) {
        self.me = me
        self.configuration = configuration
        self.generator = generator
    }

    /// Every record, by peer, id and version.
    public var records: [AgreementRecord] { files.values.flatMap(\.records.values) }

    /// What the store kept and is not what was signed: found at start, honoured never, and forgotten once
    /// both parties have signed a higher version; by peer and content id.
    public var damaged: [DamagedAgreement] { files.values.flatMap(\.damaged.values) }

    /// For whom this node vouches, or did, by name.
    public var people: [VouchingRecord] { persons.values }

    /// What the evaluator needs about `peer`, in the order in which it asks.
    public func terms(with peer: NodeID) -> AgreementIndex { files[peer]?.index ?? AgreementIndex() }

    /// The record of this content id.
    public func record(_ contentID: Digest) -> AgreementRecord? {
        for file in files.values {
            if let record = file.records.values.first(where: { $0.contentID == contentID }) { return record }
        }
        return nil
    }

    /// Takes one input at `now`; what follows from it is posted to `effects`.
    public mutating func handle(
        _ input: AgreementInput, at now: Moment, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        switch input {
        case .restored(let records, let damaged): restore(records, damaged: damaged, into: &effects)
        case .peerTrusted(let peer, let key):
            files.edit(peer) { $0.key = key }
            offerBuiltIn(to: peer, at: now, using: suite, into: &effects)
        case .configured(let new): configuration = new
        case .peerLost(let peer): files.update(peer) { $0.key = nil }
        case .membershipChanged(let node, let membership):
            change(membership, of: node, at: now.wall, using: suite, into: &effects)
        case .personsRestored(let people): for person in people { persons[person.body.name] = person }
        case .housesRestored(let documents): for document in documents { houses.restore(document) }
        case .anchorHeld(let key): makeHouse(by: key, at: now.wall, using: suite, into: &effects)
        case .houseMade(let document): adopt(document, from: me, at: now, using: suite, into: &effects)
        case .linkCameUp(let peer):
            repeatRevocations(to: peer, into: &effects)
            repeatOffers(to: peer, at: now.wall, into: &effects)
            repeatApprovals(to: peer, at: now.wall, into: &effects)
            beginRepeating(to: peer, at: now.instant)
            nameHouse(to: peer, at: now.wall, using: suite, into: &effects)
        case .offerRequested(let ticket, let request):
            offer(request, for: ticket, at: now, using: suite, into: &effects)
        case .acceptanceRequested(let ticket, let contentID):
            accept(contentID, for: ticket, at: now, into: &effects)
        case .rejectionRequested(let ticket, let contentID): reject(contentID, for: ticket, into: &effects)
        case .revocationRequested(let ticket, let order):
            revoke(order, for: ticket, at: now.wall, using: suite, into: &effects)
        case .approvalGiven(let ticket, let document):
            approve(document, for: ticket, at: now, using: suite, into: &effects)
        case .vouchingRequested(let ticket, let order):
            vouch(order, for: ticket, at: now.wall, using: suite, into: &effects)
        case .vouchingEndRequested(let ticket, let name):
            endVouching(of: name, for: ticket, at: now.wall, into: &effects)
        case .signed(let ticket, let signature):
            take(signature, for: ticket, at: now, using: suite, into: &effects)
        case .signingFailed(let ticket): giveUp(ticket, into: &effects)
        case .messageArrived(let peer, let message):
            hear(message, from: peer, at: now, using: suite, into: &effects)
        case .timeReached: break
        }
        repeatWords(at: now, into: &effects)
        sweep(at: now, using: suite, into: &effects)
        for peer in Set(changed).sorted() {
            files.update(peer) { $0.index = AgreementIndex($0.records.values.map(\.terms)) }
        }
        changed = []
    }

    /// Orders a signature and remembers what for.
    mutating func order(_ errand: Errand, over payload: Octets, into effects: inout Outbox<AgreementEffect>) {
        lastTicket += 1
        let ticket = Ticket(lastTicket)
        errands[ticket] = errand
        let form = errand.form
        effects.post(
            .sign(SigningRequest(ticket: ticket, kind: form.kind, payload: payload, hand: form.hand)))
    }

    /// Changes one record, keeps it, and says that it changed.
    mutating func settle(
        _ record: AgreementRecord, as action: AgreementAction, refusals: [Refusal] = [],
        facts: [Fact] = [], into effects: inout Outbox<AgreementEffect>
    ) {
        files.edit(record.peer) { $0.records[AgreementVersion(record.agreement)] = record }
        note(record)
        changed.append(record.peer)
        effects.post(.persist(record))
        effects.post(
            .record(
                AgreementNotice(
                    peer: record.peer, action: action, contentID: record.contentID, refusals: refusals,
                    agreement: record.agreement, more: facts)))
        effects.post(.changed(record.peer))
        bury(beneath: record, into: &effects)
    }

    /// Makes room for one more record with `peer`: forgets one whose time is long over, so that a replay of
    /// it is refused by its date; first such that ended otherwise too. False when there is none.
    mutating func makeRoom(
        with peer: NodeID, at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) -> Bool {
        guard let file = files[peer], file.records.count >= Limits.agreementsPerPeer else { return true }
        let over = file.records.values.filter { $0.agreement.validUntil + Limits.clockSkewRefused < now }
        guard let record = over.first(where: { !$0.isOpen }) ?? over.first else { return false }
        let version = AgreementVersion(record.agreement)
        files.update(peer) { $0.records[version] = nil }
        changed.append(peer)
        effects.post(.forget(record.contentID))
        return true
    }

    mutating func note(_ record: AgreementRecord) {
        let agreement = record.agreement
        let warnings = record.warnings.map(record.warningTime)
        nextDate =
            ([nextDate, agreement.validUntil, Self.renewal(of: agreement)] + warnings).min() ?? nextDate
    }

    /// Two thirds of the life of `agreement`.
    static func renewal(of agreement: Agreement) -> WallTime {
        agreement.created + (agreement.validUntil - agreement.created) * 2 / 3
    }

    /// Says what is over, or soon will be, and renews the built-in offer, when the earliest date has come,
    /// and whenever the clock was set back.
    private mutating func sweep(
        at now: Moment, using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        defer {
            nextDeadline = deadline(after: now)
            lastLook = now.wall
        }
        let since = lastLook ?? now.wall
        guard now.wall >= nextDate || now.wall < since else { return }
        nextDate = WallTime(milliseconds: .max)
        for peer in files.keys {
            for record in files[peer]?.records.values ?? [] where record.isOpen {
                let until = record.agreement.validUntil
                guard now.wall >= until else {
                    warn(record, at: now.wall, into: &effects)
                    // The rising dates that are still to come.
                    for date in [until] + record.warnings.map(record.warningTime) where date > now.wall {
                        nextDate = min(nextDate, date)
                    }
                    let renewal = Self.renewal(of: record.agreement)
                    if record.origin == .builtIn, renewal > now.wall { nextDate = min(nextDate, renewal) }
                    continue
                }
                if until > since { tellExpired(record, into: &effects) }
            }
            offerBuiltIn(to: peer, at: now, using: suite, into: &effects)
        }
    }

    private func tellExpired(_ record: AgreementRecord, into effects: inout Outbox<AgreementEffect>) {
        effects.post(
            .record(
                AgreementNotice(
                    peer: record.peer, action: .expired, contentID: record.contentID, refusals: [],
                    agreement: record.agreement)))
        effects.post(.changed(record.peer))
    }

    /// Wall clocks jump: whatever the date, it is compared again within the hour.
    private func deadline(after now: Moment) -> Instant? {
        guard nextDate.milliseconds < .max else { return nextRepeat }
        let date = now.instant + min(max(nextDate - now.wall, .milliseconds(1)), .seconds(3600))
        return min(date, nextRepeat ?? date)
    }
}

extension AgreementRecord {
    /// Whether it may still change; its time may be over all the same.
    public var isOpen: Bool {
        switch state {
        case .offered, .signed, .active: true
        case .ended: false
        }
    }
}

extension AgreementRecord {
    /// Whether both signed it, and neither ended it.
    var isSignedByBoth: Bool {
        switch state {
        case .signed, .active: true
        case .offered, .ended: false
        }
    }
}

extension OrderedTable<NodeID, AgreementBook.PeerFile> {
    /// Changes the file of `peer`, made when there is none.
    mutating func edit(_ peer: NodeID, _ change: (inout AgreementBook.PeerFile) -> Void) {
        if self[peer] == nil { self[peer] = AgreementBook.PeerFile() }
        update(peer, change)
    }
}
