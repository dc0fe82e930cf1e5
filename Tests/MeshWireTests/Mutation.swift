import MeshBase

/// Small damage to valid bytes, as a wire, a disk or an attacker does it.
struct Mutation {
    private var generator: SeededGenerator
    /// Bytes that mean something to one of the formats.
    private static let telling =
        Array("{}[]\",:\\u0019-+eE.ntf=_~ \u{7f}/".utf8) + [0x00, 0x01, 0x7f, 0x80, 0xc0, 0xed, 0xff]

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func below(_ bound: Int) -> Int { Int(generator.number(below: UInt64(bound))) }
    mutating func bytes(_ count: Int) -> [UInt8] { generator.bytes(count) }

    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return self.bytes(1) }
            let place = below(bytes.count)
            switch below(7) {
            case 0: bytes[place] ^= 1 << UInt8(below(8))
            case 1: bytes[place] = Self.telling[below(Self.telling.count)]
            case 2: bytes.insert(Self.telling[below(Self.telling.count)], at: place)
            case 3: bytes.remove(at: place)
            case 4: bytes.removeLast(below(bytes.count))
            case 5:
                bytes.insert(
                    contentsOf: Array(bytes[place..<min(bytes.count, place + 1 + below(16))]),
                    at: below(bytes.count))
            default: bytes.append(UInt8(below(256)))
            }
        }
        return bytes
    }
}
