import MeshBase
import MeshSimulator

@testable import MeshGossip

/// What Alice tells Bob, as she would make it unless a test says otherwise.
enum Heads {
    static let suite = Samples.suite
    static let audience = Audience.pair(Samples.alice.node, Samples.bob.node)
    static let start = Samples.start

    static func fresh() -> PeerRecords {
        PeerRecords(
            audience: audience, owner: Samples.alice.node, key: Samples.alice.publicKey, at: start.instant)
    }

    static func records(_ resources: [ResourceDescription]) -> RecordSet {
        var table = OrderedTable<ResourceName, Record>()
        for resource in resources {
            table[resource.name] = Record(
                owner: Samples.alice.node, audience: audience, key: resource.name, resource: resource)
        }
        return RecordSet(table, using: suite)
    }

    /// A head over `resources` as its owner would make it, unless told otherwise.
    static func push(
        _ resources: [ResourceDescription], epoch: Int64 = 0, at issued: Moment? = nil,
        sequence: Int64? = nil,
        life: Duration = .seconds(900), owner: NodeID? = nil, audience: Audience? = nil, count: Int? = nil,
        root: Digest? = nil, signer: SimulatedKey = Samples.alice, with sent: [Record]? = nil
    ) -> HeadPush {
        let set = records(resources)
        let wall = (issued ?? start).wall
        let head = Head(
            owner: owner ?? Samples.alice.node, audience: audience ?? Self.audience, epoch: epoch,
            givenUp: epoch == 0 ? nil : 5, sequence: sequence ?? wall.milliseconds << 10,
            count: count ?? set.leaves.count, root: root ?? set.root, issued: wall, expires: wall + life)
        return HeadPush(head: signer.sign(head), leaves: set.leaves, records: sent ?? set.records.values)
    }

    static func isInvalid(_ reception: PeerRecords.Reception) -> Bool {
        switch reception {
        case .invalid, .unsound: true
        case .known, .dropped, .contradiction, .incomplete, .whole: false
        }
    }

    static func code(_ reception: PeerRecords.Reception) -> RefusalCode? {
        switch reception {
        case .dropped(let refusal), .invalid(let refusal), .unsound(let refusal): refusal.code
        case .known, .contradiction, .incomplete, .whole: nil
        }
    }
}
