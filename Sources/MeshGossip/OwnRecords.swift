import MeshBase

/// What this node tells one audience: its records for it, under a head of its own.
///
///     clean --offers change--> due --token and clock allow--> drafted --signed--> clean (published)
///                              drafted --offers change--> drafted --signed--> due again
///                              drafted --no signature--> due again
///     clean --two thirds of the head's life, or another key for sealed payloads--> due
///     clean --a peer holds a higher head of ours--> due, above that one
///     due --clock behind the highest position--> waits (gap under 10 minutes), else a new epoch
///
/// What is published never changes under its head: head, leaves and records are replaced together, when the
/// signature comes. So whatever is sent or stored fits its root. Source: protocol section 6.
struct OwnRecords: Equatable, Sendable {
    /// A head that was signed, and what lies under it.
    struct Published: Equatable, Sendable {
        let head: Signed<Head>
        let set: RecordSet
    }

    /// A head that is being signed, and what will lie under it.
    struct Draft: Equatable, Sendable {
        let head: Head
        let set: RecordSet
    }

    /// What is to be done about the next head.
    enum Next: Equatable, Sendable {
        /// None is due, or one is being signed.
        case nothing
        case sign(Head)
        /// One is due, but not before this much time: too many were made, or the clock is behind what was
        /// given out.
        case wait(Duration)
    }

    let audience: Audience
    let owner: NodeID
    private(set) var published: Published?
    private(set) var draft: Draft?
    /// The highest position given out, also by a home that this one was restored from.
    private(set) var highest: HeadPosition?
    /// How long the next head lives.
    var life = Limits.headLife
    /// The last sequence of the epoch before the highest position's; nil in epoch 0.
    private var givenUp: Int64?
    /// What the next head is to be made over.
    private var offered = OrderedTable<ResourceName, Record>()
    /// Half of what the receiver accepts at once, so that a restart on either side does not make an honest
    /// node too fast.
    private var updates: TokenBucket

    /// The gap between clock and stored position from which on waiting takes too long.
    private static var patience: Duration { .seconds(600) }

    init(audience: Audience, owner: NodeID, at now: Instant) {
        self.audience = audience
        self.owner = owner
        updates = TokenBucket(
            burst: Limits.headBurst / 2, interval: .seconds(60) / Limits.headsPerMinute, at: now)
    }

    /// Takes up what was stored. Records that do not fit their head are forgotten, its position is not.
    mutating func restore(_ stored: StoredHead, using suite: some SignatureSuite) {
        let body = stored.head.body
        highest = body.position
        givenUp = body.givenUp
        var records = OrderedTable<ResourceName, Record>()
        for record in stored.records { records[record.key] = record }
        let set = RecordSet(records, using: suite)
        guard set.root == body.root else { return }
        published = Published(head: stored.head, set: set)
        offered = records
    }

    /// The peer holds a head of ours: if it is above what is known here, it counts as given out. Whether it
    /// was.
    mutating func recover(_ head: Head) -> Bool {
        guard highest.map({ $0 < head.position }) ?? true else { return false }
        highest = head.position
        givenUp = head.givenUp
        return true
    }

    /// What is offered to the audience now, whole. What breaks a rule that the others hold it to is left out,
    /// and so is what is more than a head can have.
    mutating func replace(with resources: [ResourceDescription], using suite: some SignatureSuite) {
        var changed = OrderedTable<ResourceName, Record>()
        for resource in resources where changed.count < Limits.recordsPerHead {
            let record = Record(owner: owner, audience: audience, key: resource.name, resource: resource)
            // What was offered before is sound: to look at it again costs an encoding each.
            guard offered[resource.name] == record || resource.flaw(using: suite) == nil else { continue }
            changed[resource.name] = record
        }
        offered = changed
    }

    /// The head to sign next, when one is due and none is being signed.
    /// - Parameter encryption: to which key calls to this node are sealed from now on.
    mutating func next(
        at now: Moment, announcing encryption: EncryptionKey? = nil, using suite: some SignatureSuite
    ) -> Next {
        guard draft == nil, isDue(at: now.wall, announcing: encryption) else { return .nothing }
        let current = now.wall.milliseconds << 10
        var position = HeadPosition(
            epoch: highest?.epoch ?? 0, sequence: max((highest?.sequence ?? 0) + 1, current))
        let gap = position.time - now.wall
        if position.sequence > (now.wall + Limits.clockSkewRefused).milliseconds << 10 {
            guard gap >= Self.patience else {
                return .wait(gap - Limits.clockSkewRefused + .milliseconds(1))
            }
            position = HeadPosition(epoch: position.epoch + 1, sequence: current)
        }
        guard updates.take(at: now.instant) else { return .wait(updates.wait(at: now.instant)) }
        let isNewEpoch = position.epoch > highest?.epoch ?? 0
        let set = RecordSet(offered, using: suite)
        let head = Head(
            owner: owner, audience: audience, epoch: position.epoch,
            givenUp: isNewEpoch ? highest?.sequence : givenUp, sequence: position.sequence,
            count: set.leaves.count, root: set.root, encryption: encryption,
            issued: now.wall, expires: now.wall + life)
        draft = Draft(head: head, set: set)
        return .sign(head)
    }

    /// The draft's signature came. Whether it is what the audience is told from now on: not when a higher
    /// position came up meanwhile, nor when the clock was put back so far that the head is dated ahead now.
    mutating func sign(_ signed: Signed<Head>, at now: Moment) -> Bool {
        guard let draft, draft.head == signed.body else { return false }
        guard signed.body.issued <= now.wall + Limits.clockSkewRefused else {
            abandonDraft()
            return false
        }
        self.draft = nil
        guard highest.map({ $0 < signed.body.position }) ?? true else { return false }
        published = Published(head: signed, set: draft.set)
        highest = signed.body.position
        givenUp = signed.body.givenUp
        return true
    }

    /// The signature did not come. The position is never used again: it may have been signed after all.
    mutating func abandonDraft() {
        guard let draft else { return }
        self.draft = nil
        _ = recover(draft.head)
    }

    /// When the head must be renewed: at two thirds of its life; nil before the first.
    var renewal: WallTime? {
        guard let head = published?.head.body else { return nil }
        return head.issued + (head.expires - head.issued) * 2 / 3
    }

    private func isDue(at wall: WallTime, announcing encryption: EncryptionKey?) -> Bool {
        guard let published, let renewal else { return highest != nil || !offered.isEmpty }
        let head = published.head.body
        if published.set.records != offered || highest != head.position { return true }
        if head.encryption != encryption { return true }
        // A head dated ahead of the clock is renewed as well: its life says nothing then.
        return wall >= renewal || head.issued > wall + Limits.clockSkewRefused
    }
}

extension HeadPosition {
    /// The time that the sequence stands for.
    var time: WallTime { WallTime(milliseconds: sequence >> 10) }
}
