/// A SHA-256 digest: 32 bytes, held without an allocation.
public struct Digest: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The bytes as four numbers, big-endian.
    public let words: (UInt64, UInt64, UInt64, UInt64)

    /// Thirty-two zero bytes: the Merkle root of nothing, and a placeholder that no input hashes to.
    public static let zero = Digest(0, 0, 0, 0)

    private init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
        words = (first, second, third, fourth)
    }

    /// - Parameter bytes: exactly 32 bytes; anything else gives nil.
    public init?(_ bytes: some Collection<UInt8>) { self.init(Array(bytes)) }

    /// - Parameter bytes: exactly 32 bytes, which are read where they stand; anything else gives nil.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 32 else { return nil }
        func word(at start: Int) -> UInt64 {
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt64.self))
        }
        self.init(word(at: 0), word(at: 8), word(at: 16), word(at: 24))
    }

    /// - Parameter bytes: exactly 32 bytes; anything else gives nil.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.init(
            Self.word(in: bytes, 0), Self.word(in: bytes, 8), Self.word(in: bytes, 16),
            Self.word(in: bytes, 24))
    }

    private static func word(in bytes: [UInt8], _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        for position in start..<start + 8 { word = word << 8 | UInt64(bytes[position]) }
        return word
    }

    /// The 32 bytes.
    public var bytes: [UInt8] {
        let inOrder = (
            words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
        )
        return withUnsafeBytes(of: inOrder) { Array($0) }
    }

    /// Compares all 256 bits without a branch on any of them, so that time tells nothing about where two
    /// differ.
    public static func == (left: Self, right: Self) -> Bool {
        (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1)
            | (left.words.2 ^ right.words.2) | (left.words.3 ^ right.words.3) == 0
    }

    public static func < (left: Self, right: Self) -> Bool { left.words < right.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let bytes = Base64URL.decode(try container.decode(String.self)), let digest = Digest(bytes)
        else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "not 32 bytes in base64url")
        }
        self = digest
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Base64URL.encode(bytes))
    }

    /// 64 hexadecimal digits.
    public var description: String {
        String(unsafeUninitializedCapacity: 64) { text in
            let text = UnsafeMutableRawBufferPointer(text)
            Hexadecimal.write(words.0, to: text)
            Hexadecimal.write(words.1, to: UnsafeMutableRawBufferPointer(rebasing: text[16...]))
            Hexadecimal.write(words.2, to: UnsafeMutableRawBufferPointer(rebasing: text[32...]))
            Hexadecimal.write(words.3, to: UnsafeMutableRawBufferPointer(rebasing: text[48...]))
            return 64
        }
    }
}
