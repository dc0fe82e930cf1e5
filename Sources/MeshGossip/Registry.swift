import MeshBase

/// One audience of two: what this node tells a peer, and what the peer tells it.
///
/// Pushed on change, compared with every ping, repaired by the list after a difference and after every handshake. Only the owner's
/// own link is believed to bring its records, and nothing of it goes to anybody else.
struct PairRegistry: Equatable, Sendable {
    let audience: Audience
    var own: OwnRecords
    var theirs: PeerRecords
    /// When a list was sent last, so that a lasting difference costs one list every two seconds.
    var listSent: Instant?

    init(me: NodeID, peer: NodeID, key: PublicKey, at now: Instant) {
        audience = .pair(me, peer)
        own = OwnRecords(audience: audience, owner: me)
        theirs = PeerRecords(audience: audience, owner: peer, key: key, at: now)
    }

    /// What both sides must agree on: (owner, epoch, root) of both heads, the smaller owner's first.
    func summary(using suite: some SignatureSuite) -> RegistrySummary {
        var fields = FieldSequence(.audienceTag)
        fields.append(audience.description)
        let heads = [own.head?.body, theirs.whole?.head.body].compactMap { $0 }.sorted { $0.owner < $1.owner }
        for head in heads {
            fields.append(head.owner.digest)
            fields.append(head.epoch)
            fields.append(head.root)
        }
        return RegistrySummary(digest: suite.digest(fields.bytes))
    }

    /// Where this side stands.
    var list: RegistryList {
        RegistryList(mine: own.head?.body.position, yours: theirs.newest, isComplete: theirs.gathering == nil)
    }

    /// The newest head with as many records as surely fit one frame.
    func push(using suite: some SignatureSuite) -> HeadPush? {
        guard let head = own.head else { return nil }
        return HeadPush(head: head, leaves: own.leaves, records: batch(own.records.values, using: suite))
    }

    /// The records among `keys`, as many as surely fit one frame.
    func records(for request: RecordRequest, using suite: some SignatureSuite) -> RecordBatch? {
        guard let head = own.head, head.body.position == request.position else { return nil }
        let asked = request.keys.prefix(Limits.recordsPerHead).compactMap { own.records[$0] }
        return RecordBatch(position: request.position, records: batch(asked, using: suite))
    }

    private func batch(_ records: [Record], using suite: some SignatureSuite) -> [Record] {
        var room = 24 * 1024
        return Array(
            records.prefix { record in
                room -= suite.encoded(record).count
                return room >= 0
            })
    }
}
