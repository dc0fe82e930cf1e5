import MeshBase

/// A running digest over all that happened, in its order: two runs that differ anywhere differ here.
struct TraceDigest: Sendable, Equatable {
    private var lanes: (UInt64, UInt64, UInt64, UInt64) = (
        0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344, 0xa409_3822_299f_31d0, 0x082e_fa98_ec4e_6c89
    )

    mutating func fold(_ word: UInt64) {
        lanes.0 = Self.mixed(lanes.0 ^ word)
        lanes.1 = Self.mixed(lanes.1 &+ lanes.0)
        lanes.2 = Self.mixed(lanes.2 ^ lanes.1)
        lanes.3 = Self.mixed(lanes.3 &+ lanes.2 &+ word)
    }

    mutating func fold(_ number: Int) { fold(UInt64(bitPattern: Int64(number))) }

    mutating func fold(_ instant: Instant) { fold(UInt64(bitPattern: instant.nanoseconds)) }

    mutating func fold(_ bytes: [UInt8]) {
        var word: UInt64 = UInt64(bytes.count)
        for position in bytes.indices {
            word = word << 8 | UInt64(bytes[position])
            if position % 8 == 7 {
                fold(word)
                word = 0
            }
        }
        fold(word)
    }

    mutating func fold(_ text: String) { fold(Array(text.utf8)) }

    /// 64 hexadecimal digits.
    var text: String {
        Hexadecimal.encode([lanes.0, lanes.1, lanes.2, lanes.3].flatMap(\.bigEndianBytes))
    }

    private static func mixed(_ word: UInt64) -> UInt64 {
        let first = (word ^ word >> 33) &* 0xff51_afd7_ed55_8ccd
        let second = (first ^ first >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return second ^ second >> 33
    }

    static func == (left: Self, right: Self) -> Bool { left.lanes == right.lanes }
}
