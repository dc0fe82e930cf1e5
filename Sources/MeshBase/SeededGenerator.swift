/// The only source of chance that a machine knows: xoshiro256** (Blackman and Vigna, "Scrambled linear
/// pseudorandom number generators", 2021), seeded through SplitMix64 as its authors advise.
///
/// It is for jitter, choice and identifiers, never for keys or secrets. Two machines never share one: `split`
/// gives each its own.
public struct SeededGenerator: RandomNumberGenerator, Sendable, Equatable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// The same seed gives the same sequence on every machine and in every process.
    public init(seed: UInt64) {
        var word = seed
        func splitMix() -> UInt64 {
            word &+= 0x9e37_79b9_7f4a_7c15
            var mixed = word
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
        state = (splitMix(), splitMix(), splitMix(), splitMix())
    }

    public mutating func next() -> UInt64 {
        let result = rotated(state.1 &* 5, by: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, by: 45)
        return result
    }

    /// A generator of its own for another machine.
    public mutating func split() -> SeededGenerator { SeededGenerator(seed: next()) }

    /// A whole number in `0 ..< bound`, without bias (Lemire, "Fast random integer generation in an
    /// interval", 2019).
    /// - Precondition: `bound` is above zero.
    public mutating func number(below bound: UInt64) -> UInt64 {
        precondition(bound > 0, "no number below zero")
        var product = next().multipliedFullWidth(by: bound)
        if product.low < bound {
            let threshold = (0 &- bound) % bound
            while product.low < threshold { product = next().multipliedFullWidth(by: bound) }
        }
        return product.high
    }

    /// A duration in `least ... most`, to the nanosecond; `least` when `most` is not above it.
    public mutating func duration(from least: Duration, through most: Duration) -> Duration {
        let span = (most - least).wholeNanoseconds
        guard span > 0 else { return least }
        return least + .nanoseconds(Int64(number(below: UInt64(span) + 1)))
    }

    /// `count` bytes, for nonces in the simulator and for identifiers.
    public mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count { bytes += next().bigEndianBytes.prefix(count - bytes.count) }
        return bytes
    }

    public static func == (left: Self, right: Self) -> Bool { left.state == right.state }
}

private func rotated(_ word: UInt64, by bits: UInt64) -> UInt64 { word << bits | word >> (64 - bits) }
