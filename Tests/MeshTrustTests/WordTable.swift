import MeshBase
import MeshTrust

// Two operators who pair by words.
extension TrustTable {
    /// Opens a window; the seed is drawn from `number` and the party.
    mutating func openWindow(_ index: Int, seed number: UInt64 = 1) {
        var generator = SeededGenerator(seed: number &* 100 &+ UInt64(index))
        handle(index, .pairingOrdered(ticket(), .open(PairingSeed(Octets(generator.bytes(32))))))
    }

    /// The operator of `initiator` picks `responder`; both ends come up, nothing is delivered.
    @discardableResult
    mutating func dialByWords(_ initiator: Int, _ responder: Int) -> (ConnectionID, ConnectionID) {
        let order = ticket()
        handle(initiator, .pairingOrdered(order, .dial([remote])))
        return open(initiator, responder, .pairing, join: order, intent: .words)
    }

    /// What the screen shows; nil while it shows no words.
    func shown(_ index: Int) -> WordSum? { parties[index].trust.words.window?.trial?.words }

    /// The operator answers what the screen shows, or what is given.
    @discardableResult
    mutating func answer(_ index: Int, _ consent: Consent, to words: WordSum? = nil) -> TrustAnswer? {
        guard let words = words ?? shown(index) else { return nil }
        let order = ticket()
        handle(index, .pairingOrdered(order, .answer(words, consent)))
        return parties[index].answers[order]
    }

    /// Two parties with open windows, whose screens show words.
    static func comparing(seed: UInt64 = 1) -> (TrustTable, ConnectionID, ConnectionID) {
        var table = TrustTable(Party(1, name: "a"), Party(2, name: "b"), Party(3, name: "c"))
        for index in 0...1 { table.openWindow(index, seed: seed) }
        let (mine, theirs) = table.dialByWords(0, 1)
        table.settle()
        return (table, mine, theirs)
    }

    /// Keeps the windows attended while time passes.
    mutating func passAttended(_ duration: Duration) {
        var rest = duration
        while rest > .zero {
            let step = min(rest, .seconds(20))
            for index in parties.indices where parties[index].trust.words.isOpen {
                handle(index, .pairingOrdered(ticket(), .attend))
            }
            pass(step)
            rest -= step
        }
    }

    /// How the window's last try ended.
    func outcome(_ index: Int) -> RefusalCode? {
        switch parties[index].trust.words.outcome {
        case .failed(let refusal, _), .closed(let refusal): refusal.code
        case .trusted, nil: nil
        }
    }

    /// Whether anything was stored anywhere.
    var isAnythingStored: Bool { parties.contains { !$0.persisted.isEmpty || !$0.trust.pins.peers.isEmpty } }
}

extension SeededGenerator {
    /// A number below `bound`.
    mutating func index(below bound: Int) -> Int { Int(number(below: UInt64(bound))) }
}
