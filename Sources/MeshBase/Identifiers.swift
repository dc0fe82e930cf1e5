/// One TCP connection of this process, from accept or dial to close. Never reused in one process.
public struct ConnectionID: SerialKey, Comparable, CustomStringConvertible {
    /// Counts connections from 1.
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    /// The number.
    public var serial: UInt64 { number }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
    public var description: String { "connection \(number)" }
}

/// Ties a request made to the world (sign this, ask that peer, answer this command) to its answer. Never
/// reused in one process.
public struct Ticket: Hashable, Sendable, Comparable {
    /// Counts requests from 1.
    public let number: UInt64
    public init(_ number: UInt64) { self.number = number }
    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// Which run of a node this is (protocol section 1): a number that rises with each start, and eight random
/// bytes.
public struct BootID: Hashable, Sendable, Comparable, Codable {
    /// max(stored + 1, milliseconds at start), at most 2^53 - 1.
    public let number: Int64
    /// Tells apart two runs that claim one number (a cloned node).
    public let random: UInt64

    public init(number: Int64, random: UInt64) {
        self.number = number
        self.random = random
    }

    private enum CodingKeys: String, CodingKey { case number, random }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        number = try container.decode(Int64.self, forKey: .number)
        let bytes = try container.decode(Octets.self, forKey: .random).bytes
        guard bytes.count == 8 else {
            throw DecodingError.dataCorruptedError(
                forKey: .random, in: container, debugDescription: "not 8 bytes")
        }
        random = UInt64(bigEndian: bytes)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(number, forKey: .number)
        try container.encode(Octets(random.bigEndianBytes), forKey: .random)
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.number, left.random) < (right.number, right.random)
    }
}

/// Names one invocation on every side that it reaches: a UUID of version 7 (RFC 9562 section 5.7), minted
/// once by the originator. It lives in the audit; the W3C trace id is another thing.
public struct CorrelationID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The first eight bytes: 48 bits of milliseconds, the version, 12 random bits.
    public let high: UInt64
    /// The last eight bytes: the variant, 62 random bits.
    public let low: UInt64

    /// Takes the 16 bytes as they are: what a peer sent may be any UUID.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new UUIDv7.
    public init(at wall: WallTime, using generator: inout SeededGenerator) {
        let random = generator.next()
        high = UInt64(truncatingIfNeeded: wall.milliseconds) << 16 | 0x7000 | (random & 0xfff)
        low = 0x8000_0000_0000_0000 | (generator.next() >> 2)
    }

    /// Reads the form `8-4-4-4-12`; nil otherwise.
    public init?(_ text: String) {
        let digits = text.utf8
        guard digits.count == 36 else { return nil }
        var plain: [UInt8] = []
        for (position, character) in digits.enumerated() {
            if [8, 13, 18, 23].contains(position) {
                guard character == UInt8(ascii: "-") else { return nil }
            } else {
                plain.append(character)
            }
        }
        guard let bytes = Hexadecimal.decode(String(decoding: plain, as: UTF8.self)) else { return nil }
        self.init(high: UInt64(bigEndian: bytes.prefix(8)), low: UInt64(bigEndian: bytes.suffix(8)))
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        // A person may type it in upper case; in a document one id has one text.
        guard let id = CorrelationID(text), id.description == text else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }

    /// `8-4-4-4-12` in lower case.
    ///
    /// Every call writes a few of them: in one go, without a copy on the way.
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { buffer in
            let text = UnsafeMutableRawBufferPointer(buffer)
            func put(_ digits: UInt64, count: Int, at place: Int) {
                withUnsafeBytes(of: (digits << UInt64(64 - 8 * count)).bigEndian) { bytes in
                    for index in 0..<count { text[place + index] = bytes[index] }
                }
            }
            let middle = Hexadecimal.digits(of: UInt32(truncatingIfNeeded: high))
            let next = Hexadecimal.digits(of: UInt32(low >> 32))
            put(Hexadecimal.digits(of: UInt32(high >> 32)), count: 8, at: 0)
            put(middle >> 32, count: 4, at: 9)
            put(middle, count: 4, at: 14)
            put(next >> 32, count: 4, at: 19)
            put(next, count: 4, at: 24)
            put(Hexadecimal.digits(of: UInt32(truncatingIfNeeded: low)), count: 8, at: 28)
            for dash in [8, 13, 18, 23] { text[dash] = UInt8(ascii: "-") }
            return 36
        }
    }
}

extension UInt64 {
    /// The eight bytes, most significant first.
    public var bigEndianBytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }

    /// - Parameter bytes: at most eight bytes, most significant first.
    public init(bigEndian bytes: some Collection<UInt8>) {
        self = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
