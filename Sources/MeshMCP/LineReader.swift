/// Takes the messages out of what a server writes to its standard output (Model Context Protocol 2025-06-18,
/// "stdio"), as it comes in pieces: each is one line.
///
///     line --line feed--> one message, where anything stands in it
///
/// A line is bounded by `lineMax`: beyond it the server is given up, and no more of it is kept.
public struct LineReader: Sendable, Equatable {
    /// Bytes of one line, without what ends it.
    public let lineMax: Int
    private var line: [UInt8] = []

    /// - Parameter lineMax: above zero.
    public init(lineMax: Int) { self.lineMax = lineMax }

    /// Bytes that are kept of a line that has not ended.
    public var length: Int { line.count }

    /// Takes the next bytes.
    /// - Returns: each line that they end, but for empty ones; nil when the bound is passed, and then the
    ///   server is to be given up.
    public mutating func take(_ bytes: some Sequence<UInt8>) -> [[UInt8]]? {
        var lines: [[UInt8]] = []
        for byte in bytes {
            guard byte != UInt8(ascii: "\n") else {
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                if !line.isEmpty { lines.append(line) }
                line = []
                continue
            }
            guard line.count < lineMax else { return nil }
            line.append(byte)
        }
        return lines
    }
}
