import MeshBase
import MeshRouting
import NIOCore
import NIOHTTP1

/// Writes one answer as bytes: head, body in the framing that client and answer allow, trailers.
struct AnswerWriter {
    private enum Framing {
        /// So many bytes are still to come.
        case length(Int)
        case chunked
        /// The body ends where the connection does (HTTP/1.0, WebSocket).
        case untilClose
        /// HEAD, 204, 304: whatever is given is left out.
        case none
    }

    private enum State {
        case fresh
        case body(Framing)
        case ended
    }

    /// Chunks up to this size are copied behind what waits already: one write instead of three.
    private static let copiedChunk = 8 * 1024

    private var state = State.fresh
    /// Decided with the head: whether the connection ends after this answer.
    private(set) var closes: Bool
    private let shape: AnswerShape

    init(_ shape: AnswerShape) {
        self.shape = shape
        closes = shape.closes
    }

    /// The connection ends after this answer; of no effect once the head is written.
    mutating func closeAfterwards() { if !hasBegun { closes = true } }

    /// Whether the head has been written.
    var hasBegun: Bool { if case .fresh = state { false } else { true } }
    /// Whether the answer is complete.
    var hasEnded: Bool { if case .ended = state { true } else { false } }

    /// Writes the head. `length` is the body's, when it is known; else the fields' `content-length` counts.
    mutating func begin(
        status: Int, headers: [HeaderField], length: Int?, extra: [HeaderField], into out: inout ByteBuffer
    ) {
        let fields = headers.reduce(0) { $0 + $1.lineLength }
        let bound = extra.reduce(Self.otherLines + fields) { $0 + $1.lineLength }
        out.writeHead(atMost: bound) { head in
            head.put("HTTP/1.1 ")
            head.put(status)
            head.put(" ")
            head.put(HTTPResponseStatus(statusCode: status).reasonPhrase)
            head.put("\r\n")
            let declared = Self.put(headers, into: &head)
            for field in extra { head.put(field) }
            frame(status: status, length: length ?? declared, into: &head)
            if status == WebSocketUpgrade.status {
                head.put("connection: upgrade\r\nupgrade: websocket\r\n")
            } else if closes {
                head.put("connection: close\r\n")
            } else if shape.isOld {
                head.put("connection: keep-alive\r\n")
            }
            head.put("\r\n")
        }
    }

    /// At least the bytes of a head besides its fields: the status line, how the body is framed and what
    /// becomes of the connection.
    private static let otherLines = 256

    /// The next part of the body: what is small goes into `out`, what is large is answered to be written by
    /// itself behind `out`, closed by CR LF when chunked.
    mutating func add(_ chunk: ByteBuffer, into out: inout ByteBuffer) -> Addition {
        guard case .body(let framing) = state else { return .nothing }
        let count = chunk.readableBytes
        guard count > 0 else { return .nothing }
        switch framing {
        case .none: return .nothing
        case .length(let left):
            guard count <= left else { return .tooLong }
            state = .body(.length(left - count))
        case .chunked:
            out.writeString(String(count, radix: 16))
            out.writeStaticString("\r\n")
        case .untilClose: break
        }
        guard count <= Self.copiedChunk else { return .apart(closing: isChunked) }
        out.writeImmutableBuffer(chunk)
        if isChunked { out.writeStaticString("\r\n") }
        return .nothing
    }

    /// What is left to do after `add`.
    enum Addition: Equatable {
        case nothing
        /// Write `out`, then the chunk as it is, then, when chunked, CR LF.
        case apart(closing: Bool)
        /// More bytes than the head declared: the connection cannot go on.
        case tooLong
    }

    /// Ends the answer. False: fewer bytes than the head declared.
    mutating func end(trailers: [HeaderField], into out: inout ByteBuffer) -> Bool {
        guard case .body(let framing) = state else { return true }
        state = .ended
        switch framing {
        case .length(let left): return left == 0
        case .chunked:
            out.writeStaticString("0\r\n")
            for field in trailers where Self.passes(field) && HeaderRules.isTrailer(field.name) {
                out.write(field)
            }
            out.writeStaticString("\r\n")
        case .untilClose, .none: break
        }
        return true
    }

    private var isChunked: Bool { if case .body(.chunked) = state { true } else { false } }

    private mutating func frame(status: Int, length: Int?, into head: inout HeadText) {
        if status == WebSocketUpgrade.status {
            state = .body(.untilClose)
            closes = true
        } else if status == 204 || status == 304 || shape.isHead {
            state = .body(.none)
            // The length of what is not sent: of use to the client, except for 204, which may not carry it
            // (RFC 9110 section 8.6).
            if status != 204, let length { Self.put(length: length, into: &head) }
        } else if let length {
            state = .body(.length(length))
            Self.put(length: length, into: &head)
        } else if shape.isOld {
            state = .body(.untilClose)
            closes = true
        } else {
            state = .body(.chunked)
            head.put("transfer-encoding: chunked\r\n")
        }
    }

    /// Puts what may pass, and answers with the declared length when there is exactly one.
    private static func put(_ headers: [HeaderField], into head: inout HeadText) -> Int? {
        var length: Int?
        var isAmbiguous = false
        var named: [String] = []
        for field in headers where field.name == "connection" {
            named += HeaderRules.elements(of: field.value)
        }
        for field in headers where passes(field) && (named.isEmpty || !named.contains(field.name)) {
            guard field.name == "content-length" else {
                head.put(field)
                continue
            }
            let declared = HeaderRules.length(field.value)
            isAmbiguous = isAmbiguous || declared == nil || (length != nil && length != declared)
            length = declared
        }
        return isAmbiguous ? nil : length
    }

    // The answer came from another organisation's node: it may neither speak in Comity's name nor frame this
    // connection.
    private static func passes(_ field: HeaderField) -> Bool {
        let name = field.name.lowercasedASCII
        // How an answer was come by, this node's desk says, which lets nothing of the sort through.
        guard name != KeepRules.resultField else { return field.value.utf8.count <= 5 }
        return !HeaderRules.isHopByHop(name) && !HeaderRules.isReserved(name)
            && HeaderRules.isWritable(name, field.value)
    }

    private static func put(length: Int, into head: inout HeadText) {
        head.put("content-length: ")
        head.put(length)
        head.put("\r\n")
    }
}
