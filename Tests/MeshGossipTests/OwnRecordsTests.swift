import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

@Suite("A node's own records for a peer")
struct OwnRecordsTests {
    private let suite = Samples.suite
    private let audience = Audience.pair(Samples.alice.node, Samples.bob.node)
    private let start = Samples.start

    private func fresh() -> OwnRecords {
        OwnRecords(audience: audience, owner: Samples.alice.node, at: start.instant)
    }

    /// Signs what is due at `now`.
    @discardableResult
    private func publish(_ own: inout OwnRecords, at now: Moment) -> Head? {
        guard case .sign(let head) = own.next(at: now, using: suite) else { return nil }
        #expect(own.sign(Samples.alice.sign(head), at: now) == true)
        return head
    }

    private func published(_ names: String..., at now: Moment? = nil) -> OwnRecords {
        var own = fresh()
        own.replace(with: names.map { Samples.resource($0) }, using: suite)
        publish(&own, at: now ?? start)
        return own
    }

    private func stored(_ own: OwnRecords) throws -> StoredHead {
        let published = try #require(own.published)
        return StoredHead(head: published.head, records: published.set.records.values)
    }

    @Test("have no head while nothing was ever offered")
    func nothing() {
        var own = fresh()
        own.replace(with: [], using: suite)
        #expect(own.next(at: start, using: suite) == .nothing)
        #expect(own.renewal == nil)
    }

    @Test("get a head when something is offered, dated by the clock")
    func first() throws {
        var own = fresh()
        own.replace(with: [Samples.resource("b"), Samples.resource("a")], using: suite)
        let head = try #require(publish(&own, at: start))
        #expect(head.position == HeadPosition(epoch: 0, sequence: start.wall.milliseconds << 10))
        #expect(head.count == 2 && head.givenUp == nil)
        #expect(head.issued == start.wall && head.expires == start.wall + .seconds(900))
        #expect(own.published?.set.records.keys.map(\.description) == ["a", "b"])
        #expect(own.published?.set.root == head.root)
    }

    @Test("make no second head for the same offers")
    func unchanged() {
        var own = published("a")
        own.replace(with: [Samples.resource("a")], using: suite)
        #expect(own.next(at: start.after(.seconds(1)), using: suite) == .nothing)
    }

    @Test("make an empty head when the last offer is withdrawn")
    func withdrawn() throws {
        var own = published("a")
        own.replace(with: [], using: suite)
        let head = try #require(publish(&own, at: start.after(.seconds(1))))
        #expect(head.count == 0 && head.root == .zero)
    }

    @Test("gather what changes while a head is being signed into the next one")
    func coalesced() throws {
        var own = fresh()
        own.replace(with: [Samples.resource("a")], using: suite)
        guard case .sign(let head) = own.next(at: start, using: suite) else {
            Issue.record("no head")
            return
        }
        for name in ["b", "c", "d"] {
            own.replace(with: [Samples.resource(name)], using: suite)
            #expect(own.next(at: start, using: suite) == .nothing)
        }
        #expect(own.sign(Samples.alice.sign(head), at: start) == true)
        #expect(own.published?.set.records.keys.map(\.description) == ["a"])
        let next = try #require(publish(&own, at: start))
        #expect(next.position > head.position)
        #expect(own.published?.set.records.keys.map(\.description) == ["d"])
    }

    @Test("are pushed and stored as they were signed, whatever was offered since")
    func consistent() throws {
        var own = published("a")
        own.replace(with: [Samples.resource("b")], using: suite)
        guard case .sign = own.next(at: start, using: suite) else {
            Issue.record("no head")
            return
        }
        let set = try #require(own.published?.set)
        #expect(set.root == own.published?.head.body.root)
        #expect(RecordTree.root(set.leaves.map(\.digest), using: suite) == set.root)
        #expect(RecordSet(set.records, using: suite) == set)
    }

    @Test("rise strictly even when the clock stands still or goes back a little")
    func rising() throws {
        var own = published("a")
        var last = try #require(own.highest)
        for step in 1...20 {
            own.replace(with: [Samples.resource("a\(step)")], using: suite)
            let now = start.after(.seconds(60)).withClockSet(by: .seconds(-10 * step))
            let head = try #require(publish(&own, at: now))
            #expect(head.position > last && head.epoch == 0)
            last = head.position
        }
    }

    @Test("are renewed at two thirds of the head's life, and not before")
    func renewal() throws {
        var own = published("a")
        #expect(own.renewal == start.wall + .seconds(600))
        #expect(own.next(at: start.after(.milliseconds(599_999)), using: suite) == .nothing)
        let head = try #require(publish(&own, at: start.after(.seconds(600))))
        #expect(head.root == RecordSet(own.published!.set.records, using: suite).root)
        #expect(own.renewal == start.wall + .seconds(1_200))
    }

    @Test("are renewed at once when the clock was set back behind the head's date")
    func clockSetBack() throws {
        var own = published("a")
        #expect(own.next(at: start.withClockSet(by: .seconds(-299)), using: suite) == .nothing)
        let early = own.next(at: start.withClockSet(by: .seconds(-301)), using: suite)
        guard case .wait = early else {
            Issue.record("\(early)")
            return
        }
        let far = try #require(publish(&own, at: start.withClockSet(by: .seconds(-3_600))))
        #expect(far.epoch == 1)
    }

    @Test(
        "wait while the clock is less than ten minutes behind, and never more than 300 s ahead of it",
        arguments: [
            301, 450, 599,
        ])
    func waits(behind: Int) throws {
        var own = published("a")
        own.replace(with: [Samples.resource("b")], using: suite)
        let now = start.withClockSet(by: .seconds(-behind))
        guard case .wait(let delay) = own.next(at: now, using: suite) else {
            Issue.record("did not wait")
            return
        }
        #expect(own.next(at: now.after(delay - .milliseconds(2)), using: suite) != .nothing)
        let later = now.after(delay)
        let head = try #require(publish(&own, at: later))
        #expect(head.epoch == 0 && head.position.time <= later.wall + .seconds(300))
        #expect(delay <= .seconds(behind - 299))
    }

    @Test("begin a new epoch when the clock is ten minutes behind or more, naming what is given up")
    func epoch() throws {
        var own = published("a")
        let before = try #require(own.highest)
        let now = start.withClockSet(by: .seconds(-601))
        own.replace(with: [Samples.resource("b")], using: suite)
        let head = try #require(publish(&own, at: now))
        #expect(head.epoch == 1 && head.givenUp == before.sequence)
        #expect(head.sequence == now.wall.milliseconds << 10)
        own.replace(with: [Samples.resource("c")], using: suite)
        let next = try #require(publish(&own, at: now.after(.seconds(1))))
        #expect(next.epoch == 1 && next.givenUp == before.sequence)
    }

    @Test("go on from what was stored")
    func restored() throws {
        let old = published("a", "b")
        var own = fresh()
        own.restore(try stored(old), using: suite)
        own.replace(with: [Samples.resource("a"), Samples.resource("b")], using: suite)
        #expect(own.next(at: start.after(.seconds(5)), using: suite) == .nothing)
        #expect(own.published == old.published)
        own.replace(with: [], using: suite)
        #expect(try #require(publish(&own, at: start)).position > old.highest!)
    }

    @Test("keep the position of a stored head whose records do not fit it, and make it anew")
    func damaged() throws {
        let old = published("a", "b")
        var own = fresh()
        let whole = try stored(old)
        own.restore(StoredHead(head: whole.head, records: [whole.records[0]]), using: suite)
        #expect(own.published == nil && own.highest == old.highest)
        own.replace(with: [Samples.resource("a")], using: suite)
        #expect(try #require(publish(&own, at: start)).position > old.highest!)
    }

    @Test("rise above a head that a peer still holds, even when nothing is offered")
    func recovered() throws {
        let old = published("a", at: start.after(.seconds(60)))
        var own = fresh()
        #expect(own.recover(old.published!.head.body) == true)
        let head = try #require(publish(&own, at: start))
        #expect(head.position > old.highest! && head.count == 0)
        #expect(own.recover(old.published!.head.body) == false)
    }

    @Test("discard a signature over a head that was overtaken by a recovered one")
    func overtaken() throws {
        let old = published("z", at: start.after(.seconds(60)))
        var own = fresh()
        own.replace(with: [Samples.resource("a")], using: suite)
        guard case .sign(let head) = own.next(at: start, using: suite) else {
            Issue.record("no head")
            return
        }
        #expect(own.recover(old.published!.head.body) == true)
        #expect(own.sign(Samples.alice.sign(head), at: start) == false)
        #expect(own.published == nil)
        #expect(try #require(publish(&own, at: start)).position > old.highest!)
    }

    @Test("discard a signature that came after the clock was put back")
    func datedAhead() throws {
        var own = fresh()
        own.replace(with: [Samples.resource("a")], using: suite)
        guard case .sign(let head) = own.next(at: start.after(.seconds(3_600)), using: suite) else {
            Issue.record("no head")
            return
        }
        #expect(own.sign(Samples.alice.sign(head), at: start) == false)
        #expect(own.published == nil)
        let next = try #require(publish(&own, at: start))
        #expect(next.epoch == 1 && next.givenUp == head.sequence && next.issued == start.wall)
    }

    @Test("never use a position again whose signature did not come")
    func abandoned() throws {
        var own = fresh()
        own.replace(with: [Samples.resource("a")], using: suite)
        guard case .sign(let lost) = own.next(at: start, using: suite) else {
            Issue.record("no head")
            return
        }
        own.abandonDraft()
        #expect(own.sign(Samples.alice.sign(lost), at: start) == false)
        #expect(try #require(publish(&own, at: start)).position > lost.position)
    }

    @Test("are made no faster than a peer accepts them")
    func pace() throws {
        var own = fresh()
        var made = 0
        var now = start
        for change in 1...50 {
            own.replace(with: [Samples.resource("change-\(change)")], using: suite)
            if publish(&own, at: now) != nil { made += 1 }
            now = now.after(.milliseconds(100))
        }
        #expect(made == 25)
        guard case .wait(let delay) = own.next(at: now, using: suite) else {
            Issue.record("no wait")
            return
        }
        #expect(now.instant + delay == start.instant + .seconds(6))
        #expect(publish(&own, at: now.after(delay)) != nil)
        #expect(own.published?.set.records.keys.map(\.description) == ["change-50"])
    }

    @Test("leave out what a peer would refuse, and what is more than a head can have")
    func bounded() throws {
        var own = fresh()
        let far = String(repeating: "/abcdefg", count: 40)
        own.replace(
            with: [Samples.resource("bad", path: far)] + Samples.resources(300), using: suite)
        let head = try #require(publish(&own, at: start))
        #expect(head.count == Limits.recordsPerHead)
        #expect(own.published?.set.records[Samples.name("bad")] == nil)
    }
}
