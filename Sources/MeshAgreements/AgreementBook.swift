import MeshBase

/// What this node and each of its peers have agreed, how it came about, and what is still to be said about
/// it.
///
///     (nothing) ──offer made or received──> offered ──both signed──> active
///                                           │  │                     │  └─until──> ended(expired)
///                                           │  └─until──> ended(expired)
///                                           │                        └─higher version──> ended(replaced)
///                                           └─rejected──> ended(rejected)
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
    let configuration: AgreementConfiguration
    var generator: SeededGenerator
    var files = OrderedTable<NodeID, PeerFile>()
    var errands = OrderedTable<Ticket, Errand>()
    private var lastTicket: UInt64 = 0
    /// The earliest date at which something is over or due for renewal; never later than true.
    var nextDate = WallTime(milliseconds: .max)
    /// When the sweep is due by the monotonic clock.
    public private(set) var nextDeadline: Instant?

    /// What is kept about one peer.
    struct PeerFile: Sendable, Equatable {
        /// Its identity key; nil while it is not trusted.
        var key: PublicKey?
        /// Signatures of the peer that may be checked; nil before the first.
        var checks: TokenBucket?
        var records = OrderedTable<AgreementVersion, AgreementRecord>()
    }

    /// What a signature is wanted for.
    enum Errand: Sendable, Equatable {
        case offer(Agreement, to: NodeID, origin: AgreementOrigin, payload: Octets, operatorTicket: Ticket?)
        case acceptance(Digest, from: NodeID, AgreementAcceptance, operatorTicket: Ticket?)
    }

    /// - Parameter generator: for agreement ids; the book's own.
    public init(me: NodeID, configuration: AgreementConfiguration, generator: SeededGenerator) {
        self.me = me
        self.configuration = configuration
        self.generator = generator
    }

    /// Every record, by peer, id and version.
    public var records: [AgreementRecord] { files.values.flatMap(\.records.values) }

    /// What the evaluator needs about `peer`, in the order in which it asks.
    public func terms(with peer: NodeID) -> [AgreementTerms] {
        files[peer]?.records.values.map(\.terms) ?? []
    }

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
        case .restored(let records):
            for record in records {
                files.edit(record.peer) { $0.records[AgreementVersion(record.agreement)] = record }
                note(record.agreement)
            }
        case .peerTrusted(let peer, let key):
            files.edit(peer) { $0.key = key }
            offerBuiltIn(to: peer, at: now, using: suite, into: &effects)
        case .peerLost(let peer): files.update(peer) { $0.key = nil }
        case .linkCameUp(let peer): repeatOffers(to: peer, into: &effects)
        case .offerRequested(let ticket, let request):
            offer(request, for: ticket, at: now, using: suite, into: &effects)
        case .acceptanceRequested(let ticket, let contentID):
            accept(contentID, for: ticket, at: now, into: &effects)
        case .rejectionRequested(let ticket, let contentID): reject(contentID, for: ticket, into: &effects)
        case .signed(let ticket, let signature):
            take(signature, for: ticket, at: now, using: suite, into: &effects)
        case .signingFailed(let ticket): giveUp(ticket, into: &effects)
        case .messageArrived(let peer, let message):
            hear(message, from: peer, at: now, using: suite, into: &effects)
        case .timeReached: break
        }
        sweep(at: now, using: suite, into: &effects)
    }

    /// Orders a signature and remembers what for.
    mutating func order(_ errand: Errand, over payload: Octets, into effects: inout Outbox<AgreementEffect>) {
        lastTicket += 1
        let ticket = Ticket(lastTicket)
        errands[ticket] = errand
        effects.post(.sign(SigningRequest(ticket: ticket, kind: Agreement.kind, payload: payload)))
    }

    /// Changes one record, keeps it, and says that it changed.
    mutating func settle(
        _ record: AgreementRecord, as action: AgreementAction, refusals: [Refusal] = [],
        into effects: inout Outbox<AgreementEffect>
    ) {
        files.edit(record.peer) { $0.records[AgreementVersion(record.agreement)] = record }
        note(record.agreement)
        effects.post(.persist(record))
        effects.post(
            .record(
                AgreementNotice(
                    peer: record.peer, action: action, contentID: record.contentID, refusals: refusals,
                    agreement: record.agreement)))
        effects.post(.changed(record.peer))
    }

    /// Makes room for one more record with `peer`: forgets one that is over and whose times are over too,
    /// so that a replay of it is refused by its date. False when there is no such one.
    mutating func makeRoom(
        with peer: NodeID, at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) -> Bool {
        guard let file = files[peer], file.records.count >= Limits.agreementsPerPeer else { return true }
        let spare = file.records.first { _, record in
            guard case .ended = record.state else { return false }
            return record.agreement.validUntil + Limits.clockSkewRefused < now
        }
        guard let (version, record) = spare else { return false }
        files.update(peer) { $0.records[version] = nil }
        effects.post(.forget(record.contentID))
        return true
    }

    private mutating func note(_ agreement: Agreement) {
        nextDate = min(nextDate, agreement.validUntil, Self.renewal(of: agreement))
    }

    /// Two thirds of the life of `agreement`.
    static func renewal(of agreement: Agreement) -> WallTime {
        agreement.created + (agreement.validUntil - agreement.created) * 2 / 3
    }

    /// Ends what is over and renews the built-in offer, when the earliest date has come.
    private mutating func sweep(
        at now: Moment, using suite: some SignatureSuite, into effects: inout Outbox<AgreementEffect>
    ) {
        defer { nextDeadline = deadline(after: now) }
        guard now.wall >= nextDate else { return }
        nextDate = WallTime(milliseconds: .max)
        for peer in files.keys {
            for record in files[peer]?.records.values ?? [] {
                guard record.isOpen else { continue }
                guard now.wall >= record.agreement.validUntil else {
                    nextDate = min(nextDate, record.agreement.validUntil)
                    let renewal = Self.renewal(of: record.agreement)
                    if record.origin == .builtIn, renewal > now.wall { nextDate = min(nextDate, renewal) }
                    continue
                }
                var ended = record
                ended.state = .ended(.expired)
                settle(ended, as: .expired, into: &effects)
            }
            offerBuiltIn(to: peer, at: now, using: suite, into: &effects)
        }
    }

    /// Wall clocks jump: whatever the date, it is compared again within the hour.
    private func deadline(after now: Moment) -> Instant? {
        guard nextDate.milliseconds < .max else { return nil }
        return now.instant + min(max(nextDate - now.wall, .milliseconds(1)), .seconds(3600))
    }
}

extension AgreementRecord {
    /// Whether it may still change.
    var isOpen: Bool {
        switch state {
        case .offered, .active: true
        case .ended: false
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
