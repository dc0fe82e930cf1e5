import MeshBase

/// The heads with which a relay brings a link to the node that it is to reach (decision 0043): a version byte
/// that no invocation has, and who dials; the answer is the version byte alone.
public enum CircuitCodec {
    private static let version: UInt8 = 3
    private static let length = 33

    /// Whether a stream's head is one of a circuit.
    public static func isHead(_ first: UInt8?) -> Bool { first == version }

    /// The head of the stream on which a link of `caller` comes.
    public static func head(of caller: NodeID) -> [UInt8] {
        var writer = ByteWriter(reserving: length)
        writer.append(version)
        writer.append(caller.digest)
        return writer.bytes
    }

    /// Who dials, as the relay says; nobody proved it yet.
    /// - Throws: at the first byte that is not as `head(of:)` would have written it.
    public static func caller(from bytes: UnsafeRawBufferPointer) throws(WireError) -> NodeID {
        var reader = try ByteReader(bytes, limit: length)
        try reader.version(version)
        let caller = NodeID(try reader.digest())
        try reader.finish()
        return caller
    }

    /// The answer of who takes the link.
    public static var answer: [UInt8] { [version] }
}
