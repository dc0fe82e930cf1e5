/// A run of bytes that stands in documents as base64url without padding (RFC 4648 section 5).
public struct Octets: Hashable, Sendable, Codable, Comparable {
    /// The bytes themselves.
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Base64URL.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not base64url")
        }
        self.bytes = bytes
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Base64URL.encode(bytes))
    }

    public static func < (left: Self, right: Self) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }

    /// Compares in time that depends on the lengths only, never on the content.
    public func isIdenticalInConstantTime(to other: Octets) -> Bool {
        guard bytes.count == other.bytes.count else { return false }
        var difference: UInt8 = 0
        for index in bytes.indices { difference |= bytes[index] ^ other.bytes[index] }
        return difference == 0
    }
}

/// base64url without padding (RFC 4648 section 5), strict: one text for one run of bytes.
public enum Base64URL {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let values = table(of: alphabet)

    /// The text of `bytes`.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var buffer: UInt32 = 0
        var bits = 0
        for byte in bytes {
            buffer = buffer << 8 | UInt32(byte)
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(alphabet[Int(buffer >> bits & 63)])
            }
        }
        if bits > 0 { text.append(alphabet[Int(buffer << (6 - bits) & 63)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `text`; nil for a foreign character, padding, a length no encoder makes, or stray
    /// trailing bits.
    public static func decode(_ text: String) -> [UInt8]? { decode(text.utf8) }

    /// The bytes of `text`; nil for a foreign character, padding, a length no encoder makes, or stray
    /// trailing bits.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        return unpack(text, bitsPerCharacter: 6, values: values)
    }
}

/// base32 in lower case without padding (RFC 4648 section 6), as node IDs are written.
public enum Base32 {
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    private static let values = table(of: alphabet)

    /// The text of `bytes`, in lower case.
    public static func encode(_ bytes: some Collection<UInt8>) -> String { encode(Array(bytes)) }

    /// The text of `bytes`, in lower case.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: (bytes.count * 8 + 4) / 5) { text in
            var buffer: UInt32 = 0
            var bits = 0
            var length = 0
            for byte in bytes {
                buffer = buffer << 8 | UInt32(byte)
                bits += 8
                while bits >= 5 {
                    bits -= 5
                    text[length] = alphabet[Int(buffer >> bits & 31)]
                    length += 1
                }
            }
            guard bits > 0 else { return length }
            text[length] = alphabet[Int(buffer << (5 - bits) & 31)]
            return length + 1
        }
    }

    /// The bytes of `text` (lower case only); nil for anything that `encode` would not have written.
    public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard ![1, 3, 6].contains(text.count % 8) else { return nil }
        return unpack(text, bitsPerCharacter: 5, values: values)
    }
}

/// Lower-case hexadecimal.
public enum Hexadecimal {
    /// Two digits a byte.
    public static func encode(_ bytes: some Collection<UInt8>) -> String { encode(Array(bytes)) }

    /// Two digits a byte.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { text in
            for (index, byte) in bytes.enumerated() {
                text[2 * index] = digit(byte >> 4)
                text[2 * index + 1] = digit(byte & 15)
            }
            return bytes.count * 2
        }
    }

    /// Writes the 16 digits of `word` to the beginning of `place`.
    public static func write(_ word: UInt64, to place: UnsafeMutableRawBufferPointer) {
        let (high, low) = (digits(of: UInt32(word >> 32)), digits(of: UInt32(truncatingIfNeeded: word)))
        place.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
        place.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }

    /// The 8 digits of `word`, a byte each, the first in the most significant one.
    ///
    /// All at once: its nibbles are drawn apart, and those above nine get the distance from `:` to `a` more.
    public static func digits(of word: UInt32) -> UInt64 {
        let each: UInt64 = 0x0101_0101_0101_0101
        var nibbles = UInt64(word)
        nibbles = (nibbles << 16 | nibbles) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f_0f0f_0f0f
        let isLetter = (nibbles &+ each &* 6) >> 4 & each
        return nibbles &+ each &* 0x30 &+ isLetter &* 39
    }

    /// - Parameter value: 0 ... 15.
    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + (value - 10)
    }

    /// The bytes of `text`, either case, an even number of digits; nil otherwise.
    public static func decode(_ text: String) -> [UInt8]? {
        guard text.utf8.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = character - UInt8(ascii: "A") + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes
    }
}

private func table(of alphabet: [UInt8]) -> [UInt8] {
    var values = [UInt8](repeating: 255, count: 256)
    for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
    return values
}

private func unpack(_ text: some Collection<UInt8>, bitsPerCharacter: Int, values: [UInt8]) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * bitsPerCharacter / 8)
    var buffer: UInt32 = 0
    var bits = 0
    for character in text {
        let value = values[Int(character)]
        guard value != 255 else { return nil }
        buffer = buffer << bitsPerCharacter | UInt32(value)
        bits += bitsPerCharacter
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(truncatingIfNeeded: buffer >> bits))
        }
    }
    return buffer & ((1 << bits) - 1) == 0 ? bytes : nil
}
