import MeshBase
import NIOCore

/// Whether more may be written to a stream now.
public enum StreamRoom: Sendable, Hashable {
    /// Go on.
    case open
    /// What was written is queued; wait for `.writable` before writing more.
    case full
    /// The stream is over, or was ended here; what was written was dropped.
    case over
}

/// What happens to a stream.
public enum LinkStreamEvent: Sendable {
    /// The peer answered (only on streams opened here; before any data).
    case head(ByteBuffer)
    /// A piece of the body. It is a slice of the connection's read buffer: whoever keeps it for long copies
    /// it. Each byte is to be given back by `LinkStream.consumed`.
    case data(ByteBuffer)
    /// The peer sends no more; what it sent last.
    case end(trailers: ByteBuffer)
    /// The stream is over in both directions, by the peer or by a limit of the link; the last event. Nil: the
    /// peer's reason is one of a later version. After `.draining` and `.limitReached` nothing of it was done.
    case reset(RefusalCode?)
    /// The connection ended, and the stream with it; the last event.
    case lost
    /// After `StreamRoom.full`: there is room again.
    case writable
}

/// Who owns one end of a stream. Called on the connection's event loop, never before the call that made the
/// stream returned.
public protocol LinkStreamObserver: AnyObject, Sendable {
    /// Something happened. May call any verb of the stream.
    func stream(did event: LinkStreamEvent)
}
