/// The points of Curve25519 of which every agreement is zero, and so no secret. RFC 9180 section 7.1.4 wants
/// them refused; the library does not (it says so where it calls X25519).
enum LowOrder {
    /// Whether these 32 bytes, as X25519 reads them, are such a point: one of order 1, 2, 4 or 8, on the
    /// curve or its twist, in any of its forms. The highest bit is not read (RFC 7748 section 5).
    static func contains(_ key: [UInt8]) -> Bool {
        guard key.count == 32 else { return false }
        var read = key
        read[31] &= 0x7f
        return points.contains(read)
    }

    private static let points: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        // Of order 8.
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
            0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
            0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
        // p - 1, and p and p + 1, which are 0 and 1 written otherwise.
        nearPrime(0xec), nearPrime(0xed), nearPrime(0xee),
    ]

    private static func nearPrime(_ lowest: UInt8) -> [UInt8] {
        [lowest] + [UInt8](repeating: 0xff, count: 30) + [0x7f]
    }
}
