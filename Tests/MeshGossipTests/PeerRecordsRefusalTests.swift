import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("What a peer should not have told")
struct PeerRecordsRefusalTests {
    private let suite = Samples.suite
    private let audience = Heads.audience
    private let start = Samples.start

    // MARK: What no honest node sends

    @Test("is invalid under another's signature, for another owner or another audience")
    func foreign() {
        let resources = [Samples.resource("a")]
        let others = Audience.pair(Samples.alice.node, Samples.carol.node)
        for push in [
            Heads.push(resources, signer: Samples.carol), Heads.push(resources, owner: Samples.bob.node),
            Heads.push(resources, audience: others),
        ] {
            var theirs = Heads.fresh()
            #expect(Heads.isInvalid(theirs.receive(push, at: start, using: suite)))
            #expect(theirs.newest == nil && theirs.gathering == nil)
        }
    }

    @Test("a head has a kibibyte as its owner wrote it, and not one byte more")
    func padded() {
        let push = Heads.push([Samples.resource("a")])
        func padded(to count: Int) -> HeadPush {
            let bytes = push.head.payload.bytes
            let payload = Octets(bytes + [UInt8](repeating: 0x20, count: count - bytes.count))
            let signed = Signed(
                body: push.head.body, payload: payload,
                signatures: [
                    Samples.alice.sign(SigningRequest(ticket: Ticket(0), kind: .head, payload: payload))
                ])
            return HeadPush(head: signed, leaves: push.leaves, records: push.records)
        }
        var theirs = Heads.fresh()
        guard case .unsound = theirs.receive(padded(to: 1025), at: start, using: suite) else {
            Issue.record("a longer head was taken")
            return
        }
        #expect(theirs.newest == nil && theirs.gathering == nil)
        guard case .whole = theirs.receive(padded(to: 1024), at: start, using: suite) else {
            Issue.record("a head of a kibibyte was not taken")
            return
        }
    }

    @Test("the longest head that an owner writes takes less than three quarters of the bound")
    func longest() {
        let most: Int64 = 1 << 53 - 1
        let (node, root) = (Samples.alice.node, suite.digest([1]))
        for audience in [audience, .domain(DomainID(root))] {
            var head = Head(
                owner: node, audience: audience, epoch: most, givenUp: most, sequence: most,
                count: Limits.recordsPerHead, root: root, issued: start.wall,
                expires: start.wall + Limits.headLifeLarge)
            head.encryption = EncryptionKey([UInt8](repeating: 255, count: 32))
            let bytes = suite.encoded(head).count
            #expect(bytes > 256 && bytes < Head.payloadMax / 4 * 3, "\(bytes) bytes")
        }
    }

    @Test("is invalid with a life of nothing, or of more than an hour")
    func life() {
        for life in [Duration.zero, .seconds(-5), .seconds(3_601)] {
            var theirs = Heads.fresh()
            #expect(Heads.isInvalid(theirs.receive(Heads.push([], life: life), at: start, using: suite)))
        }
    }

    @Test("is invalid when root, count or order do not fit the leaves")
    func leaves() {
        let resources = [Samples.resource("a"), Samples.resource("b")]
        let good = Heads.push(resources)
        let turned = Heads.records(resources)
        let root = RecordTree.root(turned.leaves.reversed().map(\.digest), using: suite)
        let signed = Heads.push(resources, root: root).head
        for bad in [
            Heads.push(resources, count: 3), Heads.push(resources, root: suite.digest([1])),
            HeadPush(head: good.head, leaves: Array(good.leaves.prefix(1)), records: []),
            HeadPush(head: signed, leaves: turned.leaves.reversed(), records: []),
        ] {
            var theirs = Heads.fresh()
            #expect(Heads.isInvalid(theirs.receive(bad, at: start, using: suite)))
            #expect(theirs.newest == nil)
        }
    }

    @Test("is invalid with more than 256 records")
    func tooMany() {
        var theirs = Heads.fresh()
        #expect(
            Heads.isInvalid(
                theirs.receive(Heads.push(Samples.resources(257), with: []), at: start, using: suite)))
        #expect(theirs.gathering == nil)
    }

    @Test("is invalid with a record that its head does not cover, or that is too large")
    func recordInvalid() {
        let other = Heads.records([Samples.resource("b")]).records.values
        var theirs = Heads.fresh()
        let bare = Heads.push([Samples.resource("a")], with: other)
        #expect(Heads.isInvalid(theirs.receive(bare, at: start, using: suite)))
        #expect(theirs.newest == bare.head && !theirs.isComplete)
        let batch = RecordBatch(position: bare.head.body.position, records: other)
        #expect(Heads.isInvalid(theirs.receive(batch, using: suite)))
        let labels = (0..<30).map {
            ResourceLabel(key: Samples.name("l\($0)"), value: String(repeating: "y", count: 250))
        }
        let large = ResourceDescription(
            name: Samples.name("a"), protocol: .http, capabilities: Samples.resource("a").capabilities,
            labels: labels)
        var another = Heads.fresh()
        #expect(Heads.isInvalid(another.receive(Heads.push([large]), at: start, using: suite)))
        #expect(another.served(at: start.wall).isEmpty)
    }

    @Test("is invalid with an epoch below zero, or one that does not say what it gives up")
    func epochInvalid() {
        var theirs = Heads.fresh()
        #expect(Heads.isInvalid(theirs.receive(Heads.push([], epoch: -1), at: start, using: suite)))
        let set = Heads.records([])
        let head = Head(
            owner: Samples.alice.node, audience: audience, epoch: 1, givenUp: nil, sequence: 1, count: 0,
            root: set.root, issued: start.wall, expires: start.wall + .seconds(60))
        let push = HeadPush(head: Samples.alice.sign(head), leaves: [], records: [])
        #expect(Heads.isInvalid(theirs.receive(push, at: start, using: suite)))
    }

    @Test("is invalid with a record of another owner, even where head and leaf fit it")
    func recordOfAnother() throws {
        let resource = Samples.resource("a")
        let foreign = Record(
            owner: Samples.bob.node, audience: audience, key: resource.name, resource: resource)
        var table = OrderedTable<ResourceName, Record>()
        table[resource.name] = foreign
        let set = RecordSet(table, using: suite)
        let head = Heads.push([resource], root: set.root).head
        var theirs = Heads.fresh()
        let push = HeadPush(head: head, leaves: set.leaves, records: [foreign])
        #expect(Heads.isInvalid(theirs.receive(push, at: start, using: suite)))
        #expect(theirs.whole == nil)
    }

    // MARK: What is dropped, and held against nobody

    @Test("is dropped when it is over, or dated more than 300 s ahead")
    func dates() {
        let resources = [Samples.resource("a")]
        var theirs = Heads.fresh()
        let old = Heads.push(resources, at: start.withClockSet(by: .seconds(-900)))
        #expect(Heads.code(theirs.receive(old, at: start, using: suite)) == .documentInvalid)
        let early = Heads.push(resources, at: start.after(.milliseconds(300_001)))
        #expect(Heads.code(theirs.receive(early, at: start, using: suite)) == .clockSkew)
        let far = Heads.push(resources, sequence: (start.wall.milliseconds + 300_001) << 10)
        #expect(Heads.code(theirs.receive(far, at: start, using: suite)) == .clockSkew)
        #expect(theirs.newest == nil)
        let just = Heads.push(resources, at: start.after(.seconds(300)))
        guard case .whole = theirs.receive(just, at: start, using: suite) else {
            Issue.record("dropped")
            return
        }
    }

    @Test("is dropped beyond fifty heads at once, and ten a minute after that")
    func headRate() {
        var theirs = Heads.fresh()
        var accepted = 0
        func send(_ index: Int, at now: Moment) {
            let push = Heads.push([], at: start, sequence: start.wall.milliseconds << 10 + Int64(index))
            if case .whole = theirs.receive(push, at: now, using: suite) { accepted += 1 }
        }
        for index in 0..<100 { send(index, at: start) }
        #expect(accepted == 50)
        for index in 100..<200 { send(index, at: start.after(.seconds(60))) }
        #expect(accepted == 60)
    }

    @Test("is dropped beyond four new epochs within a day")
    func epochRate() {
        var theirs = Heads.fresh()
        var now = start
        _ = theirs.receive(Heads.push([], at: now), at: now, using: suite)
        for epoch in 1...5 {
            now = now.after(.seconds(3_600))
            let reception = theirs.receive(
                Heads.push([], epoch: Int64(epoch), at: now), at: now, using: suite)
            #expect(Heads.code(reception) == (epoch == 5 ? .limitReached : nil))
        }
        #expect(theirs.newest?.body.epoch == 4)
        now = start.after(.seconds(25 * 3_600))
        guard case .whole = theirs.receive(Heads.push([], epoch: 5, at: now), at: now, using: suite) else {
            Issue.record("refused after a day")
            return
        }
    }

    @Test("ignores records of another head, and asks no second time for what brought nothing new")
    func batches() {
        var theirs = Heads.fresh()
        let push = Heads.push([Samples.resource("a"), Samples.resource("b")])
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
}
