import MeshBase

/// In what two sets differ, by the ids of the session.
public struct SetDifference: Equatable, Sendable {
    /// What only the other side has, by rising id.
    public let theirs: [SaltedID]
    /// What only this side has, by rising id.
    public let mine: [SaltedID]
}

/// Why a session came to nothing. Each is what no honest peer brings about, but for `.exhausted` between sets
/// that differ in most of what they hold, and, once in millions of sessions, `.contradictory`.
public enum SymbolFlaw: Equatable, Sendable {
    /// A batch that does not follow what came before: another place in the row, another size of the set, no
    /// symbol or too many.
    case outOfOrder
    /// All symbols that this session may have, and it is not decoded.
    case exhausted
    /// The symbols are not the row of any set of that size.
    case contradictory
}

extension SymbolFlaw: CustomStringConvertible {
    /// For people: what was wrong with the symbols.
    public var description: String {
        switch self {
        case .outOfOrder: "not those that were asked for"
        case .exhausted: "as many as there may be, and not decoded"
        case .contradictory: "of no set of that size"
        }
    }
}

/// Finds in what a peer's set differs from one's own, from a growing prefix of the peer's row.
///
///     waiting --batch--> waiting(for the next stretch) --batch--> ... complete(difference)
///        any of them --batch that cannot be--> refused(flaw)
///
/// A symbol of which one's own is subtracted, and in which one element is left, names that element: it is put
/// into (or taken from) one's own set, which empties that symbol and lightens others ("peeling"). When
/// symbol 0 is empty, in which every element is, the two sets are equal: what was put in and taken out is the
/// difference. Source: Yang, Gilad and Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024,
/// section 4; Goodrich and Mitzenmacher, "Invertible Bloom lookup tables", 2011, for the peeling.
///
/// What an adversary who writes the symbols can bring about: that it ends without a difference. Each element
/// named is a new one, and there are no more of them than symbols received, so peeling ends; symbols are at
/// most `symbolsLimit`; a difference is given out only if it is one of the set at hand, all of it. Memory:
/// one's own set (24 bytes an element) and 16 bytes a symbol of either row.
public struct SymbolDecoder: Equatable, Sendable {
    /// What is to be done next.
    public enum Progress: Equatable, Sendable {
        /// Ask for this stretch of the peer's row.
        case wants(Range<Int>)
        /// The sets differ in this, and in nothing else.
        case complete(SetDifference)
        /// It ends here; repeat with another salt, or compare by other means.
        case refused(SymbolFlaw)
    }

    /// Symbols that are asked for first: what ten differences need.
    public static let firstBatch = 32

    /// One's own set, changed by what was found out.
    private(set) var own: SymbolEncoder
    /// The peer's row, as far as it came.
    private var received: [CodedSymbol] = []
    /// Of the peer's set; nil before the first batch.
    private var setSize: Int?
    /// All that were named: no row names one twice.
    private var named: Set<UInt64> = []
    private var theirs: [SaltedID] = []
    private var mine: [SaltedID] = []
    /// Where it stands.
    public private(set) var progress = Progress.wants(0..<Self.firstBatch)

    /// - Parameter own: of this side's set, under the session's key.
    public init(_ own: SymbolEncoder) { self.own = own }

    /// How many symbols a session over sets of these sizes may take: no honest one needs as many, unless
    /// more than 45 000 elements differ.
    public static func symbolsLimit(_ one: Int, _ other: Int) -> Int {
        min(2 * (one + other) + 256, SymbolEncoder.symbolsMax)
    }

    /// Takes the next stretch of the peer's row. What comes after the end changes nothing.
    public mutating func receive(_ batch: SymbolBatch) -> Progress {
        guard case .wants(let wanted) = progress else { return progress }
        progress = take(batch, wanted)
        return progress
    }

    private mutating func take(_ batch: SymbolBatch, _ wanted: Range<Int>) -> Progress {
        guard batch.first == received.count, setSize == nil || setSize == batch.setSize,
            (1...wanted.count).contains(batch.symbols.count)
        else { return .refused(.outOfOrder) }
        setSize = batch.setSize
        let fresh = received.count
        received += batch.symbols
        own.extend(to: received.count)
        guard peel(Array(fresh..<received.count)) else { return .refused(.contradictory) }
        if isEmpty(0) { return conclude(batch.setSize) }
        let limit = Self.symbolsLimit(own.count, batch.setSize)
        guard received.count < limit else { return .refused(.exhausted) }
        // Half as many again: few turns for many differences, and never half of them for nothing.
        let more = min(max(Self.firstBatch, received.count / 2), SymbolBatch.symbolsMax)
        return .wants(received.count..<min(received.count + more, limit))
    }

    /// What the peer's symbol holds beyond one's own.
    private func rest(_ index: Int) -> CodedSymbol { received[index] - own.symbols[index] }

    private func isEmpty(_ index: Int) -> Bool { rest(index) == .empty }

    /// Names elements until no symbol is of one alone. False when that cannot be a row of any set.
    private mutating func peel(_ fresh: [Int]) -> Bool {
        var open = fresh
        while let index = open.popLast() {
            let symbol = rest(index)
            guard own.isPure(symbol) else { continue }
            guard named.insert(symbol.idSum).inserted, named.count <= received.count else { return false }
            if symbol.count > 0 {
                theirs.append(SaltedID(symbol.idSum))
            } else {
                mine.append(SaltedID(symbol.idSum))
            }
            let end = received.count
            own.apply(symbol.idSum, sign: symbol.count) { if $0 < end { open.append($0) } }
        }
        return true
    }

    /// Symbol 0 is empty: all must be, and what was named must be of the sets.
    private func conclude(_ setSize: Int) -> Progress {
        guard received.indices.allSatisfy(isEmpty), own.count + theirs.count - mine.count == setSize
        else { return .refused(.contradictory) }
        // What only this side has is in this side's set; what only the other has is not.
        let lost = Set(mine.map(\.value))
        var found = 0
        for id in own.original where named.contains(id) {
            guard lost.contains(id) else { return .refused(.contradictory) }
            found += 1
        }
        guard found == mine.count else { return .refused(.contradictory) }
        return .complete(SetDifference(theirs: theirs.sorted(), mine: mine.sorted()))
    }
}
