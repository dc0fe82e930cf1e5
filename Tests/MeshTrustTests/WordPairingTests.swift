import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

@Suite("Pairing by words")
struct WordPairingTests {
    @Test("both screens show the same words, and two yeses make trust over one transcript")
    func pairs() throws {
        var (table, _, _) = TrustTable.comparing()
        let words = try #require(table.shown(0))
        #expect(words == table.shown(1))
        table.answer(0, .yes)
        table.answer(1, .yes)
        table.settle()
        let a = try #require(table.parties[0].trust.pins[table.parties[1].node])
        let b = try #require(table.parties[1].trust.pins[table.parties[0].node])
        #expect(a.state == .trusted && b.state == .trusted)
        #expect(a.evidence.kind == .words && b.evidence.kind == .words)
        #expect(a.evidence.transcript != nil && a.evidence.transcript == b.evidence.transcript)
        #expect(
            table.parties[0].trust.words.outcome
                == .trusted(table.parties[1].node, dialled: TrustTable.place))
        #expect(table.parties[1].trust.words.outcome == .trusted(table.parties[0].node, dialled: nil))
        // One window is for one peer.
        #expect(table.parties.prefix(2).allSatisfy { $0.windows.last == .closed })
    }

    @Test("nothing is signed before this operator's yes, and by who dialled not before the other's either")
    func signsAfterBothYeses() {
        for first in 0...1 {
            var (table, _, _) = TrustTable.comparing()
            #expect(table.parties.allSatisfy { $0.signOrders == 0 })
            table.answer(first, .yes)
            table.settle()
            #expect(table.parties.allSatisfy { $0.signOrders == 0 } && !table.isAnythingStored)
            table.answer(1 - first, .yes)
            table.settle()
            #expect(table.parties.prefix(2).allSatisfy { $0.signOrders == 1 })
            #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
        }
    }

    @Test("a no of either side ends the try at both, and nothing is stored")
    func declined() {
        for first in 0...1 {
            var (table, _, _) = TrustTable.comparing()
            table.answer(1 - first, .yes)
            table.settle()
            table.answer(first, .no)
            table.settle()
            #expect(table.outcome(0) == .pairingDeclined && table.outcome(1) == .pairingDeclined)
            #expect(!table.isAnythingStored && table.parties.allSatisfy { $0.signOrders == 0 })
        }
    }

    @Test("people have 300 s to compare, and then nothing is stored")
    func timeout() {
        var (table, _, _) = TrustTable.comparing()
        table.answer(0, .yes)
        table.settle()
        table.passAttended(Limits.pairingDecision - .milliseconds(1))
        #expect(table.shown(0) != nil && table.outcome(1) == nil)
        table.passAttended(.milliseconds(1))
        table.settle()
        #expect(table.outcome(0) == .pairingTimeout && table.outcome(1) == .pairingTimeout)
        #expect(!table.isAnythingStored)
    }

    @Test("a nonce that was not committed to is refused, and nothing is stored")
    func wrongOpening() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        for index in 0...1 { table.openWindow(index) }
        table.dialByWords(0, 1)
        for _ in 0..<4 { table.deliver() }
        guard case .words(.opening) = table.wire.first?.2 else {
            return #expect(Bool(false), "no opening: \(table.wire)")
        }
        table.wire[0].2 = .words(.opening(WordNonce(nonce: .zero)))
        table.settle()
        #expect(
            table.refusals(1) == [.pairingCommitmentWrong] && table.denials(0) == [.pairingCommitmentWrong])
        #expect(table.outcome(0) == .pairingCommitmentWrong && table.outcome(1) == .pairingCommitmentWrong)
        #expect(!table.isAnythingStored)
    }

    @Test("a second party at the same time is refused, and the first goes on")
    func secondParty() {
        var (table, _, _) = TrustTable.comparing()
        let words = table.shown(1)
        table.openWindow(2)
        table.remote = Endpoint(host: "192.0.2.3", port: 7410)
        table.dialByWords(2, 1)
        table.settle()
        #expect(table.denials(2) == [.pairingBusy] && table.shown(2) == nil)
        #expect(table.shown(1) == words)
        // It may come again: it had no try.
        #expect(table.parties[2].trust.words.isOpen)
        table.answer(0, .yes)
        table.answer(1, .yes)
        table.settle()
        #expect(table.parties[1].trust.pins.isTrusted(table.parties[0].node))
        #expect(table.parties[1].trust.pins[table.parties[2].node] == nil)
    }

    @Test("an operator who is shown words can pick nobody else")
    func picksNobodyElse() {
        var (table, _, _) = TrustTable.comparing()
        let order = table.ticket()
        table.handle(1, .pairingOrdered(order, .dial([Endpoint(host: "192.0.2.9", port: 7410)])))
        guard case .refused(let refusal) = table.parties[1].answers[order] else {
            return #expect(Bool(false), "it was not refused")
        }
        #expect(refusal.code == .pairingBusy)
    }

    @Test("an address has one try in a window, and a window three tries")
    func tries() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "c"))
        table.openWindow(1)
        for (number, host) in ["192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3"].enumerated() {
            table.openWindow(0, seed: UInt64(number))
            table.remote = Endpoint(host: host, port: 7410)
            table.dialByWords(0, 1)
            table.settle()
            if number == 1 {
                #expect(table.denials(0).last == .pairingTriesSpent && table.shown(1) == nil)
            } else {
                #expect(table.shown(1) != nil)
                table.answer(1, .no)
                table.settle()
            }
            #expect(table.parties[1].trust.words.isOpen == (number < 3))
        }
        #expect(table.outcome(1) == .pairingTriesSpent)
        #expect(table.parties[1].windows.last == .closed && !table.isAnythingStored)
    }

    @Test("a window is open for ten minutes, and no longer than 30 s when nobody attends to it")
    func windowEnds() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.openWindow(0)
        table.openWindow(1)
        table.pass(Limits.pairingAttendance - .milliseconds(1))
        #expect(table.parties[1].trust.words.isOpen)
        table.handle(0, .pairingOrdered(table.ticket(), .attend))
        table.pass(.milliseconds(1))
        #expect(!table.parties[1].trust.words.isOpen && table.outcome(1) == .pairingClosed)
        #expect(table.parties[1].windows == [.announced, .closed])
        table.passAttended(Limits.pairingWindow - Limits.pairingAttendance - .milliseconds(1))
        #expect(table.parties[0].trust.words.isOpen)
        table.passAttended(.milliseconds(1))
        #expect(!table.parties[0].trust.words.isOpen && table.outcome(0) == .pairingClosed)
    }

    @Test("what a window began does not outlive it")
    func windowTakesItsTryAlong() {
        var (table, _, _) = TrustTable.comparing()
        table.answer(0, .yes)
        table.settle()
        table.handle(1, .pairingOrdered(table.ticket(), .close))
        table.settle()
        #expect(table.denials(0) == [.pairingClosed] && !table.isAnythingStored)
        #expect(table.answer(1, .yes, to: table.shown(0)) == nil)
    }

    @Test("a yes to other words than those shown counts nothing")
    func staleYes() throws {
        var (table, _, _) = TrustTable.comparing()
        let other = try #require(WordSum(Octets([9, 9, 9, 9])))
        guard case .refused(let refusal)? = table.answer(0, .yes, to: other) else {
            return #expect(Bool(false), "it was not refused")
        }
        #expect(refusal.code == .pairingWordsDiffer)
        table.answer(1, .yes)
        table.settle()
        #expect(!table.isAnythingStored && table.parties[0].signOrders == 0)
        table.answer(0, .yes)
        table.settle()
        #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node))
    }

    @Test("of two that dial each other at once one connection stays, whatever comes first")
    func crossing() {
        for seed in UInt64(1)...60 {
            var generator = SeededGenerator(seed: seed)
            var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
            for index in 0...1 { table.openWindow(index) }
            let orders = [table.ticket(), table.ticket()]
            for index in 0...1 { table.handle(index, .pairingOrdered(orders[index], .dial([table.remote]))) }
            table.open(0, 1, .pairing, join: orders[0], intent: .words)
            table.open(1, 0, .pairing, join: orders[1], intent: .words)
            // Each connection keeps its order; which of them is heard next is drawn.
            while !table.wire.isEmpty {
                let (_, connection, _) = table.wire[generator.index(below: table.wire.count)]
                let first = table.wire.firstIndex { $0.1 == connection } ?? 0
                table.wire.insert(table.wire.remove(at: first), at: 0)
                table.deliver()
            }
            #expect(table.shown(0) != nil && table.shown(0) == table.shown(1), "seed \(seed)")
            for index in 0...1 { table.answer(index, .yes) }
            table.settle()
            #expect(table.parties[0].trust.pins.isTrusted(table.parties[1].node), "seed \(seed)")
            #expect(table.parties[1].trust.pins.isTrusted(table.parties[0].node), "seed \(seed)")
        }
    }

    @Test("the side that was picked is dialled until it is there, has its window open, and is free")
    func patience() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.openWindow(0)
        let order = table.ticket()
        table.handle(0, .pairingOrdered(order, .dial([table.remote])))
        for attempt in 1...3 {
            #expect(table.parties[0].dials.count == attempt)
            table.parties[0].trust.dialStarted(ConnectionID(900 + UInt64(attempt)), join: order)
            if attempt == 2 { table.handle(0, .doorClosed(ConnectionID(902))) }
            table.handle(0, .connectionClosed(ConnectionID(900 + UInt64(attempt))))
            table.passAttended(.milliseconds(999))
            #expect(table.parties[0].dials.count == attempt)
            table.passAttended(.milliseconds(1))
        }
        #expect(table.parties[0].dials.count == 4 && table.outcome(0) == nil)
    }

    @Test("words are none where no window is open, and no window is opened by an invite")
    func invitesAreNotWindows() {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
        table.openWindow(0)
        table.handle(
            1,
            .inviteRequested(
                table.ticket(), secret: TrustTable.secret, life: .seconds(600), confirmation: .none))
        table.dialByWords(0, 1)
        table.settle()
        #expect(table.refusals(1) == [.pairingClosed] && table.shown(1) == nil)
        // And who asks for neither, on either kind of connection, is not understood.
        for purpose in [ConnectionPurpose.pairing, .peering] {
            var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
            table.makeTrust(inviter: 1, joiner: 0)
            table.parties[1].events = []
            table.openWindow(1)
            let (_, theirs) = table.open(0, 1, purpose, intent: purpose == .pairing ? .words : nil)
            guard case .hello(let sent)? = table.wire.first?.2 else {
                return #expect(Bool(false), "no hello")
            }
            let asks: PairingManner? = purpose == .pairing ? nil : .words
            table.handle(
                1,
                .messageArrived(
                    theirs, .hello(InitiatorHello(hello: sent.hello, invite: nil, pairing: asks))))
            #expect(table.refusals(1) == [.handshakeMalformed])
        }
    }

    @Test("a peer that is suspended or revoked here is not paired with")
    func suspended() {
        for decision in [PeerDecision.suspend, .revoke] {
            for decider in 0...1 {
                var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"))
                table.makeTrust(inviter: 1, joiner: 0)
                table.handle(
                    decider,
                    .decided(table.ticket(), table.parties[1 - decider].node, decision, note: "a test"))
                for index in 0...1 { table.openWindow(index) }
                table.dialByWords(0, 1)
                table.settle()
                #expect(table.shown(0) == nil && table.shown(1) == nil)
                let expected: RefusalCode = decision == .suspend ? .peerSuspended : .peerRevoked
                #expect(table.refusals(decider).last == expected)
            }
        }
    }

    @Test("no text that is made of an order or of the machine holds the seed")
    func seedIsSecret() {
        let seed = Octets(Array(repeating: 0xab, count: 32))
        let order = PairingOrder.open(PairingSeed(seed))
        var pairing = WordPairing()
        pairing.open(PairingSeed(seed), at: TrustTable().now)
        var dumped = ""
        dump(pairing, to: &dumped)
        for text in ["\(order)", String(reflecting: order), "\(pairing)", dumped] {
            #expect(!text.contains("171") && !text.lowercased().contains("abab"), "\(text)")
        }
    }
}
