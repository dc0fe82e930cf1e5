import MeshBase
import Testing

@testable import MeshGossip

@Suite("The link book")
struct LinkBookTests {
    private let me = min(Samples.alice.node, Samples.bob.node)
    private let peer = max(Samples.alice.node, Samples.bob.node)
    private let start = Samples.start.instant
    private let one = ConnectionID(1)
    private let two = ConnectionID(2)

    private func book(_ distance: LinkDistance = .local, since: Instant? = nil) -> LinkBook {
        var book = LinkBook(me: me)
        _ = book.admit(one, Samples.terms(peer, dialler: me, distance: distance), at: since ?? start)
        return book
    }

    @Test("makes the first connection the link")
    func first() {
        var book = LinkBook(me: me)
        #expect(book.nextDeadline == nil)
        #expect(book.admit(one, Samples.terms(peer, dialler: me), at: start) == [.up(peer, one)])
        #expect(book.node(on: one) == peer)
        #expect(book.nextDeadline == start + .seconds(1))
    }

    @Test("says nothing twice about a link whose handshake was repeated")
    func repeated() {
        var book = book()
        let deadline = book.nextDeadline
        #expect(book.admit(one, Samples.terms(peer, dialler: me), at: start + .seconds(1)) == [])
        #expect(book.node(on: one) == peer && book.nextDeadline == deadline)
    }

    @Test(
        "pings near links after a second of silence, far ones after five",
        arguments: [
            (LinkDistance.local, 1), (.remote, 5),
        ])
    func ping(distance: LinkDistance, seconds: Int) {
        var book = book(distance)
        #expect(book.reach(start + .milliseconds(seconds * 1_000 - 1)) == [])
        #expect(book.reach(start + .seconds(seconds)) == [.ping(one)])
        #expect(book.nextDeadline == start + .seconds(2 * seconds))
    }

    @Test("calls a link degraded after two missed pings, and ends it after the third")
    func silence() {
        var book = book()
        #expect(book.reach(start + .seconds(1)) == [.ping(one)])
        #expect(book.reach(start + .seconds(2)) == [.ping(one)])
        #expect(book.reach(start + .seconds(3)) == [.condition(peer, .degraded), .ping(one)])
        #expect(book.reach(start + .seconds(4)) == [.close(one, .peerUnreachable), .down(peer, .silent)])
        #expect(book.links.isEmpty && book.node(on: one) == nil && book.nextDeadline == nil)
    }

    @Test("takes any frame as a sign of life")
    func life() {
        var book = book()
        for second in 1...3 { _ = book.reach(start + .seconds(second)) }
        let heard = start + .milliseconds(3_500)
        #expect(book.hear(one, at: heard) == [.condition(peer, .up)])
        #expect(book.links[peer]?.condition == .up)
        #expect(book.nextDeadline == heard + .seconds(1))
        #expect(book.reach(heard + .seconds(1)) == [.ping(one)])
    }

    @Test("pings a link on which frames flow every ten seconds, so that summaries are compared")
    func busy() {
        var book = book()
        var pings: [Int] = []
        for tenth in 1...300 {
            let now = start + .milliseconds(100 * tenth)
            #expect(book.hear(one, at: now) == [])
            if let due = book.nextDeadline, due <= now, book.reach(now) == [.ping(one)] {
                pings.append(tenth)
            }
            #expect(book.nextDeadline.map { $0 > now } == true)
        }
        #expect(pings == [100, 200, 300])
        #expect(book.links[peer]?.unanswered == 0)
    }

    @Test("leaves the pinging of a busy link to a peer that pings")
    func compared() {
        var book = book()
        for second in 1...60 {
            #expect(book.hearPing(one, at: start + .milliseconds(900 * second)) == [])
            #expect(book.reach(start + .milliseconds(900 * second)) == [])
        }
    }

    @Test("keeps the last round trip")
    func roundTrip() {
        var book = book()
        _ = book.reach(start + .seconds(1))
        #expect(book.hearPong(one, after: .milliseconds(3), at: start + .seconds(1)) == [])
        #expect(book.links[peer]?.roundTrip == .milliseconds(3))
        #expect(book.links[peer]?.unanswered == 0)
    }

    @Test("holds no round against the peer for which its own timer came late")
    func lateness() {
        var book = book()
        for second in 1...3 { _ = book.reach(start + .seconds(second)) }
        let late = start + .seconds(4) + .milliseconds(101)
        #expect(book.reach(late) == [.ping(one)])
        #expect(book.reach(late + .seconds(1)) == [.close(one, .peerUnreachable), .down(peer, .silent)])
    }

    @Test("counts a timer that came within 100 ms as in time")
    func slightLateness() {
        var book = book()
        for second in 1...3 { _ = book.reach(start + .seconds(second)) }
        #expect(
            book.reach(start + .seconds(4) + .milliseconds(100))
                == [.close(one, .peerUnreachable), .down(peer, .silent)])
    }

    @Test("gives up on a silent peer even when its own timers are always late")
    func lastingLateness() {
        var book = book()
        var now = start
        var rounds = 0
        while !book.links.isEmpty, rounds < 100 {
            now = (book.nextDeadline ?? now) + .milliseconds(500)
            _ = book.reach(now)
            rounds += 1
        }
        #expect(rounds == 12)
    }

    @Test("keeps, of two dialled at once, the one that nobody carries, whoever dialled it")
    func carriedTie() {
        let relay = Samples.carol.node
        for dialler in [me, peer] {
            let other = dialler == me ? peer : me
            var book = LinkBook(me: me)
            _ = book.admit(
                one, Samples.terms(peer, dialler: dialler, distance: .relayed(by: relay)), at: start)
            let now = start + .seconds(1)
            #expect(
                book.admit(two, Samples.terms(peer, dialler: other), at: now) == [
                    .drain(one), .up(peer, two),
                ])
            var reversed = LinkBook(me: me)
            _ = reversed.admit(one, Samples.terms(peer, dialler: dialler), at: start)
            let carried = Samples.terms(peer, dialler: other, distance: .relayed(by: relay))
            #expect(reversed.admit(two, carried, at: now) == [.drain(two)])
            #expect(reversed.node(on: one) == peer)
        }
    }

    @Test("lets a link that a relay carried end its calls when one comes that nobody carries")
    func relieved() {
        var book = LinkBook(me: me)
        let carried = Samples.terms(peer, dialler: me, distance: .relayed(by: peer))
        _ = book.admit(one, carried, at: start)
        let now = start + .seconds(60)
        #expect(
            book.admit(two, Samples.terms(peer, dialler: me), at: now) == [.drain(one), .up(peer, two)])
        // The other way round it was still being dialled when the direct one came; whether that lives, its
        // pings say, and a new run of the peer's counts at once.
        #expect(book.admit(one, carried, at: now + .seconds(60)) == [])
        #expect(book.admit(ConnectionID(3), carried, at: now + .seconds(60)) == [.drain(ConnectionID(3))])
        let reborn = Samples.terms(peer, dialler: peer, boot: 2, distance: .relayed(by: Samples.carol.node))
        #expect(
            book.admit(ConnectionID(4), reborn, at: now + .seconds(61))
                == [.drain(two), .up(peer, ConnectionID(4))])
    }

    @Test("loses the link with its connection, and is told nothing by another one's end")
    func closed() {
        var book = book()
        #expect(book.close(two) == [])
        #expect(book.close(one) == [.down(peer, .closed)])
        #expect(book.close(one) == [])
        #expect(book.nextDeadline == nil)
    }

    @Test("drops a peer by closing its link")
    func dropped() {
        var book = book()
        #expect(book.drop(peer) == [.close(one, nil), .down(peer, .dropped)])
        #expect(book.drop(peer) == [])
        #expect(book.close(one) == [])
    }

    @Test("ignores what is heard on a connection that is no link")
    func strange() {
        var book = book()
        let before = book
        #expect(book.hear(two, at: start) == [])
        #expect(book.hearPing(two, at: start) == [])
        #expect(book.hearPong(two, after: .zero, at: start) == [])
        #expect(book == before)
    }

    // MARK: Two connections

    @Test("of two dialled at once keeps the smaller node's, whichever came first")
    func simultaneous() {
        var book = book()
        #expect(
            book.admit(two, Samples.terms(peer, dialler: peer), at: start + .seconds(1)) == [.drain(two)])
        var other = LinkBook(me: me)
        _ = other.admit(two, Samples.terms(peer, dialler: peer), at: start)
        #expect(
            other.admit(one, Samples.terms(peer, dialler: me), at: start + .seconds(1))
                == [.drain(two), .up(peer, one)])
        #expect(other.node(on: two) == nil && other.node(on: one) == peer)
    }

    @Test("of connections that gave way the newest four of a peer drain, and the oldest is closed")
    func bounded() {
        var book = book()
        for number in 1...UInt64(Limits.drainingPerPeer) {
            #expect(book.rest(peer) == [.drain(ConnectionID(number)), .down(peer, .idle)])
            _ = book.admit(ConnectionID(number + 1), Samples.terms(peer, dialler: me), at: start)
        }
        #expect(book.rest(peer) == [.close(one, nil), .drain(ConnectionID(5)), .down(peer, .idle)])
        #expect(!book.isDraining(one) && book.isDraining(two))
        _ = book.close(two)
        _ = book.admit(ConnectionID(6), Samples.terms(peer, dialler: me), at: start)
        #expect(book.rest(peer) == [.drain(ConnectionID(6)), .down(peer, .idle)])
    }

    @Test("what drains of the two is no link, and ends with the peer's trust")
    func loser() {
        var book = book()
        _ = book.admit(two, Samples.terms(peer, dialler: peer), at: start)
        #expect(book.hear(two, at: start) == [] && book.node(on: two) == nil)
        // Also an hour later, when its handshake is repeated.
        let repeated = start + .seconds(3_600)
        #expect(book.admit(two, Samples.terms(peer, dialler: peer), at: repeated) == [])
        #expect(book.node(on: two) == nil && book.links[peer]?.connection == one)
        #expect(book.drop(peer) == [.close(two, nil), .close(one, nil), .down(peer, .dropped)])
        book = self.book()
        _ = book.admit(two, Samples.terms(peer, dialler: peer), at: start)
        #expect(book.close(two) == [])
        #expect(book.drop(peer) == [.close(one, nil), .down(peer, .dropped)])
    }

    @Test("decides alike at both ends of two connections that were dialled at once")
    func symmetric() {
        for (here, there) in [(me, peer), (peer, me)] {
            var book = LinkBook(me: here)
            _ = book.admit(one, Samples.terms(there, dialler: me), at: start)
            _ = book.admit(two, Samples.terms(there, dialler: peer), at: start)
            #expect(book.links[there]?.connection == one)
        }
    }

    @Test("takes a later dial of the peer for a sign that the old link is lost")
    func later() {
        var book = book()
        #expect(
            book.admit(two, Samples.terms(peer, dialler: peer), at: start + .seconds(5))
                == [.close(one, nil), .up(peer, two)])
    }

    @Test("takes a second dial by the same end at once")
    func sameDialler() {
        var book = book()
        #expect(
            book.admit(two, Samples.terms(peer, dialler: me), at: start)
                == [.close(one, nil), .up(peer, two)])
    }

    @Test("lets a later run of the peer replace the link at once, and never an earlier one")
    func boots() {
        var book = book()
        let again = Samples.terms(peer, dialler: peer, boot: 2)
        #expect(book.admit(two, again, at: start) == [.close(one, nil), .up(peer, two)])
        let earlier = Samples.terms(peer, dialler: me, boot: 1)
        #expect(
            book.admit(ConnectionID(3), earlier, at: start + .seconds(60)) == [.close(ConnectionID(3), nil)])
    }

    @Test("forgets what was pending of a link that was replaced")
    func replaced() {
        var book = book()
        for second in 1...3 { _ = book.reach(start + .seconds(second)) }
        _ = book.admit(two, Samples.terms(peer, dialler: me), at: start + .milliseconds(3_500))
        #expect(book.links[peer]?.condition == .up)
        #expect(book.reach(start + .seconds(4)) == [])
        #expect(book.close(one) == [])
        #expect(book.nextDeadline == start + .milliseconds(4_500))
    }
}
