/// Takes the messages out of a stream of server-sent events (WHATWG HTML section 9.2.6), as it comes in
/// pieces: what stands in `data` of each event. Other fields count for nothing here.
///
///     field --line's end--> field --empty line--> one event, where it had data
///
/// A line and an event are bounded by `eventMax`: beyond it the stream is refused, and no more of it is kept.
public struct EventStreamReader: Sendable, Equatable {
    /// Bytes of one event.
    public let eventMax: Int
    private var line: [UInt8] = []
    private var data: [UInt8]?
    /// Whether the last byte was a carriage return: a line feed behind it ends no other line.
    private var isAfterReturn = false
    /// Whether anything was read: before that, a mark of byte order may stand.
    private var hasBegun = false

    /// - Parameter eventMax: above zero.
    public init(eventMax: Int) { self.eventMax = eventMax }

    /// Bytes that are kept of an event that has not ended.
    public var length: Int { line.count + (data?.count ?? 0) }

    /// Takes the next bytes.
    /// - Returns: the data of each event that they end; nil when a bound is passed, and then the stream is to
    ///   be given up.
    public mutating func take(_ bytes: some Sequence<UInt8>) -> [[UInt8]]? {
        var events: [[UInt8]] = []
        for byte in bytes {
            let wasAfterReturn = isAfterReturn
            isAfterReturn = byte == UInt8(ascii: "\r")
            switch byte {
            case UInt8(ascii: "\n") where wasAfterReturn: continue
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): if let event = endLine() { events.append(event) }
            default:
                line.append(byte)
                guard length <= eventMax else { return nil }
            }
        }
        return events
    }

    private mutating func endLine() -> [UInt8]? {
        defer {
            line.removeAll(keepingCapacity: true)
            hasBegun = true
        }
        if !hasBegun, line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
        guard !line.isEmpty else {
            defer { data = nil }
            return data
        }
        let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
        guard line[..<colon].elementsEqual("data".utf8) else { return nil }
        var value = line[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if data == nil { data = Array(value) } else { data? += [UInt8(ascii: "\n")] + value }
        return nil
    }
}
