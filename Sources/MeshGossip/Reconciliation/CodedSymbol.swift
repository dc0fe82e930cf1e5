import MeshBase

/// The sum of all elements of one set that are in it: of their ids and checksums by exclusive or, and how
/// many they are. A difference of two is the sum of what only one set has.
struct CodedSymbol: Equatable, Sendable {
    private(set) var idSum: UInt64 = 0
    private(set) var checkSum: UInt32 = 0
    private(set) var count: Int32 = 0

    static let empty = CodedSymbol()

    init() {}

    init(idSum: UInt64, checkSum: UInt32, count: Int32) {
        self.idSum = idSum
        self.checkSum = checkSum
        self.count = count
    }

    /// Adds an element (`sign` 1), or takes one away (-1). Counts that a liar sent may wrap.
    @inline(__always)
    mutating func apply(id: UInt64, check: UInt32, sign: Int32) {
        idSum ^= id
        checkSum ^= check
        count &+= sign
    }

    static func - (left: Self, right: Self) -> Self {
        CodedSymbol(
            idSum: left.idSum ^ right.idSum, checkSum: left.checkSum ^ right.checkSum,
            count: left.count &- right.count)
    }
}

/// In which coded symbols one element is: in symbol 0 always, in symbol i with the chance 2 / (i + 2),
/// independently (Yang, Gilad and Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024, section
/// 4.1; the jump from one to the next is their section 4.2).
///
/// After i comes an index above j with the chance (i + 1)(i + 2) / ((j + 1)(j + 2)). So with r drawn from
/// 1 ... 2^31 the next is the least j with (j + 1)(j + 2) r > (i + 1)(i + 2) 2^31. Whole numbers: every
/// machine finds the same.
struct SymbolIndices: Equatable, Sendable {
    /// Of SplitMix64; at first the element's check.
    private var state: UInt64
    /// The next symbol in which the element is.
    private(set) var next: UInt32 = 0

    init(seed: UInt64) { state = seed }

    /// Goes on to the symbol after `next`, which is below `SymbolEncoder.symbolsMax`: beyond, nobody asks.
    @inline(__always)
    mutating func advance() {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        mixed ^= mixed >> 31
        next = UInt32(truncatingIfNeeded: Self.index(after: UInt64(next), drawn: (mixed >> 33) + 1))
    }

    /// The index after `here`, which is below 2^16, where chance drew 1 ... 2^31.
    @inline(__always)
    static func index(after here: UInt64, drawn: UInt64) -> UInt64 {
        let product = (here &+ 1) &* (here &+ 2)
        // This and what is held against it are below 2^64, since `here` is below 2^16.
        let bound = product << 31
        // The floating guess is right but for rounding; the comparisons, in whole numbers, decide.
        let quotient = Double(Int64(product)) * (0x1p31 / Double(Int64(drawn)))
        var index = UInt64(bitPattern: Int64((quotient + 0.25).squareRoot() - 0.5))
        while (index &+ 1) &* (index &+ 2) &* drawn <= bound { index &+= 1 }
        while index > 0, index &* (index &+ 1) &* drawn > bound { index &-= 1 }
        return index
    }
}
