import MeshBase

/// A stretch of the sender's row of coded symbols.
///
/// In a document the symbols are one run of bytes: of each the sum of ids (8 bytes, big-endian), the sum of
/// checksums (4), and the count less what is to be expected of a set of that size, so that it is small:
/// zig-zag and seven bits a byte, least first, as short as can be. 13 to 14 bytes a symbol.
public struct SymbolBatch: Codable, Equatable, Sendable {
    /// Which session: the request's.
    public let salt: Octets
    /// What the sender drew for the session: in each batch of it the same.
    public let nonce: Octets
    /// How many elements the sender's set has.
    public let setSize: Int
    /// The index of the first symbol in the row.
    public let first: Int
    /// At least one, at most `symbolsMax`.
    let symbols: [CodedSymbol]

    /// How many symbols a batch may have: in base64url they fit a frame, whatever the counts.
    public static let symbolsMax = 1_024
    /// Bytes of one symbol, at least and at most.
    private static let symbolLength = 13...17

    init(salt: Octets, nonce: Octets, setSize: Int, first: Int, symbols: [CodedSymbol]) {
        self.salt = salt
        self.nonce = nonce
        self.setSize = setSize
        self.first = first
        self.symbols = symbols
    }

    /// Bytes that a batch of so many symbols may take as it travels, at most.
    static func lengthMost(_ count: Int) -> Int { count * symbolLength.upperBound * 4 / 3 + 256 }

    /// How many elements of a set one expects in a symbol.
    private static func expected(_ setSize: Int, _ index: Int) -> Int { 2 * setSize / (index + 2) }

    private enum CodingKeys: String, CodingKey { case salt, nonce, size, first, symbols }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(salt, forKey: .salt)
        try container.encode(nonce, forKey: .nonce)
        try container.encode(setSize, forKey: .size)
        try container.encode(first, forKey: .first)
        try container.encode(Octets(packed), forKey: .symbols)
    }

    /// The symbols as bytes.
    var packed: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(symbols.count * (Self.symbolLength.lowerBound + 1))
        for (offset, symbol) in symbols.enumerated() {
            bytes += symbol.idSum.bigEndianBytes
            bytes += UInt64(symbol.checkSum).bigEndianBytes.suffix(4)
            let delta = Int32(truncatingIfNeeded: Int(symbol.count) - Self.expected(setSize, first + offset))
            var zigzag = UInt32(bitPattern: (delta << 1) ^ (delta >> 31))
            while zigzag >= 0x80 {
                bytes.append(UInt8(zigzag & 0x7f) | 0x80)
                zigzag >>= 7
            }
            bytes.append(UInt8(zigzag))
        }
        return bytes
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        salt = try container.nonce(forKey: .salt)
        nonce = try container.nonce(forKey: .nonce)
        setSize = try container.number(in: 0...SymbolEncoder.setMax, forKey: .size)
        first = try container.number(in: 0...SymbolEncoder.symbolsMax, forKey: .first)
        let bytes = try container.decode(Octets.self, forKey: .symbols).bytes
        guard let symbols = Self.unpack(bytes, setSize: setSize, first: first) else {
            throw DecodingError.dataCorruptedError(
                forKey: .symbols, in: container, debugDescription: "no run of coded symbols")
        }
        self.symbols = symbols
    }

    /// Reads what `packed` writes, and nothing else.
    private static func unpack(_ bytes: [UInt8], setSize: Int, first: Int) -> [CodedSymbol]? {
        guard bytes.count <= symbolsMax * symbolLength.upperBound else { return nil }
        var symbols: [CodedSymbol] = []
        symbols.reserveCapacity(bytes.count / symbolLength.lowerBound)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard symbols.count < symbolsMax, rest.count >= symbolLength.lowerBound else { return nil }
            var id: UInt64 = 0
            for byte in rest.prefix(8) { id = id << 8 | UInt64(byte) }
            var check: UInt32 = 0
            for byte in rest.dropFirst(8).prefix(4) { check = check << 8 | UInt32(byte) }
            rest = rest.dropFirst(12)
            guard let zigzag = varint(&rest) else { return nil }
            let delta = Int32(bitPattern: zigzag >> 1) ^ -Int32(bitPattern: zigzag & 1)
            let expected = Int32(expected(setSize, first + symbols.count))
            symbols.append(CodedSymbol(idSum: id, checkSum: check, count: expected &+ delta))
        }
        return symbols.isEmpty ? nil : symbols
    }

    /// At most 32 bits, in as few bytes as they take.
    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt32? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 28, by: 7) {
            guard let next = rest.popFirst() else { return nil }
            value |= UInt64(next & 0x7f) << shift
            guard next & 0x80 == 0 else { continue }
            return next == 0 && shift > 0 ? nil : UInt32(exactly: value)
        }
        return nil
    }
}
