/// The head of one file in an archive: 512 bytes in the form `ustar` of POSIX.1-1988, so that `tar` reads it.
///
/// Of that form only what a backup needs is written and taken: plain files, short names, sizes below 8 GiB.
struct TarHeader: Equatable, Sendable {
    /// Printable ASCII, 1 ... 99 bytes.
    let name: String
    /// 0 ... 8 GiB - 1.
    let lengthInBytes: Int64
    /// Seconds since the Unix epoch.
    let modified: Int64

    static let size = 512
    static let lengthMax: Int64 = 1 << 33 - 1

    /// What a header cannot be read for.
    enum Flaw: Error, Equatable, Sendable {
        case malformed(String)
    }

    /// Bytes that follow the content up to the next header.
    var padding: Int { Int((512 - lengthInBytes % 512) % 512) }

    /// - Precondition: name and length are within their bounds.
    var bytes: [UInt8] {
        precondition((1...99).contains(name.utf8.count) && (0...Self.lengthMax).contains(lengthInBytes))
        var block = [UInt8](repeating: 0, count: Self.size)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        put(name, at: 0)
        put("0000600", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(Self.octal(lengthInBytes), at: 124)
        put(Self.octal(modified), at: 136)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = Self.checksum(of: block)
        let text = String(sum, radix: 8)
        put(String(repeating: "0", count: 6 - text.count) + text, at: 148)
        block[155] = UInt8(ascii: " ")
        return block
    }

    init(name: String, lengthInBytes: Int64, modified: Int64) {
        self.name = name
        self.lengthInBytes = lengthInBytes
        self.modified = modified
    }

    /// Nil for the block of zeros that ends an archive.
    init?(_ block: [UInt8]) throws(Flaw) {
        guard block.count == Self.size else { throw .malformed("a header has \(block.count) bytes") }
        if block.allSatisfy({ $0 == 0 }) { return nil }
        let sum = try Self.number(block[148..<154], "checksum")
        guard sum == Self.checksum(of: block) else { throw .malformed("a header's checksum is wrong") }
        guard Array(block[257..<263]) == Array("ustar\0".utf8) else { throw .malformed("it is no ustar") }
        guard block[156] == UInt8(ascii: "0") else { throw .malformed("it holds more than plain files") }
        guard block[345..<500].allSatisfy({ $0 == 0 }) else { throw .malformed("a name is too long") }
        let name = block[..<100].prefix { $0 != 0 }
        guard !name.isEmpty, name.count < 100, name.allSatisfy({ (0x21...0x7E).contains($0) }),
            block[name.count..<100].allSatisfy({ $0 == 0 })
        else { throw .malformed("a name is not plain") }
        lengthInBytes = try Self.number(block[124..<135], "length")
        modified = try Self.number(block[136..<147], "time")
        self.name = String(decoding: name, as: UTF8.self)
    }

    private static func octal(_ number: Int64) -> String {
        let text = String(min(max(0, number), lengthMax), radix: 8)
        return String(repeating: "0", count: 11 - text.count) + text
    }

    private static func number(_ digits: ArraySlice<UInt8>, _ what: String) throws(Flaw) -> Int64 {
        var result: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit) else {
                throw .malformed("a \(what) is no octal number")
            }
            result = result << 3 | Int64(digit - UInt8(ascii: "0"))
        }
        return result
    }

    /// The sum of all bytes, the checksum's own eight counted as spaces.
    private static func checksum(of block: [UInt8]) -> Int64 {
        block.enumerated().reduce(0) { $0 + Int64((148..<156).contains($1.offset) ? 0x20 : $1.element) }
    }
}
