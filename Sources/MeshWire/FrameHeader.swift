import MeshBase

/// What stands before the payload of every frame on a link (protocol section 5a), ten bytes, big-endian:
///
///     payload length  4    at most `Limits.framePayload`
///     type            1
///     flags           1    bit 0: the stream ends here; bit 7: who does not know the type skips the frame
///     stream          4    0: the link itself
///
/// The payload stays where it is: a reader slices it out of its buffer.
public struct FrameHeader: Equatable, Sendable {
    /// Bytes of a header.
    public static let length = 10

    /// Nil: a type of a later version, whose frame is skipped.
    public let kind: FrameKind?
    /// Bytes of payload behind the header.
    public let payloadLength: Int
    /// Whether nothing follows on this stream from this side.
    public let endsStream: Bool
    /// The stream it belongs to, 0 for the link.
    public let stream: UInt32

    /// - Precondition: the length and the stream are such as `kind` may have.
    public init(_ kind: FrameKind, payloadLength: Int, endsStream: Bool = false, stream: UInt32 = 0) {
        precondition((0...Limits.framePayload).contains(payloadLength), "a payload of \(payloadLength) bytes")
        precondition(kind.mayStand(on: stream), "\(kind) on stream \(stream)")
        precondition(!endsStream || kind.mayEndStream, "\(kind) ends no stream")
        self.kind = kind
        self.payloadLength = payloadLength
        self.endsStream = endsStream
        self.stream = stream
    }

    private init(skipping payloadLength: Int, stream: UInt32) {
        kind = nil
        self.payloadLength = payloadLength
        endsStream = false
        self.stream = stream
    }

    /// The header at the beginning of `bytes`; nil while fewer than `length` bytes have come.
    /// - Parameter payloadLimit: less than `Limits.framePayload` before the peer is trusted.
    /// - Throws: whatever ends the link: too long a payload, an unknown type that may not be skipped, flags
    ///   or a stream that the type may not have.
    public static func read(
        from bytes: UnsafeRawBufferPointer, payloadLimit: Int = Limits.framePayload
    ) throws(WireError) -> FrameHeader? {
        guard bytes.count >= length else { return nil }
        var reader = try ByteReader(UnsafeRawBufferPointer(rebasing: bytes[..<length]), limit: length)
        let payloadLength = Int(try reader.number(UInt32.self))
        guard payloadLength <= payloadLimit else { throw .tooLong(bytes: payloadLength, limit: payloadLimit) }
        let type = try reader.byte()
        let flags = try reader.byte()
        let stream = try reader.number(UInt32.self)
        guard let kind = FrameKind(rawValue: type) else {
            guard flags & Flag.skippable != 0 else { throw .frameUnknown(type) }
            return FrameHeader(skipping: payloadLength, stream: stream)
        }
        let endsStream = flags & Flag.endsStream != 0
        guard flags & ~(Flag.endsStream | Flag.skippable) == 0, !endsStream || kind.mayEndStream else {
            throw .fieldRefused("flags of a frame", at: 5)
        }
        guard kind.mayStand(on: stream) else { throw .fieldRefused("stream of a frame", at: 6) }
        return FrameHeader(kind, payloadLength: payloadLength, endsStream: endsStream, stream: stream)
    }

    /// Writes the header into the first `length` bytes of `bytes`.
    /// - Precondition: there are as many, and the frame is not one that was skipped.
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= Self.length, "a header in \(bytes.count) bytes")
        guard let kind else { preconditionFailure("a skipped frame is not sent on") }
        bytes.storeBytes(of: UInt32(payloadLength).bigEndian, toByteOffset: 0, as: UInt32.self)
        bytes.storeBytes(of: kind.rawValue, toByteOffset: 4, as: UInt8.self)
        bytes.storeBytes(of: endsStream ? Flag.endsStream : 0, toByteOffset: 5, as: UInt8.self)
        bytes.storeBytes(of: stream.bigEndian, toByteOffset: 6, as: UInt32.self)
    }

    private enum Flag {
        static let endsStream: UInt8 = 1
        static let skippable: UInt8 = 1 << 7
    }
}

/// The types of frame.
public enum FrameKind: UInt8, Sendable, CaseIterable {
    /// Opens a stream: the head of an invocation, or of its answer.
    case open = 1
    /// A piece of a body.
    case data = 2
    /// Ends a body, with trailers.
    case end = 3
    /// Gives a stream up, with the reason.
    case reset = 4
    /// Grants more bytes, on a stream or on the link.
    case window = 5
    /// Asks for a sign of life.
    case ping = 6
    /// The sign of life, with what the ping carried or asked for.
    case pong = 7
    /// No new streams: the peer shuts down.
    case goAway = 8
    /// A message of the handshake or of the control plane.
    case document = 9

    /// Whether such a frame may belong to `stream`.
    func mayStand(on stream: UInt32) -> Bool {
        switch self {
        case .open, .data, .end, .reset: stream != 0
        case .ping, .pong, .goAway, .document: stream == 0
        case .window: true
        }
    }

    /// Whether such a frame may carry the flag that ends its stream.
    var mayEndStream: Bool {
        switch self {
        case .open, .data, .end: true
        case .reset, .window, .ping, .pong, .goAway, .document: false
        }
    }
}
