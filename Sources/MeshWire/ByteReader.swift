import MeshBase

/// Reads fields from bytes that somebody else sent, in order, without copying what is not kept. Numbers are
/// big-endian.
///
/// It looks only at memory inside `bytes`, which must outlive it.
struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    /// Where the next field begins.
    private(set) var offset = 0

    /// - Parameter limit: how long the message may be; a longer one is not looked at.
    init(_ bytes: UnsafeRawBufferPointer, limit: Int) throws(WireError) {
        guard bytes.count <= limit else { throw .tooLong(bytes: bytes.count, limit: limit) }
        self.bytes = bytes
    }

    /// Runs `body` over `bytes`, for those who hold an array.
    static func over<Result>(
        _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(WireError) -> Result
    ) throws(WireError) -> Result {
        let result = bytes.withUnsafeBytes { raw -> Swift.Result<Result, WireError> in
            do throws(WireError) {
                return .success(try body(raw))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The first byte of a message: its version.
    mutating func version(_ known: UInt8) throws(WireError) {
        let version = try byte()
        guard version == known else { throw .versionUnknown(version) }
    }

    mutating func byte() throws(WireError) -> UInt8 { try number(UInt8.self) }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(WireError) -> Number {
        let length = Number.bitWidth / 8
        guard bytes.count - offset >= length else { throw .truncated(at: bytes.count) }
        let value = bytes.loadUnaligned(fromByteOffset: offset, as: Number.self)
        offset += length
        return Number(bigEndian: value)
    }

    mutating func digest() throws(WireError) -> Digest {
        let run = try run(of: 32)
        guard let digest = Digest(run) else { preconditionFailure("32 bytes are no digest") }
        return digest
    }

    mutating func correlation() throws(WireError) -> CorrelationID {
        CorrelationID(high: try number(UInt64.self), low: try number(UInt64.self))
    }

    /// A length, seven bits a byte, least first, in as few bytes as it takes (three at most).
    mutating func length() throws(WireError) -> Int {
        let start = offset
        var value = 0
        var shift = 0
        while shift <= 14 {
            let next = try byte()
            value |= Int(next & 0x7f) << shift
            if next & 0x80 == 0 {
                guard next != 0 || shift == 0 else { break }
                return value
            }
            shift += 7
        }
        throw .fieldRefused("length", at: start)
    }

    /// A text with its length before it.
    mutating func text(_ name: String, _ rule: FieldRule, limit: Int) throws(WireError) -> String {
        let start = offset
        let length = try length()
        guard length <= limit else { throw .fieldRefused(name, at: start) }
        let run = try run(of: length)
        guard run.isVisibleASCII || String(validating: run, as: UTF8.self) != nil else {
            throw .notUnicode(at: start)
        }
        guard rule.admits(run) else { throw .fieldRefused(name, at: start) }
        return String(decoding: run, as: UTF8.self)
    }

    /// Where a text with its length before it stands; what it holds is not looked at.
    mutating func textRange(_ name: String, limit: Int) throws(WireError) -> Range<Int> {
        let start = offset
        let length = try length()
        guard length <= limit else { throw .fieldRefused(name, at: start) }
        return try range(of: length)
    }

    /// Where the next `count` bytes stand.
    mutating func range(of count: Int) throws(WireError) -> Range<Int> {
        _ = try run(of: count)
        return offset - count..<offset
    }

    /// `count` bytes, where they stand.
    mutating func run(of count: Int) throws(WireError) -> UnsafeRawBufferPointer {
        guard bytes.count - offset >= count else { throw .truncated(at: bytes.count) }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    /// The message must end here.
    func finish() throws(WireError) {
        guard offset == bytes.count else { throw .trailingBytes(at: offset) }
    }
}
