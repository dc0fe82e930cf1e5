import MeshBase
import NIOCore
import NIOHTTP2

/// What the other end of an HTTP/2 connection may make this one keep or do, whichever end began: an
/// application here, or a gRPC server. Beyond a bound the connection ends with GOAWAY; a call that is sent
/// beyond its window is reset.
enum HTTP2Bounds {
    /// Calls under way on one connection.
    static let streamsMax = 100
    /// Bytes of one head or of trailers, as HPACK counts them.
    static let headerListMax = Limits.invocationHead
    /// Calls that the other end may give up a second (CVE-2023-44487).
    static let resetsPerSecond = 200
    /// Frames that carry nothing of a call: pings (which gRPC sends to measure), settings, priorities.
    static let controlFramesPerSecond = 1_000
    /// Frames in which one head goes on behind its first (CVE-2024-27316 and its like).
    static let continuationsMax = 8
    /// Bytes of one call that come before anybody takes them.
    static let windowInBytes = 65_535
    /// Bytes of one call that wait for the other end's window before its sender is told to wait.
    static let outboundMax = 64 * 1024

    /// For the connection.
    static func connection(isServer: Bool) -> NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxHeaderListSize, value: headerListMax),
            HTTP2Setting(parameter: .initialWindowSize, value: windowInBytes),
            isServer
                ? HTTP2Setting(parameter: .maxConcurrentStreams, value: streamsMax)
                : HTTP2Setting(parameter: .enablePush, value: 0),
        ]
        configuration.maximumSequentialContinuationFrames = continuationsMax
        configuration.maximumBufferedControlFrames = controlFramesPerSecond
        configuration.controlFrameRateLimit.maximumCount = controlFramesPerSecond
        configuration.controlFrameRateLimit.windowLength = .seconds(1)
        configuration.targetWindowSize = 1024 * 1024
        return configuration
    }

    /// For each of its streams.
    static var stream: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = windowInBytes
        configuration.outboundBufferSizeHighWatermark = outboundMax
        configuration.outboundBufferSizeLowWatermark = outboundMax / 2
        configuration.streamResetFrameRateLimit.maximumCount = resetsPerSecond
        configuration.streamResetFrameRateLimit.windowLength = .seconds(1)
        configuration.streamErrorRateLimit.maximumCount = resetsPerSecond
        configuration.streamErrorRateLimit.windowLength = .seconds(1)
        return configuration
    }

    /// Whether `error` is about one stream, which was reset for it, or about a frame for one that is over.
    /// All others end the connection.
    static func isOfOneStream(_ error: any Error) -> Bool {
        switch error {
        case is NIOHTTP2Errors.StreamError, is NIOHTTP2Errors.NoSuchStream, is NIOHTTP2Errors.StreamClosed,
            is NIOHTTP2Errors.InvalidPseudoHeaders, is NIOHTTP2Errors.DuplicatePseudoHeader,
            is NIOHTTP2Errors.PseudoHeaderAfterRegularHeader, is NIOHTTP2Errors.UnknownPseudoHeader,
            is NIOHTTP2Errors.MissingPseudoHeader, is NIOHTTP2Errors.EmptyPathHeader,
            is NIOHTTP2Errors.InvalidHTTP2HeaderFieldName, is NIOHTTP2Errors.InvalidHTTP2HeaderFieldValue,
            is NIOHTTP2Errors.InvalidPseudoHeaderValue, is NIOHTTP2Errors.ForbiddenHeaderField,
            is NIOHTTP2Errors.ContentLengthViolated, is NIOHTTP2Errors.ContentLengthHeadersMismatch,
            is NIOHTTP2Errors.ContentLengthHeaderNegative,
            is NIOHTTP2Errors.ContentLengthHeaderMalformedValue,
            is NIOHTTP2Errors.InvalidStatusValue:
            true
        default: false
        }
    }
}
