import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("What a peer tells")
struct PeerRecordsTests {
    private let suite = Samples.suite
    private let start = Samples.start

    // MARK: The arrows

    @Test("is served when a head and all its records are here")
    func whole() {
        var theirs = Heads.fresh()
        let push = Heads.push([Samples.resource("a"), Samples.resource("b")])
        #expect(
            theirs.receive(push, at: start, using: suite)
                == .whole(StoredHead(head: push.head, records: push.records)))
        #expect(theirs.served(at: start.wall) == push.records)
        #expect(theirs.isComplete && theirs.gathering == nil && theirs.newest == push.head)
    }

    @Test("is gathered record by record, while the head before it is served")
    func gathering() {
        var theirs = Heads.fresh()
        let old = Heads.push([Samples.resource("a"), Samples.resource("old")])
        _ = theirs.receive(old, at: start, using: suite)
        let later = start.after(.seconds(10))
        let new = Heads.push(["a", "b", "c"].map { Samples.resource($0) }, at: later, with: [])
        #expect(
            theirs.receive(new, at: later, using: suite)
                == .incomplete(
                    StoredHead(head: new.head, records: []), missing: [Samples.name("b"), Samples.name("c")]))
        #expect(theirs.served(at: later.wall) == old.records && !theirs.isComplete)
        let all = Heads.records(["a", "b", "c"].map { Samples.resource($0) }).records.values
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
        var theirs = Heads.fresh()
        _ = theirs.receive(Heads.push([Samples.resource("a")]), at: start, using: suite)
        #expect(theirs.served(at: start.wall + .milliseconds(899_999)).count == 1)
        #expect(theirs.served(at: start.wall + .seconds(900)).isEmpty)
        #expect(theirs.isComplete)
    }

    @Test("is not served while the clock says that it was made far ahead")
    func clockSetBack() {
        var theirs = Heads.fresh()
        _ = theirs.receive(Heads.push([Samples.resource("a")]), at: start, using: suite)
        #expect(theirs.served(at: start.wall - .seconds(300)).count == 1)
        #expect(theirs.served(at: start.wall - .seconds(301)).isEmpty)
    }

    @Test("asks for its renewal in the last quarter of its life")
    func lacksRenewal() {
        var theirs = Heads.fresh()
        #expect(!theirs.lacksRenewal(at: start.wall))
        _ = theirs.receive(Heads.push([Samples.resource("a")]), at: start, using: suite)
        #expect(!theirs.lacksRenewal(at: start.wall + .seconds(674)))
        #expect(theirs.lacksRenewal(at: start.wall + .seconds(675)))
    }

    // MARK: Order

    @Test("is nothing new when the same head comes again")
    func again() {
        var theirs = Heads.fresh()
        let push = Heads.push([Samples.resource("a")])
        _ = theirs.receive(push, at: start, using: suite)
        let before = theirs
        #expect(theirs.receive(push, at: start, using: suite) == .known)
        #expect(theirs == before)
    }

    @Test("is completed by the same head pushed again")
    func pushedAgain() {
        var theirs = Heads.fresh()
        let push = Heads.push([Samples.resource("a"), Samples.resource("b")])
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
        var theirs = Heads.fresh()
        let newest = Heads.push([Samples.resource("a")], epoch: 1, at: start)
        _ = theirs.receive(newest, at: start, using: suite)
        let before = theirs
        let stale = Heads.push([Samples.resource("b")], epoch: 1, at: start.withClockSet(by: .seconds(-1)))
        #expect(Heads.code(theirs.receive(stale, at: start, using: suite)) == .documentInvalid)
        let oldEpoch = Heads.push([Samples.resource("b")], at: start.after(.seconds(60)))
        #expect(!Heads.isInvalid(theirs.receive(oldEpoch, at: start, using: suite)))
        #expect(theirs == before)
    }

    @Test("convicts its owner by two roots under one position, both signed")
    func equivocation() {
        var theirs = Heads.fresh()
        _ = theirs.receive(Heads.push([Samples.resource("a")]), at: start, using: suite)
        let before = theirs
        guard
            case .contradiction = theirs.receive(Heads.push([Samples.resource("b")]), at: start, using: suite)
        else {
            Issue.record("not convicted")
            return
        }
        #expect(theirs == before)
        let forged = Heads.push([Samples.resource("b")], signer: Samples.carol)
        #expect(Heads.isInvalid(theirs.receive(forged, at: start, using: suite)))
    }

    @Test("convicts its owner also by a head whose records never came")
    func equivocationWhileGathering() {
        var theirs = Heads.fresh()
        _ = theirs.receive(Heads.push([Samples.resource("a")], with: []), at: start, using: suite)
        guard
            case .contradiction = theirs.receive(Heads.push([Samples.resource("b")]), at: start, using: suite)
        else {
            Issue.record("not convicted")
            return
        }
    }

    // MARK: What was stored

    @Test("is served after a restart when it was whole")
    func restored() {
        var theirs = Heads.fresh()
        let push = Heads.push([Samples.resource("a")])
        theirs.restore(StoredHead(head: push.head, records: push.records), using: suite)
        #expect(theirs.served(at: start.wall) == push.records && theirs.isComplete)
    }

    @Test("keeps the highest position over a restart even when its records are missing")
    func restoredIncomplete() {
        var theirs = Heads.fresh()
        let push = Heads.push([Samples.resource("a")], at: start.after(.seconds(60)))
        theirs.restore(StoredHead(head: push.head, records: []), using: suite)
        #expect(theirs.served(at: start.wall).isEmpty && !theirs.isComplete)
        let lower = Heads.push([Samples.resource("a")])
        #expect(Heads.code(theirs.receive(lower, at: start, using: suite)) == .documentInvalid)
        #expect(
            theirs.receive(push, at: start, using: suite)
                == .whole(StoredHead(head: push.head, records: push.records)))
    }
}
