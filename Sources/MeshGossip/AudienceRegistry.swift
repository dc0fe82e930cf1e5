import MeshBase

/// One audience that this node is in: what it tells there, and what each other in it tells this node.
///
///     (outside) --trusted and proved to be in it--> present: told and heard, its records served
///               present --trust or proof is over--> quarantined: nothing told, heard or served
///               quarantined --trusted and proved again--> present, no lower than before
///
/// Pushed on change, compared with every ping, repaired by the list after a difference and after every
/// handshake. Only the owner's own link is believed to bring its records, and nothing of it goes to anybody
/// else. Source: protocol section 6.
struct AudienceRegistry: Equatable, Sendable {
    let audience: Audience
    var own: OwnRecords
    /// Who is trusted and proved to be in it now.
    private(set) var present = OrderedTable<NodeID, Correspondent>()
    /// What was told by who is not in it now: the highest positions must not be forgotten meanwhile.
    private(set) var quarantined = OrderedTable<NodeID, PeerRecords>()

    /// Bytes of records in one frame: with the leaves of 256 records (33 KiB) and a head (1 KiB) below
    /// `Limits.framePayload`.
    private static var recordBytesPerFrame: Int { 24 * 1024 }

    init(_ audience: Audience, owner: NodeID, at now: Instant) {
        self.audience = audience
        own = OwnRecords(audience: audience, owner: owner, at: now)
    }

    // MARK: Who is in it

    /// `node` is trusted and proved to be in the audience: what it told before counts again.
    mutating func enter(_ node: NodeID, key: PublicKey, at now: Moment) {
        guard present[node] == nil else { return }
        var theirs =
            quarantined.remove(node)
            ?? PeerRecords(audience: audience, owner: node, key: key, at: now.instant)
        theirs.key = key
        present[node] = Correspondent(theirs: theirs, isServed: theirs.isCurrent(at: now.wall))
        noteSize()
    }

    /// `node` is in it no more. Whether it was.
    mutating func leave(_ node: NodeID) -> Bool {
        guard let correspondent = present.remove(node) else { return false }
        quarantined[node] = correspondent.theirs
        noteSize()
        return true
    }

    /// Changes what is kept of `node`, present or not; does nothing, and answers nil, when nothing is.
    @discardableResult
    mutating func update<Result>(_ node: NodeID, _ change: (inout Correspondent) -> Result) -> Result? {
        present.update(node, change)
    }

    /// Takes up what was stored of an owner, before it is known to be in the audience.
    mutating func restore(_ stored: StoredHead, using suite: some SignatureSuite) {
        let owner = stored.head.body.owner
        guard owner != own.owner else { return own.restore(stored, using: suite) }
        // Its key comes with `enter`: what was stored was verified when it came.
        var theirs = PeerRecords(
            audience: audience, owner: owner, key: PublicKey(info: []), at: .zero)
        theirs.restore(stored, using: suite)
        quarantined[owner] = theirs
    }

    private mutating func noteSize() {
        own.life = present.count < Limits.smallAudience ? Limits.headLife : Limits.headLifeLarge
    }

    /// Something is new here: what differs from now on is looked at soon.
    mutating func noteNews() {
        for node in present.keys { present.update(node) { $0.fruitless = 0 } }
    }

    // MARK: What is told

    /// Where this side stands towards `node`.
    func list(for node: NodeID, tag: AudienceTag?) -> RegistryList {
        let theirs = present[node]?.theirs
        return RegistryList(
            audience: tag, mine: own.published?.head.body.position, yours: theirs?.newest,
            isComplete: theirs?.isComplete ?? true)
    }

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
        return RecordBatch(
            audience: request.audience, position: request.position, records: fitting(asked, using: suite))
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

/// What one peer tells in one audience.
struct Correspondent: Equatable, Sendable {
    var theirs: PeerRecords
    /// When a list was sent last; nil before the first.
    var listSent: Instant?
    /// Lists that were sent because the two differ, since anything came of one.
    var fruitless = 0
    /// Whether its records were being served when that was last looked at.
    var isServed: Bool

    /// How long to wait for the next list while the two differ: twice as long after each that brought
    /// nothing. Where one side does not know yet that the other is in an audience, no list mends it.
    var listPause: Duration { min(.seconds(2) * (1 << min(fruitless, 5)), .seconds(60)) }

    /// Whether a list may be sent: none was for `interval`.
    func mayList(at now: Instant, every interval: Duration) -> Bool {
        listSent.map { now - $0 >= interval } ?? true
    }
}
