import MeshBase
import MeshSimulator
import Testing

@testable import MeshTrust

/// Who is between two people that compare words, or would be.
@Suite("Attackers of words")
struct WordAttackTests {
    @Test("who pairs with both sides at once makes two screens that differ")
    func inTheMiddle() throws {
        for seed in UInt64(1)...500 {
            var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "mallory"))
            for index in 0...1 { table.openWindow(index, seed: seed) }
            // The one in the middle is two nodes' worth of machine with one key: it may have two windows.
            table.openWindow(2, seed: seed)
            table.dialByWords(0, 2)
            table.settle()
            let left = try #require(table.shown(0))
            table.openWindow(2, seed: seed)
            table.dialByWords(2, 1)
            table.settle()
            let right = try #require(table.shown(1))
            #expect(left != right, "seed \(seed)")
            // Each operator sees that the other's words are others, and says no.
            for index in 0...1 { table.answer(index, left == right ? .yes : .no) }
            table.settle()
            #expect(!table.isAnythingStored, "seed \(seed)")
        }
    }

    @Test("a relay that only carries, and shows its own certificate to both, makes two screens that differ")
    func relay() throws {
        for seed in UInt64(1)...200 {
            var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "mallory"))
            for index in 0...1 { table.openWindow(index, seed: seed) }
            // TLS ends at the relay: each side sees its certificate, with a statement that vouches for it.
            let shown = PresentedCertificate.wellFormed(table.parties[2].certificate())
            let order = table.ticket()
            table.handle(0, .pairingOrdered(order, .dial([table.remote])))
            table.open(
                0, 1, .pairing, join: order, initiatorShows: shown, responderShows: shown, intent: .words)
            table.settle()
            // The hello is not that of the certificate's node, and so nothing is shown at all.
            #expect(table.shown(0) == nil && table.shown(1) == nil)
            #expect(table.refusals(1) == [.identityMismatch], "seed \(seed)")
            #expect(!table.isAnythingStored)
        }
    }

    @Test("with one side's TLS key stolen, the relay's two transcripts make two screens that differ")
    func stolenLeaf() throws {
        var (table, _, _) = TrustTable.comparing()
        let honest = try #require(table.shown(0))
        table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "mallory"))
        for index in 0...1 { table.openWindow(index) }
        // Side 0 sees the true certificate of side 1; side 1 sees that which vouches for 0, but the relay's
        // connection was made with another certificate of side 0's than side 0 believes to have shown.
        var other = table.parties[0]
        other.leaf = SimulatedKey(9_999)
        let order = table.ticket()
        table.handle(0, .pairingOrdered(order, .dial([table.remote])))
        table.open(
            0, 1, .pairing, join: order, initiatorShows: .wellFormed(other.certificate()), intent: .words)
        table.settle()
        let left = try #require(table.shown(0))
        let right = try #require(table.shown(1))
        #expect(left != right && left != honest)
        // Two careless yeses: they are to two transcripts.
        for index in 0...1 { table.answer(index, .yes) }
        table.settle()
        #expect(!table.isAnythingStored)
        #expect(table.refusals(0) == [.proofInvalid])
    }

    @Test("a replayed exchange shows other words, and its signature is none")
    func replay() throws {
        var (table, _, theirs) = TrustTable.comparing()
        let before = try #require(table.shown(1))
        for index in 0...1 { table.answer(index, .yes) }
        table.settle()
        let recorded = table.parties[0].sent
        _ = theirs
        // The same messages to a new window of side 1, over a connection with the same certificate.
        var again = TrustTable(Party(1, name: "a"), Party(2, name: "b", run: 7))
        again.openWindow(1, seed: 2)
        let (_, connection) = again.connect(0, 1)
        let accepted = again.secured(1, to: 0, .responder, .pairing)
        again.handle(1, .connectionSecured(connection, accepted, intent: nil))
        for message in recorded {
            again.handle(1, .messageArrived(connection, message))
            if let words = again.shown(1) { #expect(words != before) }
            again.answer(1, .yes)
        }
        #expect(again.refusals(1) == [.proofInvalid] && !again.isAnythingStored)
    }

    @Test("a responder that says it is ready before it was is believed nothing it did not sign")
    func earlyReadiness() {
        var (table, mine, _) = TrustTable.comparing()
        table.handle(0, .messageArrived(mine, .words(.ready(WordReadiness(transcript: .zero)))))
        #expect(table.refusals(0) == [.proofInvalid] && !table.isAnythingStored)
    }

    @Test("a finish before this operator's yes is out of order")
    func earlyFinish() throws {
        var (table, _, _) = TrustTable.comparing()
        var forward = table
        for index in 0...1 { forward.answer(index, .yes) }
        // What side 0 signs once both said yes, sent to side 1 before it did.
        forward.deliver()
        guard case .finish(let finish)? = forward.parties[0].sent.last else {
            return #expect(Bool(false), "no finish")
        }
        let connection = try #require(table.parties[1].trust.words.window?.trial?.connection)
        table.handle(1, .messageArrived(connection, .finish(finish)))
        #expect(table.refusals(1) == [.handshakeMalformed] && !table.isAnythingStored)
    }

    /// Three nodes, a wire that drops, doubles, redirects and alters, operators of whom some say yes to
    /// whatever they see.
    @Test("whatever happens, trust rests on the yes of both operators and one transcript")
    func property() throws {
        var trusts = 0
        for seed in UInt64(1)...400 {
            var generator = SeededGenerator(seed: seed)
            var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "c"))
            let mischief = generator.index(below: 30)
            // Half of the operators compare; the others say yes to whatever they see, now and then.
            let carelessness = generator.index(below: 2) * generator.index(below: 100)
            var yeses: Set<Yes> = []
            for _ in 0..<120 {
                let index = generator.index(below: 3)
                switch generator.index(below: 12) {
                case 0: table.openWindow(index, seed: generator.next())
                case 1:
                    let other = (index + 1 + generator.index(below: 2)) % 3
                    table.remote = Endpoint(host: "192.0.2.\(generator.index(below: 4))", port: 7410)
                    if table.parties[other].trust.pairingWindow(at: table.now) != .closed {
                        table.dialByWords(index, other)
                    }
                case 2: table.passAttended(.milliseconds(generator.index(below: 4_000)))
                case 3...5:
                    guard let trial = table.parties[index].trust.words.window?.trial, let words = trial.words
                    else { break }
                    let partner = table.parties.firstIndex { $0.node == trial.node }
                    let isSame = partner.flatMap { table.shown($0) } == words
                    let isCareless = generator.index(below: 100) < carelessness
                    let consent: Consent = isSame || isCareless ? .yes : .no
                    if table.answer(index, consent) == .done, consent == .yes {
                        yeses.insert(Yes(by: table.parties[index].node, to: trial.node, words: words))
                    }
                default:
                    guard !table.wire.isEmpty else { break }
                    disturb(&table, by: &generator, one: mischief)
                    table.deliver()
                }
                check(table, yeses, areCareful: carelessness == 0, seed)
            }
            trusts += table.parties.reduce(0) { $0 + $1.trust.pins.peers.count }
        }
        #expect(trusts > 80)
    }

    private struct Yes: Hashable {
        let by: NodeID
        let to: NodeID
        let words: WordSum
    }

    private func check(_ table: TrustTable, _ yeses: Set<Yes>, areCareful: Bool, _ seed: UInt64) {
        for party in table.parties {
            for peer in party.trust.pins.peers.values {
                let mine = yeses.filter { $0.by == party.node && $0.to == peer.node }.map(\.words)
                let theirs = yeses.filter { $0.by == peer.node && $0.to == party.node }.map(\.words)
                #expect(!mine.isEmpty && !theirs.isEmpty, "seed \(seed)")
                if areCareful { #expect(!Set(mine).isDisjoint(with: theirs), "seed \(seed)") }
                let other = table.parties.first { $0.node == peer.node }?.trust.pins[party.node]
                // The last message may be lost: then one side knows nothing, never something else.
                if let other, other.since == peer.since {
                    #expect(other.evidence.transcript == peer.evidence.transcript, "seed \(seed)")
                }
            }
        }
    }

    private func disturb(
        _ table: inout TrustTable, by generator: inout SeededGenerator, one mischief: Int
    ) {
        guard generator.index(below: 100) < mischief else { return }
        switch generator.index(below: 4) {
        case 0: table.wire.removeFirst()
        case 1: table.wire.insert(table.wire[0], at: 1)
        case 2:
            let other = generator.index(below: table.wire.count)
            table.wire[0].2 = table.wire[other].2
        default:
            let forged = WordNonce(nonce: SimulatedSuite().digest(generator.bytes(8)))
            switch table.wire[0].2 {
            case .words(.opening): table.wire[0].2 = .words(.opening(forged))
            case .words(.nonce): table.wire[0].2 = .words(.nonce(forged))
            case .words(.commitment):
                table.wire[0].2 = .words(.commitment(WordCommitment(commitment: forged.nonce)))
            default: break
            }
        }
    }
}
