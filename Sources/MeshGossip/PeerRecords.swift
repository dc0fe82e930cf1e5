import MeshBase

/// What is held here of one owner in one audience: its newest head, and the records under it. Whoever brought
/// them, the owner's signature alone makes them count.
///
///     nothing --head--> gathering --last record--> whole
///     whole --newer head--> gathering (the old one is served meanwhile) --last record--> whole
///     whole --expiry, or a clock that falls behind its date--> kept, not served
///
/// The highest (epoch, sequence, root) is kept, whole or not, while the peer's key is known, so a replay or a
/// restored backup rolls nobody back. Every bound that the peer could lean on is here: heads a minute, epochs
/// a day, records and bytes under a head. Source: protocol section 6.
struct PeerRecords: Equatable, Sendable {
    let audience: Audience
    let owner: NodeID
    /// Verifies the owner's heads.
    var key: PublicKey
    /// The highest head accepted, whether or not its records are here.
    private(set) var newest: Signed<Head>?
    /// The newest head whose records are all here, with these.
    private(set) var whole: StoredHead? {
        didSet { standing = whole.map { StandingHead($0.head.body) } }
    }
    /// Where that one stands.
    private(set) var standing: StandingHead?
    /// The leaves under that one.
    private(set) var leaves: [RecordLeaf] = []
    /// How long the records under it are, encoded.
    private(set) var lengthInBytes = 0
    /// What it takes, or will once the records under the newest head are here, at most.
    var weight: Int { max(lengthInBytes, (gathering?.leaves.count ?? 0) * Limits.recordBody) }
    /// Who brought the newest head, when that was not its owner.
    var bringer: NodeID?
    /// What of the memory of who brought it it takes; nil of what its owner told.
    var share: (bringer: NodeID, bytes: Int)? {
        bringer.map { ($0, weight + AudienceRegistry.proofBytes) }
    }
    /// What is here of `newest` while it is not whole; nil also after a restart, until its owner tells the
    /// leaves again.
    private(set) var gathering: Gathering?
    private var updates: TokenBucket
    /// When new epochs were accepted, the last `epochsPerDay` of them.
    private var epochs: [Instant] = []

    private static var epochsPerDay: Int { 4 }

    /// The leaves under the newest head, and the records found so far.
    struct Gathering: Equatable, Sendable {
        let leaves: OrderedTable<ResourceName, Digest>
        var records = OrderedTable<ResourceName, Record>()

        var missing: [ResourceName] { leaves.keys.filter { records[$0] == nil } }
    }

    /// How a message was received.
    enum Reception: Equatable, Sendable {
        /// Nothing new.
        case known
        /// Late, early or too often: dropped, and nothing is held against the sender.
        case dropped(Refusal)
        /// No honest node sends this, or passes it on.
        case invalid(Refusal)
        /// No honest owner signs this. Who passes it on may hold it by other rules.
        case unsound(Refusal)
        /// Two heads at one position that do not say the same, both signed.
        case contradiction(Contradiction)
        /// Some records are missing. With a head when it was not known before.
        case incomplete(StoredHead?, missing: [ResourceName])
        /// All is here, and this is now what the peer offers there.
        case whole(StoredHead)

        /// Whether anything came of it that was not there `before`.
        func isNew(after before: PeerRecords) -> Bool {
            switch self {
            case .whole: true
            case .incomplete(let news, let missing):
                news != nil || missing.count < before.gathering?.missing.count ?? .max
            case .known, .dropped, .invalid, .unsound, .contradiction: false
            }
        }
    }

    init(audience: Audience, owner: NodeID, key: PublicKey, at now: Instant) {
        self.audience = audience
        self.owner = owner
        self.key = key
        updates = TokenBucket(
            burst: Limits.headBurst, interval: .seconds(60) / Limits.headsPerMinute, at: now)
    }

    /// Takes up what was stored: a head without all its records counts as the highest and nothing more.
    mutating func restore(_ stored: StoredHead, using suite: some SignatureSuite) {
        newest = stored.head
        var records = OrderedTable<ResourceName, Record>()
        for record in stored.records { records[record.key] = record }
        let set = RecordSet(records, using: suite)
        guard set.root == stored.head.body.root else { return }
        hold(stored, under: set.leaves, using: suite)
    }

    private mutating func hold(
        _ stored: StoredHead, under leaves: [RecordLeaf], using suite: some SignatureSuite
    ) {
        whole = stored
        self.leaves = leaves
        lengthInBytes = stored.records.reduce(0) { $0 + suite.encoded($1).count }
    }

    /// Whether a signature must be checked to know what `push` is worth.
    func mustCheck(_ push: HeadPush) -> Bool {
        guard let newest = newest?.body, push.head.body.position <= newest.position else { return true }
        return push.head.body.position == newest.position && !push.head.body.saysTheSame(as: newest)
    }

    /// Whether every record under the highest head is here.
    var isComplete: Bool { whole?.head == newest }

    /// Whether anything may be served at `wall`.
    func isCurrent(at wall: WallTime) -> Bool { standing?.isCurrent(at: wall) == true }

    /// What may be served at `wall`.
    func served(at wall: WallTime) -> [Record] { isCurrent(at: wall) ? whole?.records ?? [] : [] }

    /// Whether the copy here is in the last quarter of its life, so that its renewal must have been lost.
    func lacksRenewal(at wall: WallTime) -> Bool {
        guard let head = newest?.body else { return false }
        return wall >= head.expires - (head.expires - head.issued) / 4
    }

    /// A head came, from its owner or from another.
    mutating func receive(_ push: HeadPush, at now: Moment, using suite: some SignatureSuite) -> Reception {
        let head = push.head.body
        if let refusal = refusal(of: push, at: now.wall) { return refusal }
        if let newest, head.position <= newest.body.position {
            guard head.position == newest.body.position else {
                return .dropped(
                    Refusal(
                        .documentInvalid,
                        [Fact("sequence", head.sequence), Fact("newest", newest.body.sequence)]))
            }
            return receiveAgain(push, newest, using: suite)
        }
        // First of all: what others make up must not count as the owner's.
        guard push.head.isSigned(by: key, using: suite) else { return .invalid(Self.signatureInvalid) }
        guard updates.take(at: now.instant) else {
            return .dropped(Refusal(.limitReached, [Fact("heads a minute", Limits.headsPerMinute)]))
        }
        let leaves: OrderedTable<ResourceName, Digest>
        switch checkedLeaves(of: push, using: suite) {
        case .refused(let refusal): return .invalid(refusal)
        case .allowed(let checked): leaves = checked
        }
        guard admitsEpoch(of: head, at: now.instant) else {
            return .dropped(Refusal(.limitReached, [Fact("epochs a day", Self.epochsPerDay)]))
        }
        newest = push.head
        gathering = Gathering(leaves: leaves)
        return begin(push.head, .news, with: push.records, using: suite)
    }

    /// Records that were asked for came.
    mutating func receive(_ batch: RecordBatch, using suite: some SignatureSuite) -> Reception {
        guard let newest, newest.body.position == batch.position, let before = gathering?.records.count else {
            return .known
        }
        if let wrong = gather(batch.records, using: suite) { return wrong }
        if let stored = settled(newest, using: suite) { return .whole(stored) }
        // Asking again for nothing new would let the sender keep both sides busy: the next list asks.
        guard let gathering, gathering.records.count > before else { return .known }
        return .incomplete(nil, missing: gathering.missing)
    }
}

// MARK: - In order of use

extension PeerRecords {
    private static var signatureInvalid: Refusal { Refusal(.documentInvalid, [Fact("signature", "invalid")]) }

    /// What is wrong with a head before anything is computed over it.
    private func refusal(of push: HeadPush, at wall: WallTime) -> Reception? {
        let head = push.head.body
        guard head.owner == owner, head.audience == audience else {
            return .invalid(
                Refusal(.documentInvalid, [Fact("owner", head.owner), Fact("audience", head.audience)]))
        }
        guard push.head.payload.bytes.count <= Head.payloadMax else {
            return .unsound(
                Refusal(.documentInvalid, [Fact("bytes of the head", push.head.payload.bytes.count)]))
        }
        guard head.epoch >= 0, head.sequence >= 0, (head.epoch == 0) == (head.givenUp == nil) else {
            return .unsound(
                Refusal(.documentInvalid, [Fact("epoch", head.epoch), Fact("sequence", head.sequence)]))
        }
        let life = head.expires - head.issued
        guard life > .zero, life <= Limits.headLifeLarge else {
            return .unsound(Refusal(.documentInvalid, [Fact("life", "\(life.wholeMilliseconds) ms")]))
        }
        guard push.leaves.count <= Limits.recordsPerHead, push.leaves.count == head.count else {
            return .invalid(
                Refusal(.documentInvalid, [Fact("leaves", push.leaves.count), Fact("count", head.count)]))
        }
        let ahead = wall + Limits.clockSkewRefused
        guard head.issued <= ahead, head.position.time <= ahead else {
            return .dropped(
                Refusal(
                    .clockSkew,
                    [Fact("issued", RFC3339.text(head.issued)), Fact("here", RFC3339.text(wall))]))
        }
        guard head.expires > wall else {
            return .dropped(Refusal(.documentInvalid, [Fact("expired", RFC3339.text(head.expires))]))
        }
        return nil
    }

    /// The same position again: the same root and key are nothing new, others convict, if they are signed.
    private mutating func receiveAgain(
        _ push: HeadPush, _ newest: Signed<Head>, using suite: some SignatureSuite
    ) -> Reception {
        guard push.head.body.saysTheSame(as: newest.body) else {
            guard push.head.isSigned(by: key, using: suite) else { return .invalid(Self.signatureInvalid) }
            return .contradiction(Contradiction(one: newest, other: push.head))
        }
        if isComplete { return .known }
        if gathering == nil {
            switch checkedLeaves(of: push, using: suite) {
            case .refused(let refusal): return .invalid(refusal)
            case .allowed(let leaves): gathering = Gathering(leaves: leaves)
            }
        }
        return begin(newest, .known, with: push.records, using: suite)
    }

    private func checkedLeaves(
        of push: HeadPush, using suite: some SignatureSuite
    ) -> Ruling<OrderedTable<ResourceName, Digest>> {
        guard RecordTree.root(push.leaves.map(\.digest), using: suite) == push.head.body.root else {
            return .refused(Refusal(.documentInvalid, [Fact("root", "does not fit the leaves")]))
        }
        var leaves = OrderedTable<ResourceName, Digest>()
        for leaf in push.leaves { leaves[leaf.key] = leaf.digest }
        guard leaves.keys == push.leaves.map(\.key) else {
            return .refused(Refusal(.documentInvalid, [Fact("leaves", "not in order, or twice")]))
        }
        return .allowed(leaves)
    }

    /// Whether this head's epoch is no new one, or not one too many within a day.
    private mutating func admitsEpoch(of head: Head, at now: Instant) -> Bool {
        guard let newest, head.epoch > newest.body.epoch else { return true }
        epochs.removeAll { now - $0 >= .seconds(24 * 3600) }
        guard epochs.count < Self.epochsPerDay else { return false }
        epochs.append(now)
        return true
    }

    private enum Novelty { case news, known }

    /// Fills a gathering with what was here and with what came beside the head.
    private mutating func begin(
        _ head: Signed<Head>, _ novelty: Novelty, with records: [Record], using suite: some SignatureSuite
    ) -> Reception {
        for record in whole?.records ?? [] where fits(record, using: suite) {
            gathering?.records[record.key] = record
        }
        // What was pushed beside the head must lie under it; what is wrong there leaves the head accepted.
        if let wrong = gather(records, using: suite) { return wrong }
        if let stored = settled(head, using: suite) { return .whole(stored) }
        let stored = novelty == .news ? StoredHead(head: head, records: []) : nil
        return .incomplete(stored, missing: gathering?.missing ?? [])
    }

    /// Adds records that came; answers with what is wrong with the first that no honest node would have sent.
    private mutating func gather(_ records: [Record], using suite: some SignatureSuite) -> Reception? {
        for record in records {
            guard fits(record, using: suite) else {
                return .invalid(
                    Refusal(.documentInvalid, [Fact("record", record.key), Fact("leaf", "does not fit")]))
            }
            if let flaw = record.resource.flaw(using: suite) {
                return .unsound(Refusal(.documentInvalid, [Fact("record", record.key), flaw]))
            }
            gathering?.records[record.key] = record
        }
        return nil
    }

    private func fits(_ record: Record, using suite: some SignatureSuite) -> Bool {
        guard record.owner == owner, record.audience == audience, record.key == record.resource.name else {
            return false
        }
        return gathering?.leaves[record.key] == RecordTree.leaf(record, using: suite).digest
    }

    /// The newest head with its records, once all are here.
    private mutating func settled(_ head: Signed<Head>, using suite: some SignatureSuite) -> StoredHead? {
        guard let gathered = gathering, gathered.missing.isEmpty else { return nil }
        let stored = StoredHead(head: head, records: gathered.records.values)
        let leaves = gathered.leaves.map { RecordLeaf(key: $0.0, digest: $0.1) }
        hold(stored, under: leaves, using: suite)
        gathering = nil
        return stored
    }
}
