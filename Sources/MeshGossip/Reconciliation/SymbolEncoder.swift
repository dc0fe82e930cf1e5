import MeshBase

/// The endless row of coded symbols of one set, made as far as it is asked for.
///
///     a set, salted --> [symbol 0, symbol 1, symbol 2 ...]   each prefix says enough for so many differences
///
/// Whoever subtracts the same prefix of his own set's row, and finds the rest of it decodable, knows all
/// differences; nobody need know beforehand how many there are. About 1.4 symbols for each difference, 1.7
/// where they are few (measured in section 7 of the paper). Source: Yang, Gilad and Alizadeh, "Practical
/// Rateless Set Reconciliation", SIGCOMM 2024.
///
/// The row is made in stretches that double, each by one walk over the set: m symbols of a set of n cost
/// about 2 n ln(m / 2) steps, and 24 bytes of memory for each element.
public struct SymbolEncoder: Equatable, Sendable {
    /// How many elements a set may have.
    public static let setMax = 1 << 20
    /// How many symbols one row is ever asked for: enough for 45 000 differences.
    public static let symbolsMax = 1 << 16
    /// How many symbols are made first.
    private static let stretchLeast = 64

    /// How many elements the set had when it was taken.
    public let count: Int
    private let key: SessionKey
    /// The set, and what was added since.
    private var present: [CodedElement]
    /// What was taken away since.
    private var absent: [CodedElement] = []
    private(set) var symbols: [CodedSymbol] = []

    /// Whether a row that is to be so long takes one more walk over the set.
    func mustWalk(to end: Int) -> Bool { min(end, Self.symbolsMax) > symbols.count }

    /// - Parameter ids: the set, each id once, in any order. Nil beyond `setMax`.
    public init?(_ ids: [SaltedID], key: SessionKey) {
        guard ids.count <= Self.setMax else { return nil }
        count = ids.count
        self.key = key
        present = ids.map { CodedElement(id: $0.value, check: key.check(of: $0.value)) }
    }

    /// A stretch of the row for the wire.
    /// - Parameters:
    ///   - range: where in the row; cut to `SymbolBatch.symbolsMax` symbols, and to `symbolsMax` in all.
    ///   - salt: names the session.
    ///   - nonce: what this side drew for it.
    public mutating func batch(_ range: Range<Int>, salt: Octets, nonce: Octets) -> SymbolBatch {
        let first = min(max(range.lowerBound, 0), Self.symbolsMax)
        let end = min(max(range.upperBound, first), first + SymbolBatch.symbolsMax, Self.symbolsMax)
        extend(to: end)
        return SymbolBatch(
            salt: salt, nonce: nonce, setSize: count, first: first, symbols: Array(symbols[first..<end]))
    }

    /// Makes the row at least so long.
    mutating func extend(to end: Int) {
        precondition(end <= Self.symbolsMax, "a row of \(end) symbols")
        while symbols.count < end {
            let longer = min(max(symbols.count * 2, Self.stretchLeast), Self.symbolsMax)
            symbols.append(contentsOf: repeatElement(.empty, count: longer - symbols.count))
            Self.walk(&present, sign: 1, over: &symbols)
            Self.walk(&absent, sign: -1, over: &symbols)
        }
    }

    /// Puts elements into all symbols of the row that they come to.
    ///
    /// Step by step for a few hundred elements at a time, and not element by element: where one goes next
    /// takes a division and a root, one after the other, while those of different elements are found side by
    /// side; and whether an element has reached the end is chance, so that it is counted and no branch.
    private static func walk(
        _ elements: inout [CodedElement], sign: Int32, over symbols: inout [CodedSymbol]
    ) {
        symbols.withUnsafeMutableBufferPointer { symbols in
            elements.withUnsafeMutableBufferPointer { elements in
                withUnsafeTemporaryAllocation(of: Int.self, capacity: blockLength) { open in
                    for first in stride(from: 0, to: elements.count, by: blockLength) {
                        let block = first..<min(first + blockLength, elements.count)
                        walk(elements, block, sign: sign, over: symbols, open)
                    }
                }
            }
        }
    }

    /// - Parameter open: room for the places of a block's elements that have not reached the end.
    private static func walk(
        _ elements: UnsafeMutableBufferPointer<CodedElement>, _ block: Range<Int>, sign: Int32,
        over symbols: UnsafeMutableBufferPointer<CodedSymbol>, _ open: UnsafeMutableBufferPointer<Int>
    ) {
        let end = UInt32(symbols.count)
        var count = 0
        for index in block {
            open[count] = index
            count += elements[index].indices.next < end ? 1 : 0
        }
        while count > 0 {
            var left = 0
            for place in 0..<count {
                let index = open[place]
                let element = elements[index]
                symbols[Int(element.indices.next)].apply(id: element.id, check: element.check, sign: sign)
                elements[index].indices.advance()
                open[left] = index
                left += elements[index].indices.next < end ? 1 : 0
            }
            count = left
        }
    }

    /// Elements that are taken step by step together: what they and their places fill stays near the
    /// processor.
    private static let blockLength = 256

    // MARK: What a decoder does to its own set

    /// Puts one more element in (`sign` 1), or takes one away (-1).
    /// - Parameter touched: is told each symbol of the row so far that it is in, by rising index.
    mutating func apply(_ id: UInt64, sign: Int32, touched: (Int) -> Void) {
        var element = CodedElement(id: id, check: key.check(of: id))
        let end = UInt32(symbols.count)
        while element.indices.next < end {
            let index = Int(element.indices.next)
            symbols[index].apply(id: id, check: element.check, sign: sign)
            touched(index)
            element.indices.advance()
        }
        if sign > 0 { present.append(element) } else { absent.append(element) }
    }

    /// Whether a symbol is of exactly one element, as far as 32 bits tell.
    func isPure(_ symbol: CodedSymbol) -> Bool {
        (symbol.count == 1 || symbol.count == -1)
            && UInt32(key.check(of: symbol.idSum) >> 32) == symbol.checkSum
    }

    /// The set as it was taken.
    var original: some Collection<UInt64> { present[..<count].lazy.map(\.id) }
}

/// One element and where in the row it comes next.
private struct CodedElement: Equatable, Sendable {
    let id: UInt64
    var indices: SymbolIndices
    let check: UInt32

    init(id: UInt64, check: UInt64) {
        self.id = id
        indices = SymbolIndices(seed: check)
        self.check = UInt32(check >> 32)
    }
}
