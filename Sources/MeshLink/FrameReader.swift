import MeshBase
import MeshWire
import NIOCore

/// Cuts the bytes of one connection into frames, without copying those that arrive whole.
///
/// A payload is a slice of the read buffer. Only a frame that two reads share is put together in a buffer of
/// its own, at most one a read, and its length is checked before room is made for it. Never holds more than
/// one unfinished frame plus one read, or `LinkConnection.heldMost` of who is held back.
struct FrameReader {
    /// Bytes of payload that are accepted now: a handshake's message before trust, a frame's after.
    var payloadLimit: Int
    /// What was read and not yet cut.
    private var incoming = ByteBuffer()
    /// The first part of a frame whose rest has not come.
    private var partial = ByteBuffer()

    init(payloadLimit: Int) { self.payloadLimit = payloadLimit }

    /// Bytes that wait for the rest of their frame or for their turn.
    var pendingBytes: Int { incoming.readableBytes + partial.readableBytes }

    /// Takes what one read brought.
    mutating func feed(_ bytes: ByteBuffer) {
        if incoming.readableBytes == 0 {
            incoming = bytes
        } else {
            incoming.writeImmutableBuffer(bytes)
        }
    }

    /// The next whole frame; nil until more is read. Unknown kinds that may be skipped are skipped.
    /// - Throws: `FrameViolation` for a length or a kind that is not allowed; the connection is to be ended.
    mutating func next() throws(FrameViolation) -> Frame? {
        while let (header, payload) = try nextOfAnyKind() {
            guard let kind = header.kind else { continue }
            return Frame(kind: kind, stream: header.stream, endsStream: header.endsStream, payload: payload)
        }
        return nil
    }

    private mutating func nextOfAnyKind() throws(FrameViolation) -> (FrameHeader, ByteBuffer)? {
        if partial.readableBytes > 0 { return try completePartial() }
        let start = incoming.readerIndex
        guard let header = try incoming.readFrameHeader(payloadLimit: payloadLimit) else {
            keepRest(expecting: FrameHeader.length)
            return nil
        }
        guard let payload = incoming.readSlice(length: header.payloadLength) else {
            incoming.moveReaderIndex(to: start)
            keepRest(expecting: FrameHeader.length + header.payloadLength)
            return nil
        }
        return (header, payload)
    }

    /// Moves what is left into a buffer of our own, so that the connection's read buffer is free to be used
    /// again.
    private mutating func keepRest(expecting bytes: Int) {
        if incoming.readableBytes > 0 {
            partial = ByteBufferAllocator().buffer(capacity: bytes)
            partial.writeBuffer(&incoming)
        }
        incoming = ByteBuffer()
    }

    private mutating func completePartial() throws(FrameViolation) -> (FrameHeader, ByteBuffer)? {
        guard fillPartial(to: FrameHeader.length) else { return nil }
        let start = partial.readerIndex
        guard let header = try partial.readFrameHeader(payloadLimit: payloadLimit) else { return nil }
        partial.moveReaderIndex(to: start)
        guard fillPartial(to: FrameHeader.length + header.payloadLength) else { return nil }
        partial.moveReaderIndex(forwardBy: FrameHeader.length)
        let payload = partial
        partial = ByteBuffer()
        return (header, payload)
    }

    private mutating func fillPartial(to bytes: Int) -> Bool {
        let missing = bytes - partial.readableBytes
        if missing > 0 {
            partial.reserveCapacity(minimumWritableBytes: missing)
            if var piece = incoming.readSlice(length: min(missing, incoming.readableBytes)) {
                partial.writeBuffer(&piece)
            }
        }
        return partial.readableBytes >= bytes
    }
}
