import MeshBase

/// What a node shows on the network instead of its name: eight bytes that change every hour (protocol section
/// 3).
///
/// HMAC-SHA-256 of the hour, under SHA-256(label, node ID): who holds the node ID recognises it, to all
/// others it is noise.
public struct SightingTag: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The first eight bytes of the code.
    public let number: UInt64

    /// The tag of `node` in one hour (see `hour(of:)`).
    public init(of node: NodeID, hour: Int64, using suite: some SignatureSuite) {
        self.init(hour: hour, key: Self.key(of: node, using: suite), using: suite)
    }

    /// The tag of `node` where nobody changes it every hour: in a zone that people keep. It is as lasting as
    /// the address beside it there, and tells no more.
    public init(standingFor node: NodeID, using suite: some SignatureSuite) {
        self.init(of: node, hour: Self.noHour, using: suite)
    }

    /// The tag written as `text`: eleven characters of base64url; nil for anything else.
    public init?(_ text: String) {
        guard text.utf8.count == 11, let bytes = Base64URL.decode(text), bytes.count == 8 else { return nil }
        number = UInt64(bigEndian: bytes)
    }

    /// Stands for the hour in a tag that has none.
    static let noHour = Int64.min

    init(hour: Int64, key: Digest, using suite: some SignatureSuite) {
        let code = suite.authenticationCode(of: UInt64(bitPattern: hour).bigEndianBytes, under: key.bytes)
        number = UInt64(bigEndian: code.bytes.prefix(8))
    }

    static func key(of node: NodeID, using suite: some SignatureSuite) -> Digest {
        var fields = FieldSequence(.sightingTag)
        fields.append(node.digest)
        return suite.digest(fields.bytes)
    }

    /// Which hour since 1970 it is: the announcer makes its tag anew when this changes.
    public static func hour(of wall: WallTime) -> Int64 {
        let (hours, rest) = wall.milliseconds.quotientAndRemainder(dividingBy: 3_600_000)
        return rest < 0 ? hours - 1 : hours
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }

    /// Eleven characters of base64url.
    public var description: String { Base64URL.encode(number.bigEndianBytes) }
}
