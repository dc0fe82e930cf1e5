import MeshBase

/// Who is asked for one owner's head, one after the other: the first that told, then those that told
/// meanwhile. So no teller, whatever it says and withholds, stands between an owner and the others.
///
///     nobody --told--> the first asked --whole here--> nobody
///                      the first asked --a second, or eight idle words--> the next asked, once one told
///
/// An answer stands behind all else that its sender says: who talks on and brings nothing new has its answer
/// behind more of that, and whoever else told is asked too. What the first brings counts still.
struct Asking: Equatable, Sendable {
    /// The first is asked now.
    var tellers: [NodeID]
    /// How long the first has for its answer.
    var until: Instant
    /// How much the first had said for nothing when it was asked.
    var wordsBefore: Int

    static var patience: Duration { .seconds(1) }
    static var tellersMax: Int { 5 }
    /// As much as no honest member says for nothing in the time that an answer takes. With every fourth word
    /// it is looked at, so it may be three more.
    static var idleWordsMost: Int { 8 }
}

extension AudienceRegistry {
    /// `teller` holds a head of `owner` that this node lacks. Whether it is to be asked now; if another is
    /// asked already, its turn comes when that one does not answer.
    mutating func noteTeller(_ teller: NodeID, of owner: NodeID, at now: Instant) -> Bool {
        guard var asking = asked[owner] else {
            guard asked.count < Limits.peers else { return false }
            ask([teller], of: owner, at: now)
            return true
        }
        guard !asking.tellers.contains(teller) else { return false }
        if talksOn(asking) {
            ask([teller] + asking.tellers.prefix(Asking.tellersMax - 1), of: owner, at: now)
            return true
        }
        if asking.tellers.count < Asking.tellersMax {
            asking.tellers.append(teller)
            asked[owner] = asking
        }
        return false
    }

    /// Who was asked for the head of `owner` has had its time, or did not bring it. Who is asked next; nil:
    /// nobody told.
    mutating func nextTeller(of owner: NodeID, at now: Instant) -> NodeID? {
        guard let tellers = asked.remove(owner)?.tellers.dropFirst(), let next = tellers.first else {
            return nil
        }
        ask(Array(tellers), of: owner, at: now)
        return next
    }

    /// Whose turn is over at `now`.
    func unanswered(at now: Instant) -> [NodeID] { asked.filter { $0.1.until <= now }.map(\.0) }

    /// When the next turn is over.
    var nextTurn: Instant? { asked.values.map(\.until).min() }

    /// `node` has said something. Whose heads others are to be asked for now: those that told of what it was
    /// asked for and does not bring.
    mutating func noteWord(of node: NodeID) -> [NodeID] {
        guard asked.count > 0, let words = update(node, { $0.noteWord() }),
            // Not with each: what is asked for may be much.
            words.isMultiple(of: 4)
        else { return [] }
        return asked.filter { $0.1.tellers.first == node && $0.1.tellers.count > 1 && talksOn($0.1) }.map(\.0)
    }

    private mutating func ask(_ tellers: [NodeID], of owner: NodeID, at now: Instant) {
        let words = tellers.first.flatMap { present[$0] }?.idleWords ?? 0
        asked[owner] = Asking(tellers: tellers, until: now + Asking.patience, wordsBefore: words)
    }

    private func talksOn(_ asking: Asking) -> Bool {
        guard let words = asking.tellers.first.flatMap({ present[$0] })?.idleWords else { return false }
        return words - asking.wordsBefore >= Asking.idleWordsMost
    }
}

extension Correspondent {
    /// It said something; `noteNovelty` before that, where anything in it was new.
    fileprivate mutating func noteWord() -> Int {
        idleWords += 1
        return idleWords
    }

    /// What it says now is not idle.
    mutating func noteNovelty() { idleWords -= 1 }
}
