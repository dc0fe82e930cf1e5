import MeshBase

/// Damage to inputs, drawn from a seed: what a wire, a disk or an attacker does to bytes, for the short loop
/// that knows no coverage.
public struct Damage {
    private var generator: SeededGenerator
    /// Bytes that mean something to one of the formats.
    private static let telling =
        Array("{}[]\",:\\u0019-+eE.ntf=_~ \u{7f}/%;#&*".utf8)
        + [0x00, 0x01, 0x04, 0x06, 0x30, 0x7f, 0x80, 0x82, 0xc0, 0xed, 0xff]
    /// Lengths at which a reader that believes them would do harm.
    private static let lengths: [[UInt8]] = [
        [0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff], [0, 1, 0, 0], [0, 1, 0, 1], [0xff, 0xff, 0x7f],
        [0x80, 0x80, 0x01], [0x84, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0],
    ]

    /// What stands together where one format means something and another is deceived.
    private static let phrases = [
        "..", "/../", "%2e%2e", "%2F", "%00", "\r\n", "\u{202e}", "e\u{301}", "\\u0000", "\\ud83d", "1e3",
        "-0", "007",
        "9007199254740992", "null", "1.0", "{\"a\":1,\"a\":2}", "comity-caller", "\u{1}\u{9}192.0.2.1", "::1",
        "----",
        "==",
    ].map { Array($0.utf8) }

    public init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    /// A number of 0 ..< `bound`.
    public mutating func below(_ bound: Int) -> Int { Int(generator.number(below: UInt64(bound))) }
    /// `count` bytes by chance.
    public mutating func bytes(_ count: Int) -> [UInt8] { generator.bytes(count) }

    /// `bytes` with one to four changes; some take a piece out of `other`.
    public mutating func damaged(_ bytes: [UInt8], with other: [UInt8] = []) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(3) { change(&bytes, with: other) }
        return bytes
    }

    private mutating func change(_ bytes: inout [UInt8], with other: [UInt8]) {
        guard !bytes.isEmpty else {
            bytes = self.bytes(1 + below(8))
            return
        }
        let place = below(bytes.count)
        switch below(11) {
        case 0: bytes[place] ^= 1 << UInt8(below(8))
        case 1: bytes[place] = Self.telling[below(Self.telling.count)]
        case 2: bytes.insert(Self.telling[below(Self.telling.count)], at: place)
        case 3: bytes.remove(at: place)
        case 4: bytes.removeLast(below(bytes.count))
        case 5: bytes.insert(contentsOf: piece(of: bytes, at: place), at: below(bytes.count))
        case 6:
            let length = Self.lengths[below(Self.lengths.count)]
            bytes.replaceSubrange(place..<min(bytes.count, place + length.count), with: length)
        case 7: bytes.insert(contentsOf: Self.phrases[below(Self.phrases.count)], at: place)
        case 8:
            // The same number, written in one byte more than it takes.
            bytes[place] |= 0x80
            bytes.insert(0, at: place + 1)
        case 9 where !other.isEmpty:
            bytes.insert(contentsOf: piece(of: other, at: below(other.count)), at: place)
        default: bytes.append(UInt8(below(256)))
        }
    }

    private mutating func piece(of bytes: [UInt8], at place: Int) -> [UInt8] {
        Array(bytes[place..<min(bytes.count, place + 1 + below(32))])
    }
}
