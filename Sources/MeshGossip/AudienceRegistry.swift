import MeshBase

/// One audience that this node is in: what it tells there, and what each other in it tells.
///
///     (outside) --proved to be in it, and trusted or vouched for--> present: its records served
///               present --trust or proof is over--> quarantined: nothing told, heard or served
///               quarantined --proved again--> present, no lower than before
///
/// Who is trusted is told and heard as well, over a link; of who is only vouched for others bring the heads
/// (`Gossip+Relay`). Pushed on change, compared with every ping, repaired by the list after a difference and
/// after every handshake. Source: protocol section 6.
struct AudienceRegistry: Equatable, Sendable {
    let audience: Audience
    var own: OwnRecords { didSet { revision += 1 } }
    /// Rises whenever what is held here may have changed: another head is whole, somebody came or went.
    private(set) var revision: UInt64 = 0
    /// Who is proved to be in it now, and trusted or vouched for.
    private(set) var present = OrderedTable<NodeID, Correspondent>()
    /// What was told by who is not in it now: the highest positions must not be forgotten meanwhile. At most
    /// `Limits.peers`; what ended first makes room.
    private(set) var quarantined = OrderedTable<NodeID, PeerRecords>()
    /// Whose heads were asked for, and of whom. At most `Limits.peers`.
    var asked = OrderedTable<NodeID, Asking>()
    /// What each who is not their owner brought of those above: bytes, at most, with their owners' proofs.
    private var brought = OrderedTable<NodeID, Int>()
    /// Whose heads are news here that others were not told of yet, and who brought each.
    private var news = OrderedTable<NodeID, NodeID>()

    /// Bytes of records in one frame: with the leaves of 256 records (33 KiB) and a head (1 KiB) below
    /// `Limits.framePayload`.
    private static var recordBytesPerFrame: Int { 24 * 1024 }

    /// About what an owner's proof takes beside its head.
    static var proofBytes: Int { 4 * 1024 }

    init(_ audience: Audience, owner: NodeID, at now: Instant) {
        self.audience = audience
        own = OwnRecords(audience: audience, owner: owner, at: now)
    }

    // MARK: Who is in it

    /// `node` is proved to be in the audience: what it told before counts again.
    mutating func enter(_ node: NodeID, key: PublicKey, at now: Moment) {
        guard present[node] == nil else { return }
        var theirs =
            quarantined.remove(node)
            ?? PeerRecords(audience: audience, owner: node, key: key, at: now.instant)
        theirs.key = key
        present[node] = Correspondent(theirs: theirs, isServed: theirs.isCurrent(at: now.wall))
        asked[node] = nil
        revision += 1
        noteSize()
    }

    /// `node` is in it no more. Whether it was.
    mutating func leave(_ node: NodeID) -> Bool {
        guard let correspondent = present.remove(node) else { return false }
        quarantined[node] = correspondent.theirs
        asked[node] = nil
        news[node] = nil
        revision += 1
        noteSize()
        return true
    }

    /// Whose copy must go so that the quarantined ones stay within their bound; nil when none must.
    mutating func makeRoom() -> NodeID? {
        guard quarantined.count > Limits.peers else { return nil }
        let ends = quarantined.map { ($0.1.newest?.body.expires ?? WallTime(milliseconds: 0), $0.0) }
        guard let first = ends.min(by: { $0 < $1 }) else { return nil }
        if let gone = quarantined.remove(first.1)?.share { count(-gone.bytes, broughtBy: gone.bringer) }
        return first.1
    }

    /// Changes what is kept of `node`, present or not; does nothing, and answers nil, when nothing is.
    @discardableResult
    mutating func update<Result>(_ node: NodeID, _ change: (inout Correspondent) -> Result) -> Result? {
        let (position, share) = (present[node]?.theirs.whole?.head.body.position, present[node]?.theirs.share)
        let result = present.update(node, change)
        guard let after = present[node]?.theirs else { return result }
        if after.whole?.head.body.position != position { revision += 1 }
        if after.share?.bytes != share?.bytes || after.share?.bringer != share?.bringer {
            if let share { count(-share.bytes, broughtBy: share.bringer) }
            if let share = after.share { count(share.bytes, broughtBy: share.bringer) }
        }
        return result
    }

    private mutating func count(_ bytes: Int, broughtBy node: NodeID) {
        let sum = (brought[node] ?? 0) + bytes
        brought[node] = sum == 0 ? nil : sum
    }

    /// What `node` brought of others, but for what it brought of `owner`, which is to be replaced.
    func bytesBrought(by node: NodeID, beside owner: NodeID) -> Int {
        let replaced = present[owner]?.theirs.share
        return (brought[node] ?? 0) - (replaced?.bringer == node ? replaced?.bytes ?? 0 : 0)
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

    /// A head of `owner`, which `sender` brought, is whole here and was not before.
    mutating func noteNews(of owner: NodeID, from sender: NodeID) {
        news[owner] = sender
        asked[owner] = nil
    }

    /// Whose news is to be told now, and who brought each.
    mutating func takeNews() -> OrderedTable<NodeID, NodeID> {
        defer { news = OrderedTable() }
        return news
    }

    /// Something is new here: what differs from now on is looked at soon.
    mutating func noteNews() {
        for node in present.keys { present.update(node) { $0.fruitless = 0 } }
    }

    // MARK: What is told

    /// Where this side stands towards `node`.
    func list(for node: NodeID, tag: AudienceTag?, held: HeadPage?) -> RegistryList {
        let theirs = present[node]?.theirs
        return RegistryList(
            audience: tag, mine: own.published?.head.body.position, yours: theirs?.newest,
            isComplete: theirs?.isComplete ?? true, held: held)
    }

    /// The newest head with as many records as surely fit one frame.
    func push(using suite: some SignatureSuite) -> HeadPush? {
        guard let published = own.published else { return nil }
        return HeadPush(
            head: published.head, leaves: published.set.leaves,
            records: fitting(published.set.records.values, in: Self.recordBytesPerFrame, using: suite))
    }

    /// The head of another owner as it is passed on, with fewer records: the owner's proof may stand beside
    /// it. Nil when not all of it is here.
    func push(of owner: NodeID, using suite: some SignatureSuite) -> HeadPush? {
        guard owner != own.owner else { return push(using: suite) }
        guard let theirs = present[owner]?.theirs, let whole = theirs.whole else { return nil }
        return HeadPush(
            head: whole.head, leaves: theirs.leaves,
            records: fitting(whole.records, in: Self.recordBytesPerFrame / 2, using: suite))
    }

    /// The records among those asked for; none when they do not lie under the newest head that is here whole.
    func records(askedFor request: RecordRequest) -> [Record] {
        let owner = request.owner ?? own.owner
        var found = OrderedTable<ResourceName, Record>()
        if owner == own.owner {
            guard let published = own.published, published.head.body.position == request.position else {
                return []
            }
            found = published.set.records
        } else if let whole = present[owner]?.theirs.whole, whole.head.body.position == request.position {
            for record in whole.records { found[record.key] = record }
        }
        return request.keys.prefix(Limits.recordsPerHead).compactMap { found[$0] }
    }

    /// As many of `records` as surely fit one frame, in answer to `request`.
    func batch(
        of records: [Record], for request: RecordRequest, using suite: some SignatureSuite
    ) -> RecordBatch {
        RecordBatch(
            audience: request.audience, owner: request.owner, position: request.position,
            records: fitting(records, in: Self.recordBytesPerFrame, using: suite))
    }

    private func fitting(
        _ records: [Record], in bytes: Int, using suite: some SignatureSuite
    ) -> [Record] {
        var room = bytes
        return Array(
            records.prefix { record in
                room -= suite.encoded(record).count + 1
                return room >= 0
            })
    }
}

/// One other in an audience: what is held of it, and, where there is a link, how comparing goes.
struct Correspondent: Equatable, Sendable {
    var theirs: PeerRecords
    /// When a list was sent last; nil before the first.
    var listSent: Instant?
    /// When it was asked for renewals of others last; nil before the first time.
    var renewalsAsked: Instant?
    /// How often this side compared because the two differ, since anything came of it.
    var fruitless = 0
    /// The last owner of the last page that was read whole, where others follow: from there pages go on. Nil
    /// before the first, and once the last one was read.
    private(set) var pageReached: NodeID?
    /// Until when it is compared with by pages, since symbols came to nothing; nil: symbols may be asked for.
    /// It outlives the link, and what was equal meanwhile.
    var symbolsRest: Declined?
    /// What it said that was nothing new, while anything was asked of anybody here.
    var idleWords = 0
    /// Whether anything was new in what it is saying.
    var saysNews = false
    /// Owners of whom it brought a head that did not count. At most `HeadPage.most`.
    private(set) var declined = OrderedTable<NodeID, Declined>()
    /// Whether its records were being served when that was last looked at.
    var isServed: Bool
    /// Since when its head is overdue, though gossip flows and there is no link with it; nil: it is not.
    var silentSince: Instant?
    /// Until when its link is kept for what came over it alone; nil: it is not.
    var bridgeUntil: Instant?

    /// How long to wait for the next list while the two differ: twice as long after each that brought
    /// nothing. Where one side does not know yet that the other is in an audience, no list mends it.
    var listPause: Duration { min(.seconds(2) * (1 << max(min(fruitless, 5), 0)), .seconds(60)) }

    /// What it brought of `owner` did not count: it is asked again in two seconds, and then ever later. Why
    /// it did not, this side need not know: the proof may have come too soon after others, or never count.
    mutating func decline(_ owner: NodeID, at now: Instant) {
        let pause = min(declined[owner].map { $0.pause * 2 } ?? .seconds(2), .seconds(32))
        if declined.count >= HeadPage.most { declined.removeAll { _, declined in declined.until <= now } }
        guard declined.count < HeadPage.most || declined[owner] != nil else { return }
        declined[owner] = Declined(until: now + pause, pause: pause)
    }

    /// All that the page names, and that is new, was asked for. What is behind what it reaches counts only
    /// where nothing before it is left out.
    mutating func noteRead(_ span: OwnerSpan) {
        if let after = span.after { guard let reached = pageReached, after <= reached else { return } }
        pageReached = span.through.map { max($0, pageReached ?? $0) }
    }

    /// Symbols came to nothing: pages for ten minutes, then for ever longer, up to a day.
    mutating func restSymbols(at now: Instant) {
        let pause = min(symbolsRest.map { $0.pause * 2 } ?? .seconds(600), .seconds(86_400))
        symbolsRest = Declined(until: now + pause, pause: pause)
    }

    /// The two hold the same.
    mutating func noteEquality() {
        fruitless = 0
        pageReached = nil
    }

    /// Whether it may be asked for the head of `owner`.
    func mayAsk(for owner: NodeID, at now: Instant) -> Bool {
        declined[owner].map { $0.until <= now } ?? true
    }

    /// Whether a list may be sent: none was for `interval`.
    func mayList(at now: Instant, every interval: Duration) -> Bool {
        listSent.map { now - $0 >= interval } ?? true
    }
}

/// That what somebody brought did not count: of an owner, or symbols.
struct Declined: Equatable, Sendable {
    let until: Instant
    let pause: Duration
}
