import MeshBase

/// What one peer told this node: its newest head for the pair, and the records under it.
///
///     nothing --head--> gathering --last record--> whole --newer head--> gathering (the old one is served meanwhile)
///     whole --expiry--> over: kept, never served
///
/// The highest (epoch, sequence, root) is kept while the peer's key is known, so a replay or a restored backup rolls nobody back.
struct PeerRecords: Equatable, Sendable {
    let audience: Audience
    let owner: NodeID
    let key: PublicKey
    /// The newest whole head and its records.
    private(set) var whole: StoredHead?
    /// A newer head whose records are not all here yet.
    private(set) var gathering: Gathering?
    private var updates: TokenBucket
    private var epochs: TokenBucket

    struct Gathering: Equatable, Sendable {
        let head: Signed<Head>
        let leaves: OrderedTable<ResourceName, Digest>
        var records: OrderedTable<ResourceName, Record>

        var missing: [ResourceName] { leaves.keys.filter { records[$0] == nil } }
    }

    /// How a head was received.
    enum Reception: Equatable, Sendable {
        /// Nothing new.
        case known
        /// Late, early or too often: dropped, and nothing is held against the sender.
        case dropped(Refusal)
        /// No honest node sends this.
        case invalid(Refusal)
        /// Two heads at one position with two roots, both signed.
        case contradiction(String)
        /// Some records are missing.
        case incomplete(HeadPosition, missing: [ResourceName])
        /// All is here, and this is now what the peer offers.
        case whole(StoredHead)
    }

    init(audience: Audience, owner: NodeID, key: PublicKey, at now: Instant) {
        self.audience = audience
        self.owner = owner
        self.key = key
        updates = TokenBucket(
            burst: Limits.headBurst, interval: .seconds(60) / Limits.headsPerMinute, at: now)
        epochs = TokenBucket(burst: 4, interval: .seconds(6 * 3600), at: now)
    }

    /// The highest head accepted.
    var newest: Signed<Head>? { gathering?.head ?? whole?.head }

    /// Takes up what was stored.
    mutating func restore(_ stored: StoredHead) { whole = stored }

    /// What may be served at `wall`.
    func served(at wall: WallTime) -> [Record] {
        guard let whole, wall < whole.head.body.expires else { return [] }
        return whole.records
    }

    /// A head came from its owner.
    mutating func receive(_ push: HeadPush, at now: Moment, using suite: some SignatureSuite) -> Reception {
        let head = push.head.body
        if let refusal = refusal(of: push, at: now) { return refusal }
        if let newest {
            if head.position < newest.body.position { return .dropped(stale(head, newest.body)) }
            if head.position == newest.body.position { return receiveAgain(push, newest, using: suite) }
        }
        guard updates.take(at: now.instant) else {
            return .dropped(Refusal(.limitReached, [Fact("heads a minute", Limits.headsPerMinute)]))
        }
        guard push.head.isSigned(by: key, using: suite) else {
            return .invalid(Refusal(.documentInvalid, [Fact("signature", "invalid")]))
        }
        if let newest, head.epoch > newest.body.epoch, !epochs.take(at: now.instant) {
            return .dropped(Refusal(.limitReached, [Fact("epochs a day", 4)]))
        }
        guard RecordTree.root(push.leaves.map(\.digest), using: suite) == head.root else {
            return .invalid(Refusal(.documentInvalid, [Fact("root", "does not fit the leaves")]))
        }
        var leaves = OrderedTable<ResourceName, Digest>()
        for leaf in push.leaves { leaves[leaf.key] = leaf.digest }
        guard leaves.keys == push.leaves.map(\.key), leaves.count == head.count else {
            return .invalid(Refusal(.documentInvalid, [Fact("leaves", "not in order")]))
        }
        gathering = Gathering(head: push.head, leaves: leaves, records: OrderedTable())
        return gather((whole?.records ?? []) + push.records, using: suite)
    }

    /// Records that were asked for came.
    mutating func receive(_ batch: RecordBatch, using suite: some SignatureSuite) -> Reception {
        guard let gathering, gathering.head.body.position == batch.position else { return .known }
        return gather(batch.records, using: suite)
    }

    private mutating func gather(_ records: [Record], using suite: some SignatureSuite) -> Reception {
        guard var gathered = gathering else { return .known }
        for record in records where record.owner == owner && record.audience == audience {
            guard gathered.records[record.key] == nil, let expected = gathered.leaves[record.key],
                RecordTree.leaf(record, using: suite).digest == expected
            else { continue }
            gathered.records[record.key] = record
        }
        let missing = gathered.missing
        guard missing.isEmpty else {
            gathering = gathered
            return .incomplete(gathered.head.body.position, missing: missing)
        }
        let stored = StoredHead(head: gathered.head, records: gathered.records.values)
        whole = stored
        gathering = nil
        return .whole(stored)
    }

    /// The same position again: the same root is nothing new, another one convicts, if it is signed.
    private func receiveAgain(_ push: HeadPush, _ newest: Signed<Head>, using suite: some SignatureSuite)
        -> Reception
    {
        guard push.head.body.root != newest.body.root else {
            return gathering.map { .incomplete($0.head.body.position, missing: $0.missing) } ?? .known
        }
        guard push.head.isSigned(by: key, using: suite) else {
            return .invalid(Refusal(.documentInvalid, [Fact("signature", "invalid")]))
        }
        let position = push.head.body.position
        return .contradiction(
            "two heads at epoch \(position.epoch) sequence \(position.sequence) with two roots")
    }

    private func refusal(of push: HeadPush, at now: Moment) -> Reception? {
        let head = push.head.body
        guard head.owner == owner, head.audience == audience, push.leaves.count <= Limits.recordsPerHead
        else {
            return .invalid(
                Refusal(.documentInvalid, [Fact("owner", head.owner), Fact("audience", head.audience)]))
        }
        guard head.expires > head.issued, head.expires - head.issued <= .seconds(3600) else {
            return .invalid(
                Refusal(
                    .documentInvalid, [Fact("life", "\((head.expires - head.issued).wholeMilliseconds) ms")]))
        }
        let ahead = now.wall + Limits.clockSkewRefused
        guard head.issued <= ahead, WallTime(milliseconds: head.sequence >> 10) <= ahead else {
            return .dropped(
                Refusal(
                    .clockSkew,
                    [Fact("issued", RFC3339.text(head.issued)), Fact("here", RFC3339.text(now.wall))]))
        }
        guard head.expires > now.wall else {
            return .dropped(Refusal(.documentInvalid, [Fact("expired", RFC3339.text(head.expires))]))
        }
        return nil
    }

    private func stale(_ head: Head, _ newest: Head) -> Refusal {
        Refusal(.documentInvalid, [Fact("sequence", head.sequence), Fact("newest", newest.sequence)])
    }
}
