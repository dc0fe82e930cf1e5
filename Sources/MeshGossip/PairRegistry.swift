import MeshBase

/// One audience of two: what this node tells a peer, and what the peer tells it.
///
/// Pushed on change, compared with every ping, repaired by the list after a difference and after every
/// handshake. Only the owner's own link is believed to bring its records, and nothing of it goes to anybody
/// else.
struct PairRegistry: Equatable, Sendable {
    let audience: Audience
    var own: OwnRecords
    var theirs: PeerRecords
    /// When a list was sent last; nil before the first.
    var listSent: Instant?
    /// Whether the peer's records were being served when that was last looked at.
    var isServed = false
    /// Frames that may be sent because the peer asks.
    private var answers: TokenBucket

    private static var answersPerMinute: Int { Limits.syncBytesPerMinute / Limits.framePayload }
    /// Bytes of records in one frame: with the leaves of 256 records (33 KiB) and a head (1 KiB) below
    /// `Limits.framePayload`.
    private static var recordBytesPerFrame: Int { 24 * 1024 }

    init(me: NodeID, peer: NodeID, key: PublicKey, at now: Instant) {
        audience = .pair(me, peer)
        own = OwnRecords(audience: audience, owner: me, at: now)
        theirs = PeerRecords(audience: audience, owner: peer, key: key, at: now)
        answers = TokenBucket(
            burst: Self.answersPerMinute, interval: .seconds(60) / Self.answersPerMinute, at: now)
    }

    /// What both sides must agree on: (owner, epoch, root) of both heads, the smaller owner's first. A head
    /// whose records are not all here does not count, so that both sides differ while one still gathers.
    func summary(using suite: some SignatureSuite) -> RegistrySummary {
        var fields = FieldSequence(.audienceTag)
        fields.append(audience.description)
        let heads = [own.published?.head.body, theirs.whole?.head.body].compactMap { $0 }
        for head in heads.sorted(by: { $0.owner < $1.owner }) {
            fields.append(head.owner.digest)
            fields.append(head.epoch)
            fields.append(head.root)
        }
        return RegistrySummary(digest: suite.digest(fields.bytes))
    }

    /// Where this side stands.
    var list: RegistryList {
        RegistryList(
            mine: own.published?.head.body.position, yours: theirs.newest, isComplete: theirs.isComplete)
    }

    /// Whether a list may be sent: none was for `interval`.
    func mayList(at now: Instant, every interval: Duration) -> Bool {
        listSent.map { now - $0 >= interval } ?? true
    }

    /// Takes leave to send one frame because the peer asked; false when it asked for more than its share of
    /// this minute.
    mutating func mayAnswer(at now: Instant) -> Bool { answers.take(at: now) }

    /// The newest head with as many records as surely fit one frame.
    func push(using suite: some SignatureSuite) -> HeadPush? {
        guard let published = own.published else { return nil }
        return HeadPush(
            head: published.head, leaves: published.set.leaves,
            records: fitting(published.set.records.values, using: suite))
    }

    /// Whether any record that is asked for lies under the newest head.
    func covers(_ request: RecordRequest) -> Bool {
        guard let published = own.published, published.head.body.position == request.position else {
            return false
        }
        return request.keys.prefix(Limits.recordsPerHead).contains { published.set.records[$0] != nil }
    }

    /// The records among those asked for, as many as surely fit one frame; nil when they are not of the
    /// newest head.
    func records(for request: RecordRequest, using suite: some SignatureSuite) -> RecordBatch? {
        guard let published = own.published, published.head.body.position == request.position else {
            return nil
        }
        let asked = request.keys.prefix(Limits.recordsPerHead).compactMap { published.set.records[$0] }
        return RecordBatch(position: request.position, records: fitting(asked, using: suite))
    }

    private func fitting(_ records: [Record], using suite: some SignatureSuite) -> [Record] {
        var room = Self.recordBytesPerFrame
        return Array(
            records.prefix { record in
                room -= suite.encoded(record).count + 1
                return room >= 0
            })
    }
}
