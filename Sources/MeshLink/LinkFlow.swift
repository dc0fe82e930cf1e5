/// How the frames of one connection have left: evidence that the streams share it fairly (protocol section
/// 5a).
public struct LinkFlow: Equatable, Sendable {
    /// Streams open now.
    public let streams: Int
    /// The most streams that were ever open at once.
    public let mostStreams: Int
    /// Frames of streams and documents that left.
    public let framesSent: UInt64
    /// The most of these that left while any one stream, or the control plane's next document, was ready and
    /// waited for its turn: at most one of each other stream, and one document.
    public let longestWait: UInt64
}
