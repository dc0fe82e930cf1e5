import MeshBase
import Testing

@testable import MeshDiscovery

/// One node's overlay, told what happens as `Node` tells it.
struct OverlayTable {
    var overlay: Overlay
    var now = Instant.zero

    init(_ me: Int = 0, seed: UInt64 = 1, _ change: (inout OverlayConfiguration) -> Void = { _ in }) {
        var configuration = OverlayConfiguration()
        configuration.linksToAll = 4
        configuration.gossipLinks = 4
        configuration.nearLinks = 2
        change(&configuration)
        precondition(configuration.problems().isEmpty, "\(configuration.problems())")
        overlay = Overlay(
            node: Self.peer(me), configuration: configuration, generator: SeededGenerator(seed: seed))
    }

    /// Node number so many, in the order of their IDs.
    static func peer(_ number: Int) -> NodeID {
        let bytes = [UInt8(number >> 8), UInt8(number & 255)] + [UInt8](repeating: 0, count: 30)
        guard let digest = Digest(bytes) else { preconditionFailure("32 bytes are a digest's") }
        return NodeID(digest)
    }

    @discardableResult
    mutating func tell(_ input: OverlayInput) -> [OverlayEffect] {
        var outbox = Outbox<OverlayEffect>()
        overlay.handle(input, at: now, into: &outbox)
        return outbox.drain()
    }

    /// Time passes; alarms ring when they are due.
    @discardableResult
    mutating func wait(_ time: Duration) -> [OverlayEffect] {
        let end = now + time
        var effects: [OverlayEffect] = []
        while let due = overlay.nextDeadline, due <= end {
            now = max(now, due)
            effects += tell(.timeReached)
        }
        now = end
        return effects
    }

    /// Trusts so many, 1 and up, all at once, and brings up the links that are sought.
    mutating func meet(_ count: Int) {
        for number in 1...count { tell(.peerTrusted(Self.peer(number))) }
        wait(.zero)
        for number in 1...count where isKept(number) { tell(.linkUp(Self.peer(number))) }
    }

    func isKept(_ number: Int) -> Bool { overlay.isKept(Self.peer(number)) }

    /// A peer with which no link is kept.
    func other(of count: Int) -> NodeID {
        (1...count).map(Self.peer).first { !overlay.isKept($0) } ?? Self.peer(0)
    }
}

@Suite struct OverlayTests {
    private func peer(_ number: Int) -> NodeID { OverlayTable.peer(number) }

    // MARK: Whom

    @Test func `keeps links with all while they are few`() {
        var table = OverlayTable()
        for number in 1...4 {
            #expect(table.tell(.peerTrusted(peer(number))) == [.leave(peer(number))])
            #expect(table.wait(.zero) == [.seek(peer(number))])
        }
        #expect(!table.overlay.isSparse)
        #expect((1...4).allSatisfy(table.isKept))
    }

    @Test func `keeps few once they are many, and says who is left alone`() {
        var table = OverlayTable()
        for number in 1...4 { table.tell(.peerTrusted(peer(number))) }
        table.wait(.zero)
        table.tell(.peerTrusted(peer(5)))
        let effects = table.wait(.zero)
        #expect(effects.count == 2 || effects.isEmpty, "one of five is left alone: \(effects)")
        #expect((1...5).count(where: table.isKept) == 4)
        table.tell(.peerDropped(peer(5)))
        table.wait(.zero)
        #expect((1...4).allSatisfy(table.isKept))
    }

    @Test func `dials at start nobody whom it will not keep`() {
        var table = OverlayTable()
        let effects = (1...50).flatMap { table.tell(.peerTrusted(peer($0))) }
        #expect(effects == (1...50).map { .leave(peer($0)) })
        #expect(table.wait(.zero).count == 4)
    }

    @Test func `keeps the nearest on either side, round the end of the circle too`() {
        for me in [0, 7, 20] {
            var table = OverlayTable(me)
            for number in 0...20 { table.tell(.peerTrusted(peer(number))) }
            table.wait(.zero)
            #expect(table.isKept((me + 1) % 21) && table.isKept((me + 20) % 21), "\(me)")
        }
    }

    @Test func `members of the domain come first, for they gossip`() {
        var table = OverlayTable()
        table.meet(40)
        for number in 20...30 { table.tell(.membership(peer(number), .shared)) }
        table.wait(.zero)
        #expect((1...40).filter(table.isKept).allSatisfy { (20...30).contains($0) })
        for number in 20...28 { table.tell(.membership(peer(number), .apart)) }
        table.wait(.zero)
        #expect(table.isKept(29) && table.isKept(30))
        #expect((1...40).count(where: table.isKept) == 4)
    }

    @Test func `draws others again and again, and leaves the near ones`() {
        var table = OverlayTable()
        table.meet(40)
        var seen = Set<Int>()
        for _ in 0..<30 {
            for _ in 0..<30 {
                table.wait(.seconds(20))
                for number in 1...40 where table.isKept(number) { table.tell(.linkUp(peer(number))) }
            }
            let kept = (1...40).filter(table.isKept)
            #expect(kept.count == 4 && kept.contains(1) && kept.contains(40), "\(kept)")
            seen.formUnion(kept)
        }
        #expect(seen.count > 25, "\(seen.count)")
    }

    @Test func `who is away has another chosen besides, and is sought for ever`() {
        var table = OverlayTable()
        table.meet(20)
        table.tell(.linkDown(peer(1)))
        #expect(!table.isKept(2))
        let effects = table.wait(.seconds(31))
        #expect(effects.contains(.seek(peer(2))) && table.isKept(2) && table.isKept(1))
        table.tell(.linkUp(peer(1)))
        let back = table.wait(.zero)
        #expect(!table.isKept(2) && back.contains(.leave(peer(2))) && table.isKept(1))
    }

    // MARK: When something needs a link

    @Test func `a call opens a link, and many share one search`() {
        var table = OverlayTable()
        table.meet(20)
        let other = table.other(of: 20)
        #expect(table.tell(.wanted(other, .call)) == [.seek(other)])
        #expect(table.tell(.wanted(other, .call)) == [])
        #expect(table.tell(.linkUp(other)) == [.leave(other)])
        #expect(table.overlay.isInUse(other))
        // The link stays for as long as it is used.
        #expect(!table.wait(.seconds(299)).contains(.stop(other)))
    }

    @Test func `a call's search ends, a document's does not`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        let other = table.other(of: 20)
        table.tell(.wanted(other, .call))
        #expect(table.wait(.seconds(301)).contains(.leave(other)))
        #expect(table.tell(.wanted(other, .document)) == [.seek(other)])
        table.tell(.wanted(other, .call))
        #expect(!table.wait(.seconds(1200)).contains(.leave(other)))
    }

    @Test func `a link that nobody uses is given up, and closed when the peer has given it up too`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        let other = table.other(of: 20)
        table.tell(.linkUp(other))
        table.wait(.seconds(200))
        table.tell(.used(other))
        #expect(table.wait(.seconds(299)) == [])
        #expect(table.wait(.seconds(1)) == [.stop(other), .tell(other, .idle)])
        #expect(!table.overlay.isInUse(other))
        #expect(table.wait(.seconds(60)) == [], "the peer may need it")
        #expect(table.tell(.told(other, .idle)) == [.drain(other)])
        #expect(table.tell(.linkDown(other)) == [])
    }

    @Test func `who gives it up second closes it at once`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        let other = table.other(of: 20)
        table.tell(.linkUp(other))
        table.wait(.zero)
        #expect(table.tell(.told(other, .idle)) == [])
        #expect(table.wait(.seconds(300)).suffix(2) == [.stop(other), .drain(other)])
    }

    @Test func `a link that is kept is never given up`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        table.tell(.told(peer(1), .idle))
        #expect(!table.wait(.seconds(3000)).contains(.stop(peer(1))))
        #expect(table.tell(.goingAway(peer(1))) == [], "whoever leaves without leave is no idle link")
    }

    @Test func `asks whether a link stands that it gave up, and sends calls when it is told so`() {
        var table = givenUp()
        let other = table.other(of: 20)
        #expect(table.tell(.wanted(other, .call)) == [.tell(other, .needed)])
        #expect(!table.overlay.isInUse(other))
        #expect(table.tell(.wanted(other, .call)) == [])
        #expect(table.tell(.told(other, .needed)) == [.resume(other)])
        #expect(table.overlay.isInUse(other))
        #expect(table.tell(.told(other, .needed)) == [], "no question, no answer")
    }

    @Test func `is asked, and answers`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        table.tell(.told(peer(1), .idle))
        #expect(table.tell(.told(peer(1), .needed)) == [.tell(peer(1), .needed)])
    }

    @Test func `dials anew when the peer goes away while it is asked, or says nothing`() {
        var table = givenUp()
        let other = table.other(of: 20)
        table.tell(.wanted(other, .call))
        #expect(table.tell(.goingAway(other)) == [.drain(other), .seek(other)])
        table = givenUp()
        table.tell(.wanted(other, .call))
        #expect(table.wait(.seconds(5)) == [.drain(other), .seek(other)])
        table = givenUp()
        table.tell(.wanted(other, .call))
        #expect(table.tell(.told(other, .idle)) == [.drain(other), .seek(other)])
    }

    private func givenUp() -> OverlayTable {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        table.tell(.linkUp(table.other(of: 20)))
        table.wait(.seconds(300))
        return table
    }

    @Test func `hears no more than a few changes of mind a second`() {
        var table = OverlayTable { $0.redraw = .seconds(3600) }
        table.meet(20)
        for _ in 0..<5 {
            table.tell(.told(peer(1), .idle))
            #expect(table.tell(.told(peer(1), .needed)) == [.tell(peer(1), .needed)])
        }
        table.tell(.told(peer(1), .idle))
        #expect(table.tell(.told(peer(1), .needed)) == [])
        table.wait(.seconds(2))
        table.tell(.told(peer(1), .idle))
        #expect(table.tell(.told(peer(1), .needed)) == [.tell(peer(1), .needed)])
    }

    @Test func `what a peer offers is awaited also of one that was drawn and has no link yet`() {
        var table = OverlayTable()
        for number in 1...20 { table.tell(.peerTrusted(peer(number))) }
        table.wait(.zero)
        #expect(table.isKept(1) && table.overlay.isCatalogAwaited(of: peer(1), at: table.now))
        table.wait(.seconds(31))
        #expect(!table.overlay.isCatalogAwaited(of: peer(1), at: table.now), "it is away")
    }

    @Test func `waits a little for what a new link's peer offers`() {
        var table = OverlayTable()
        table.meet(20)
        let other = table.other(of: 20)
        #expect(table.overlay.isCatalogAwaited(of: other, at: table.now))
        table.tell(.linkUp(other))
        #expect(table.overlay.isCatalogAwaited(of: other, at: table.now))
        #expect(table.wait(.seconds(2)).contains(.settled(other)))
        #expect(!table.overlay.isCatalogAwaited(of: other, at: table.now))
    }

    @Test func `says all that is wrong with its settings`() {
        var configuration = OverlayConfiguration()
        #expect(configuration.problems().isEmpty)
        configuration.nearLinks = 3
        configuration.idle = .zero
        configuration.gossipLinks = 33
        #expect(configuration.problems().count == 3)
    }

    @Test func `is the same in two runs of one seed`() {
        var (left, right) = (OverlayTable(seed: 9), OverlayTable(seed: 9))
        left.meet(100)
        right.meet(100)
        #expect(left.wait(.seconds(4000)) == right.wait(.seconds(4000)))
        #expect(left.overlay == right.overlay)
    }
}
