import MeshBase

/// What a node says of itself over mDNS, in the TXT record of its service (RFC 6763 section 6): a version and
/// a tag that only those recognise who hold its pin. Pairs of a later kind may stand beside them and are
/// passed over, as the RFC wants it.
///
/// It is a hint from whoever sent it, and decides nothing.
public struct SightingText: Equatable, Sendable {
    /// Bytes of the record: each pair and the byte that counts it.
    public static let limit = 1024
    private static let version = "1"
    private static let tagLength = 8

    /// The eight bytes of the tag.
    public let tag: Octets

    /// - Parameter tag: exactly eight bytes; anything else gives nil.
    public init?(tag: Octets) {
        guard tag.bytes.count == Self.tagLength else { return nil }
        self.tag = tag
    }

    /// The pairs, each as the bytes behind its length byte: `v=1` first.
    public var pairs: [[UInt8]] {
        ["v=\(Self.version)", "t=\(Base64URL.encode(tag.bytes))"].map { Array($0.utf8) }
    }

    /// Reads the pairs of a record.
    /// - Throws: for a record longer than 1 KiB, a pair that RFC 6763 does not allow, a key that comes twice,
    ///   another version than 1, and a tag that is not 11 characters of base64url. `at` counts the bytes of
    ///   the record.
    public init(pairs: [[UInt8]]) throws(WireError) {
        let length = pairs.reduce(0) { $0 + $1.count + 1 }
        guard length <= Self.limit else { throw .tooLong(bytes: length, limit: Self.limit) }
        var values: [String: String] = [:]
        var offset = 0
        for pair in pairs {
            guard pair.count <= 255 else { throw .tooLong(bytes: pair.count, limit: 255) }
            let (key, value) = try Self.keyAndValue(of: pair, at: offset)
            guard values.updateValue(value, forKey: key) == nil else {
                throw .memberRepeated(key, at: offset)
            }
            offset += pair.count + 1
        }
        guard let version = values["v"] else { throw .memberMissing("v", at: 0) }
        guard version == Self.version else {
            guard let number = UInt8(version) else { throw .fieldRefused("version", at: 0) }
            throw .versionUnknown(number)
        }
        guard let text = values["t"] else { throw .memberMissing("t", at: 0) }
        guard let bytes = Base64URL.decode(text), bytes.count == Self.tagLength else {
            throw .fieldRefused("tag", at: 0)
        }
        tag = Octets(bytes)
    }

    /// Keys are visible ASCII and spaces without `=` and compared without case (RFC 6763 section 6.4). A
    /// value that is not UTF-8 belongs to a key that is passed over, or is refused as that key's value.
    private static func keyAndValue(of pair: [UInt8], at offset: Int) throws(WireError) -> (String, String) {
        let mark = pair.firstIndex(of: UInt8(ascii: "=")) ?? pair.endIndex
        let key = pair[..<mark]
        guard !key.isEmpty, key.allSatisfy({ (0x20...0x7e).contains($0) }) else {
            throw .fieldRefused("key", at: offset)
        }
        return (
            String(decoding: key, as: UTF8.self).lowercased(),
            String(decoding: pair[mark...].dropFirst(), as: UTF8.self)
        )
    }
}
