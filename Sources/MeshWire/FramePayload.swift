import MeshBase

/// The payloads of the frames that steer a link or a stream. Those of `data`, `ping`, `pong` and `document`
/// frames belong to others.
public enum FramePayload {
    /// Of a `reset` frame.
    public static func reset(_ code: RefusalCode) -> [UInt8] { Array(code.rawValue.utf8) }

    /// The reason in a `reset` frame; nil when it is one of a later version.
    public static func reset(from bytes: UnsafeRawBufferPointer) throws(WireError) -> RefusalCode? {
        var reader = try ByteReader(bytes, limit: codeLimit)
        return try code(at: &reader, length: bytes.count)
    }

    /// Of a `window` frame.
    /// - Precondition: `credit` is 1 ... `Limits.linkWindow`.
    public static func window(credit: Int) -> [UInt8] {
        precondition((1...Limits.linkWindow).contains(credit), "a credit of \(credit) bytes")
        var writer = ByteWriter(reserving: 4)
        writer.append(number: UInt32(credit))
        return writer.bytes
    }

    /// How many more bytes a `window` frame grants, 1 ... `Limits.linkWindow`.
    public static func window(from bytes: UnsafeRawBufferPointer) throws(WireError) -> Int {
        var reader = try ByteReader(bytes, limit: 4)
        let credit = Int(try reader.number(UInt32.self))
        try reader.finish()
        guard (1...Limits.linkWindow).contains(credit) else { throw .fieldRefused("credit", at: 0) }
        return credit
    }

    /// Of a `goAway` frame.
    public static func goAway(_ goAway: GoAway) -> [UInt8] {
        var writer = ByteWriter(reserving: 32)
        writer.append(number: goAway.lastStream)
        if let code = goAway.code { writer.append(Array(code.rawValue.utf8)) }
        return writer.bytes
    }

    /// What a `goAway` frame says.
    public static func goAway(from bytes: UnsafeRawBufferPointer) throws(WireError) -> GoAway {
        var reader = try ByteReader(bytes, limit: 4 + codeLimit)
        let lastStream = try reader.number(UInt32.self)
        let code = bytes.count > 4 ? try code(at: &reader, length: bytes.count - 4) : nil
        return GoAway(lastStream: lastStream, code: code)
    }

    private static let codeLimit = Fitting.nameLimit

    private static func code(at reader: inout ByteReader, length: Int) throws(WireError) -> RefusalCode? {
        let start = reader.offset
        let text = try reader.run(of: length)
        guard FieldRule.code.admits(text) else { throw .fieldRefused("refusal code", at: start) }
        return RefusalCode(rawValue: String(decoding: text, as: UTF8.self))
    }
}

/// A peer's word that it takes no new streams.
public struct GoAway: Equatable, Sendable {
    /// The highest stream of the receiver that was taken up, 0 for none: what lies above it certainly had no
    /// effect.
    public let lastStream: UInt32
    /// Why; nil when nothing was said, or something of a later version.
    public let code: RefusalCode?

    public init(lastStream: UInt32, code: RefusalCode?) {
        self.lastStream = lastStream
        self.code = code
    }
}
