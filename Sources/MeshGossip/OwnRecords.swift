import MeshBase

/// What this node tells one peer: its records for the pair, under a head of its own.
///
///     clean --offers change--> signing --signed--> clean (pushed)
///                              signing --offers change--> signing, dirty --signed--> signing again
///     clean --two thirds of the head's life--> signing
///     clean --clock behind the stored sequence--> waiting (gap under 10 minutes) --> signing;  else a new epoch
struct OwnRecords: Equatable, Sendable {
    let audience: Audience
    let owner: NodeID
    private(set) var records = OrderedTable<ResourceName, Record>()
    /// The newest head, once there is one.
    private(set) var head: Signed<Head>?
    private(set) var leaves: [RecordLeaf] = []
    /// The highest position given out, also by a home that this one was restored from.
    private(set) var highest: HeadPosition?
    private(set) var signing: Head?
    private var isDirty = false

    init(audience: Audience, owner: NodeID) {
        self.audience = audience
        self.owner = owner
    }

    /// A wait when the clock is behind what was given out before.
    enum Next: Equatable, Sendable {
        case nothing
        case sign(Head)
        case wait(Duration)
    }

    /// Takes up what was stored.
    mutating func restore(_ stored: StoredHead, using suite: some SignatureSuite) {
        head = stored.head
        highest = stored.head.body.position
        for record in stored.records { records[record.key] = record }
        leaves = records.values.map { RecordTree.leaf($0, using: suite) }
    }

    /// The peer holds a head of ours that is above what is stored here: it counts as given out.
    mutating func recover(_ position: HeadPosition) -> Bool {
        guard highest.map({ $0 < position }) ?? true else { return false }
        highest = position
        isDirty = true
        return true
    }

    /// What is offered to the peer now, whole. Whether anything differs from what was.
    mutating func replace(with resources: [ResourceDescription]) -> Bool {
        var changed = OrderedTable<ResourceName, Record>()
        for resource in resources.prefix(Limits.recordsPerHead) {
            changed[resource.name] = Record(
                owner: owner, audience: audience, key: resource.name, resource: resource)
        }
        guard changed != records else { return false }
        records = changed
        isDirty = true
        return true
    }

    /// The head to sign next, when one is due and none is being signed.
    mutating func next(at wall: WallTime, using suite: some SignatureSuite) -> Next {
        guard signing == nil, isDue(at: wall) else { return .nothing }
        let current = wall.milliseconds << 10
        var epoch = highest?.epoch ?? 0
        var sequence = max((highest?.sequence ?? 0) + 1, current)
        if sequence > (wall + Limits.clockSkewRefused).milliseconds << 10 {
            let gap = WallTime(milliseconds: sequence >> 10) - wall
            guard gap >= .seconds(600) else { return .wait(gap - Limits.clockSkewRefused + .milliseconds(1)) }
            epoch += 1
            sequence = current
        }
        leaves = records.values.map { RecordTree.leaf($0, using: suite) }
        let head = Head(
            owner: owner, audience: audience, epoch: epoch, sequence: sequence, count: records.count,
            root: RecordTree.root(leaves.map(\.digest), using: suite), issued: wall,
            expires: wall + Limits.headLife)
        signing = head
        isDirty = false
        return .sign(head)
    }

    /// The signature came: this is the head now.
    mutating func sign(_ signed: Signed<Head>) {
        head = signed
        highest = signed.body.position
        signing = nil
    }

    /// When the head must be renewed: at two thirds of its life.
    var renewal: WallTime? { head.map { $0.body.issued + Limits.headLife * 2 / 3 } }

    private func isDue(at wall: WallTime) -> Bool {
        if isDirty { return true }
        guard let head, let renewal else { return false }
        // A head dated ahead of the clock is renewed as well: its life says nothing then.
        return wall >= renewal || head.body.issued > wall + Limits.clockSkewRefused
    }
}
