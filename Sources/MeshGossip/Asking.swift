import MeshBase

/// Who is asked for one owner's head, one after the other: the first that told, then those that told
/// meanwhile. So no teller, whatever it says and withholds, stands between an owner and the others.
///
///     nobody --told--> the first asked --whole here--> nobody
///                      the first asked --a second, or six idle words --> the next asked, once one told
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
    /// More than an honest member mostly says for nothing in the time that an answer takes; who says it all
    /// the same costs one question more. It is looked at with every second word, so it may be one more.
    static var idleWordsMost: Int { 6 }
}

extension AudienceRegistry {
    /// Whether `teller` would be asked at once if it told of `owner`. Nothing changes by it.
    func wouldAsk(_ teller: NodeID, of owner: NodeID) -> Bool {
        guard let asking = asked[owner] else { return asked.count < Limits.peers }
        return !asking.tellers.contains(teller) && talksOn(asking)
    }

    /// `teller` holds a head of `owner` that this node lacks. Whether it is to be asked now; if another is
    /// asked already, its turn comes when that one does not answer.
    mutating func noteTeller(_ teller: NodeID, of owner: NodeID, at now: Instant) -> Bool {
        guard wouldAsk(teller, of: owner) else {
            noteBehind(teller, of: owner)
            return false
        }
        // Who talked on is passed over.
        let behind = asked[owner]?.tellers.dropFirst() ?? []
        asked[owner] = Asking(
            tellers: [teller] + behind, until: now + Asking.patience, wordsBefore: idleWords(of: teller))
        return true
    }

    /// It told, and is not asked now: its turn comes behind those that told before.
    mutating func noteBehind(_ teller: NodeID, of owner: NodeID) {
        asked.update(owner) { asking in
            guard asking.tellers.count < Asking.tellersMax, !asking.tellers.contains(teller) else { return }
            asking.tellers.append(teller)
        }
    }

    /// Who told of `owner` behind the one that is asked, in the order of their turns.
    func tellersBehind(_ owner: NodeID) -> [NodeID] {
        asked[owner].map { Array($0.tellers.dropFirst()) } ?? []
    }

    /// The turn of `teller` begins; those before it are passed over.
    mutating func turn(to teller: NodeID, of owner: NodeID, at now: Instant) {
        let words = idleWords(of: teller)
        asked.update(owner) { asking in
            asking.tellers = Array(asking.tellers.drop { $0 != teller })
            asking.until = now + Asking.patience
            asking.wordsBefore = words
        }
    }

    /// Nobody can be asked now: the one that is asked has a turn more.
    mutating func prolong(_ owner: NodeID, at now: Instant) {
        asked.update(owner) { $0.until = now + Asking.patience }
    }

    /// Whose heads nobody else can be asked for: what was said of them counts when it is said again.
    mutating func endTurns(of owners: Set<NodeID>) {
        guard !owners.isEmpty else { return }
        asked.removeAll { owner, _ in owners.contains(owner) }
    }

    /// Whose turn is over at `now`.
    func unanswered(at now: Instant) -> [NodeID] { asked.filter { $0.1.until <= now }.map(\.0) }

    /// When the next turn is over.
    var nextTurn: Instant? { asked.values.map(\.until).min() }

    /// `node` has said something. Whose heads others are to be asked for now, at most as many as one request
    /// holds: those that told of what it was asked for and does not bring.
    mutating func noteWord(of node: NodeID) -> [NodeID] {
        guard asked.count > 0, let words = update(node, { $0.noteWord() }) ?? nil,
            // Not with each: what is asked for may be much.
            words.isMultiple(of: 2)
        else { return [] }
        var passed: [NodeID] = []
        for (owner, asking) in asked where asking.tellers.first == node && asking.tellers.count > 1 {
            guard talksOn(asking) else { continue }
            passed.append(owner)
            if passed.count == HeadPage.most { break }
        }
        return passed
    }

    private func idleWords(of teller: NodeID) -> Int { present[teller]?.idleWords ?? 0 }

    private func talksOn(_ asking: Asking) -> Bool {
        guard let first = asking.tellers.first, let words = present[first]?.idleWords else { return false }
        return words - asking.wordsBefore >= Asking.idleWordsMost
    }
}

extension Correspondent {
    /// It said something. How much it has said for nothing so far; nil: this was new.
    fileprivate mutating func noteWord() -> Int? {
        guard !saysNews else {
            saysNews = false
            return nil
        }
        idleWords += 1
        return idleWords
    }

    /// What it says now is not idle.
    mutating func noteNovelty() { saysNews = true }
}
