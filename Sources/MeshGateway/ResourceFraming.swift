import MeshRouting
import NIOCore

/// How a streamed body is written to a resource: so many bytes as its head declared, or in chunks (RFC 9112
/// section 7.1).
struct ResourceFraming {
    /// Bytes that are still to come; nil: in chunks.
    private var left: Int64?

    init(length: Int64?) { left = length }

    /// Writes the next piece; false when it is more than the head declared: nothing of it is written then.
    mutating func add(_ piece: ByteBuffer, to wire: ResourceWire) -> Bool {
        let count = piece.readableBytes
        guard count > 0 else { return true }
        if let left {
            guard Int64(count) <= left else { return false }
            self.left = left - Int64(count)
            wire.gather(piece)
        } else {
            var size = ByteBuffer()
            Self.open(count, in: &size)
            wire.gather(size)
            wire.gather(piece)
            wire.gather(Self.lineEnd)
        }
        return true
    }

    /// Writes the end; false when the head declared more.
    func end(
        _ trailers: [HeaderField], on wire: ResourceWire, whenWritten: @escaping () -> Void
    ) -> Bool {
        if let left {
            guard left == 0 else { return false }
            wire.gather(ByteBuffer(), whenWritten: whenWritten)
        } else {
            var last = ByteBuffer()
            Self.close(trailers, in: &last)
            wire.gather(last, whenWritten: whenWritten)
        }
        return true
    }

    /// A whole body in chunks, with what follows it.
    static func chunked(_ body: ByteBuffer, _ trailers: [HeaderField]) -> ByteBuffer {
        var bytes = ByteBuffer()
        if body.readableBytes > 0 {
            open(body.readableBytes, in: &bytes)
            bytes.writeImmutableBuffer(body)
            bytes.writeStaticString("\r\n")
        }
        close(trailers, in: &bytes)
        return bytes
    }

    private static let lineEnd = ByteBuffer(string: "\r\n")

    private static func open(_ count: Int, in bytes: inout ByteBuffer) {
        bytes.writeString(String(count, radix: 16))
        bytes.writeStaticString("\r\n")
    }

    // The trailers crossed a link: one that ended its line would be a second request to the resource.
    private static func close(_ trailers: [HeaderField], in bytes: inout ByteBuffer) {
        bytes.writeStaticString("0\r\n")
        for field in trailers
        where HeaderRules.isTrailer(field.name) && HeaderRules.isWritable(field.name, field.value) {
            bytes.writeString(field.name)
            bytes.writeStaticString(": ")
            bytes.writeString(field.value)
            bytes.writeStaticString("\r\n")
        }
        bytes.writeStaticString("\r\n")
    }
}
