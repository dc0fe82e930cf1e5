import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("What a peer tells")
struct PeerRecordsTests {
    private let suite = Samples.suite
    private let audience = Audience.pair(Samples.alice.node, Samples.bob.node)
    private let start = Samples.start

    private func fresh() -> PeerRecords {
        PeerRecords(
            audience: audience, owner: Samples.alice.node, key: Samples.alice.publicKey, at: start.instant)
    }

    private func records(_ resources: [ResourceDescription]) -> RecordSet {
        var table = OrderedTable<ResourceName, Record>()
        for resource in resources {
            table[resource.name] = Record(
                owner: Samples.alice.node, audience: audience, key: resource.name, resource: resource)
        }
        return RecordSet(table, using: suite)
    }

    /// A head over `resources` as its owner would make it, unless told otherwise.
    private func push(
        _ resources: [ResourceDescription], epoch: Int64 = 0, at issued: Moment? = nil,
        sequence: Int64? = nil,
        life: Duration = .seconds(900), owner: NodeID? = nil, audience: Audience? = nil, count: Int? = nil,
        root: Digest? = nil, signer: SimulatedKey = Samples.alice, with sent: [Record]? = nil
    ) -> HeadPush {
        let set = records(resources)
        let wall = (issued ?? start).wall
        let head = Head(
            owner: owner ?? Samples.alice.node, audience: audience ?? self.audience, epoch: epoch,
            givenUp: epoch == 0 ? nil : 5, sequence: sequence ?? wall.milliseconds << 10,
            count: count ?? set.leaves.count, root: root ?? set.root, issued: wall, expires: wall + life)
        return HeadPush(head: signer.sign(head), leaves: set.leaves, records: sent ?? set.records.values)
    }

    private func isInvalid(_ reception: PeerRecords.Reception) -> Bool {
        if case .invalid = reception { return true }
        return false
    }

    private func code(_ reception: PeerRecords.Reception) -> RefusalCode? {
        switch reception {
        case .dropped(let refusal), .invalid(let refusal): refusal.code
        case .known, .contradiction, .incomplete, .whole: nil
        }
    }

    // MARK: The arrows

    @Test("is served when a head and all its records are here")
    func whole() {
        var theirs = fresh()
        let push = push([Samples.resource("a"), Samples.resource("b")])
        #expect(
            theirs.receive(push, at: start, using: suite)
                == .whole(StoredHead(head: push.head, records: push.records)))
        #expect(theirs.served(at: start.wall) == push.records)
        #expect(theirs.isComplete && theirs.gathering == nil && theirs.newest == push.head)
    }

    @Test("is gathered record by record, while the head before it is served")
    func gathering() {
        var theirs = fresh()
        let old = push([Samples.resource("a"), Samples.resource("old")])
        _ = theirs.receive(old, at: start, using: suite)
        let later = start.after(.seconds(10))
        let new = push(["a", "b", "c"].map { Samples.resource($0) }, at: later, with: [])
        #expect(
            theirs.receive(new, at: later, using: suite)
                == .incomplete(
                    StoredHead(head: new.head, records: []), missing: [Samples.name("b"), Samples.name("c")]))
        #expect(theirs.served(at: later.wall) == old.records && !theirs.isComplete)
        let all = records(["a", "b", "c"].map { Samples.resource($0) }).records.values
        let position = new.head.body.position
        #expect(
            theirs.receive(RecordBatch(position: position, records: [all[2]]), using: suite)
                == .incomplete(nil, missing: [Samples.name("b")]))
        #expect(
            theirs.receive(RecordBatch(position: position, records: [all[1]]), using: suite)
                == .whole(StoredHead(head: new.head, records: all)))
        #expect(theirs.served(at: later.wall) == all)
    }

    @Test("is served until it expires, and not at that moment")
    func expiry() {
        var theirs = fresh()
        _ = theirs.receive(push([Samples.resource("a")]), at: start, using: suite)
        #expect(theirs.served(at: start.wall + .milliseconds(899_999)).count == 1)
        #expect(theirs.served(at: start.wall + .seconds(900)).isEmpty)
        #expect(theirs.isComplete)
    }

    @Test("is not served while the clock says that it was made far ahead")
    func clockSetBack() {
        var theirs = fresh()
        _ = theirs.receive(push([Samples.resource("a")]), at: start, using: suite)
        #expect(theirs.served(at: start.wall - .seconds(300)).count == 1)
        #expect(theirs.served(at: start.wall - .seconds(301)).isEmpty)
    }

    @Test("asks for its renewal in the last quarter of its life")
    func lacksRenewal() {
        var theirs = fresh()
        #expect(!theirs.lacksRenewal(at: start.wall))
        _ = theirs.receive(push([Samples.resource("a")]), at: start, using: suite)
        #expect(!theirs.lacksRenewal(at: start.wall + .seconds(674)))
        #expect(theirs.lacksRenewal(at: start.wall + .seconds(675)))
    }

    // MARK: Order

    @Test("is nothing new when the same head comes again")
    func again() {
        var theirs = fresh()
        let push = push([Samples.resource("a")])
        _ = theirs.receive(push, at: start, using: suite)
        let before = theirs
        #expect(theirs.receive(push, at: start, using: suite) == .known)
        #expect(theirs == before)
    }

    @Test("is completed by the same head pushed again")
    func pushedAgain() {
        var theirs = fresh()
        let push = push([Samples.resource("a"), Samples.resource("b")])
        let bare = HeadPush(head: push.head, leaves: push.leaves, records: [])
        _ = theirs.receive(bare, at: start, using: suite)
        #expect(
            theirs.receive(bare, at: start, using: suite)
                == .incomplete(nil, missing: [Samples.name("a"), Samples.name("b")]))
        #expect(
            theirs.receive(push, at: start, using: suite)
                == .whole(StoredHead(head: push.head, records: push.records)))
    }

    @Test("never goes back to a lower sequence or a lower epoch")
    func lower() {
        var theirs = fresh()
        let newest = push([Samples.resource("a")], epoch: 1, at: start)
        _ = theirs.receive(newest, at: start, using: suite)
        let before = theirs
        let stale = push([Samples.resource("b")], epoch: 1, at: start.withClockSet(by: .seconds(-1)))
        #expect(code(theirs.receive(stale, at: start, using: suite)) == .documentInvalid)
        let oldEpoch = push([Samples.resource("b")], at: start.after(.seconds(60)))
        #expect(!isInvalid(theirs.receive(oldEpoch, at: start, using: suite)))
        #expect(theirs == before)
    }

    @Test("convicts its owner by two roots under one position, both signed")
    func equivocation() {
        var theirs = fresh()
        _ = theirs.receive(push([Samples.resource("a")]), at: start, using: suite)
        let before = theirs
        guard case .contradiction = theirs.receive(push([Samples.resource("b")]), at: start, using: suite)
        else {
            Issue.record("not convicted")
            return
        }
        #expect(theirs == before)
        let forged = push([Samples.resource("b")], signer: Samples.carol)
        #expect(isInvalid(theirs.receive(forged, at: start, using: suite)))
    }

    @Test("convicts its owner also by a head whose records never came")
    func equivocationWhileGathering() {
        var theirs = fresh()
        _ = theirs.receive(push([Samples.resource("a")], with: []), at: start, using: suite)
        guard case .contradiction = theirs.receive(push([Samples.resource("b")]), at: start, using: suite)
        else {
            Issue.record("not convicted")
            return
        }
    }

    // MARK: What no honest node sends

    @Test("is invalid under another's signature, for another owner or another audience")
    func foreign() {
        let resources = [Samples.resource("a")]
        let others = Audience.pair(Samples.alice.node, Samples.carol.node)
        for push in [
            push(resources, signer: Samples.carol), push(resources, owner: Samples.bob.node),
            push(resources, audience: others),
        ] {
            var theirs = fresh()
            #expect(isInvalid(theirs.receive(push, at: start, using: suite)))
            #expect(theirs.newest == nil && theirs.gathering == nil)
        }
    }

    @Test("is invalid with a life of nothing, or of more than an hour")
    func life() {
        for life in [Duration.zero, .seconds(-5), .seconds(3_601)] {
            var theirs = fresh()
            #expect(isInvalid(theirs.receive(push([], life: life), at: start, using: suite)))
        }
    }

    @Test("is invalid when root, count or order do not fit the leaves")
    func leaves() {
        let resources = [Samples.resource("a"), Samples.resource("b")]
        let good = push(resources)
        let turned = records(resources)
        let root = RecordTree.root(turned.leaves.reversed().map(\.digest), using: suite)
        let signed = push(resources, root: root).head
        for bad in [
            push(resources, count: 3), push(resources, root: suite.digest([1])),
            HeadPush(head: good.head, leaves: Array(good.leaves.prefix(1)), records: []),
            HeadPush(head: signed, leaves: turned.leaves.reversed(), records: []),
        ] {
            var theirs = fresh()
            #expect(isInvalid(theirs.receive(bad, at: start, using: suite)))
            #expect(theirs.newest == nil)
        }
    }

    @Test("is invalid with more than 256 records")
    func tooMany() {
        var theirs = fresh()
        #expect(isInvalid(theirs.receive(push(Samples.resources(257), with: []), at: start, using: suite)))
        #expect(theirs.gathering == nil)
    }

    @Test("is invalid with a record that its head does not cover, or that is too large")
    func recordInvalid() {
        let other = records([Samples.resource("b")]).records.values
        var theirs = fresh()
        let bare = push([Samples.resource("a")], with: other)
        #expect(isInvalid(theirs.receive(bare, at: start, using: suite)))
        #expect(theirs.newest == bare.head && !theirs.isComplete)
        let batch = RecordBatch(position: bare.head.body.position, records: other)
        #expect(isInvalid(theirs.receive(batch, using: suite)))
        let labels = (0..<30).map {
            ResourceLabel(key: Samples.name("l\($0)"), value: String(repeating: "y", count: 250))
        }
        let large = ResourceDescription(
            name: Samples.name("a"), protocol: .http, capabilities: Samples.resource("a").capabilities,
            labels: labels)
        var another = fresh()
        #expect(isInvalid(another.receive(push([large]), at: start, using: suite)))
        #expect(another.served(at: start.wall).isEmpty)
    }

    @Test("is invalid with an epoch below zero, or one that does not say what it gives up")
    func epochInvalid() {
        var theirs = fresh()
        #expect(isInvalid(theirs.receive(push([], epoch: -1), at: start, using: suite)))
        let set = records([])
        let head = Head(
            owner: Samples.alice.node, audience: audience, epoch: 1, givenUp: nil, sequence: 1, count: 0,
            root: set.root, issued: start.wall, expires: start.wall + .seconds(60))
        let push = HeadPush(head: Samples.alice.sign(head), leaves: [], records: [])
        #expect(isInvalid(theirs.receive(push, at: start, using: suite)))
    }

    // MARK: What is dropped, and held against nobody

    @Test("is dropped when it is over, or dated more than 300 s ahead")
    func dates() {
        let resources = [Samples.resource("a")]
        var theirs = fresh()
        let old = push(resources, at: start.withClockSet(by: .seconds(-900)))
        #expect(code(theirs.receive(old, at: start, using: suite)) == .documentInvalid)
        let early = push(resources, at: start.after(.milliseconds(300_001)))
        #expect(code(theirs.receive(early, at: start, using: suite)) == .clockSkew)
        let far = push(resources, sequence: (start.wall.milliseconds + 300_001) << 10)
        #expect(code(theirs.receive(far, at: start, using: suite)) == .clockSkew)
        #expect(theirs.newest == nil)
        let just = push(resources, at: start.after(.seconds(300)))
        guard case .whole = theirs.receive(just, at: start, using: suite) else {
            Issue.record("dropped")
            return
        }
    }

    @Test("is dropped beyond fifty heads at once, and ten a minute after that")
    func headRate() {
        var theirs = fresh()
        var accepted = 0
        func send(_ index: Int, at now: Moment) {
            let push = push([], at: start, sequence: start.wall.milliseconds << 10 + Int64(index))
            if case .whole = theirs.receive(push, at: now, using: suite) { accepted += 1 }
        }
        for index in 0..<100 { send(index, at: start) }
        #expect(accepted == 50)
        for index in 100..<200 { send(index, at: start.after(.seconds(60))) }
        #expect(accepted == 60)
    }

    @Test("is dropped beyond four new epochs within a day")
    func epochRate() {
        var theirs = fresh()
        var now = start
        _ = theirs.receive(push([], at: now), at: now, using: suite)
        for epoch in 1...5 {
            now = now.after(.seconds(3_600))
            let reception = theirs.receive(push([], epoch: Int64(epoch), at: now), at: now, using: suite)
            #expect(code(reception) == (epoch == 5 ? .limitReached : nil))
        }
        #expect(theirs.newest?.body.epoch == 4)
        now = start.after(.seconds(25 * 3_600))
        guard case .whole = theirs.receive(push([], epoch: 5, at: now), at: now, using: suite) else {
            Issue.record("refused after a day")
            return
        }
    }

    @Test("ignores records of another head, and asks no second time for what brought nothing new")
    func batches() {
        var theirs = fresh()
        let push = push([Samples.resource("a"), Samples.resource("b")])
        _ = theirs.receive(
            HeadPush(head: push.head, leaves: push.leaves, records: []), at: start, using: suite)
        let other = HeadPosition(epoch: 0, sequence: 1)
        #expect(theirs.receive(RecordBatch(position: other, records: push.records), using: suite) == .known)
        let position = push.head.body.position
        #expect(theirs.receive(RecordBatch(position: position, records: []), using: suite) == .known)
        let first = RecordBatch(position: position, records: [push.records[0]])
        #expect(theirs.receive(first, using: suite) == .incomplete(nil, missing: [Samples.name("b")]))
        #expect(theirs.receive(first, using: suite) == .known)
    }

    // MARK: What was stored

    @Test("is served after a restart when it was whole")
    func restored() {
        var theirs = fresh()
        let push = push([Samples.resource("a")])
        theirs.restore(StoredHead(head: push.head, records: push.records), using: suite)
        #expect(theirs.served(at: start.wall) == push.records && theirs.isComplete)
    }

    @Test("keeps the highest position over a restart even when its records are missing")
    func restoredIncomplete() {
        var theirs = fresh()
        let push = push([Samples.resource("a")], at: start.after(.seconds(60)))
        theirs.restore(StoredHead(head: push.head, records: []), using: suite)
        #expect(theirs.served(at: start.wall).isEmpty && !theirs.isComplete)
        let lower = self.push([Samples.resource("a")])
        #expect(code(theirs.receive(lower, at: start, using: suite)) == .documentInvalid)
        #expect(
            theirs.receive(push, at: start, using: suite)
                == .whole(StoredHead(head: push.head, records: push.records)))
    }
}
