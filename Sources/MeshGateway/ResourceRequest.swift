import MeshBase
import MeshRouting
import NIOCore

/// One request to a resource of this node.
public struct ResourceRequest: Sendable {
    /// The resource.
    public var url: ResourceURL
    /// A token, in upper case as HTTP's own are. `WebSocketUpgrade.method` asks for a WebSocket; its body is
    /// streamed, without a length.
    public var method: String
    /// Beneath `url`, normalised, beginning with `/`; `/` is the URL itself.
    public var path: String
    /// Without `?`; nil when there is none.
    public var query: String?
    /// From the caller. Hop-by-hop fields, `Comity-…`, `Host`, `Content-Length`, and whatever `added` names
    /// are left out.
    public var headers: [HeaderField]
    /// In this node's own name: `comity-caller`, `comity-caller-name`, `comity-principal`,
    /// `comity-agreement`, `comity-correlation-id`, `traceparent`.
    public var added: [HeaderField]
    /// Its body.
    public var body: ResourceBody
    /// The node whose call it is: where connections are scarce, callers have them in turns. Nil: this node's
    /// own applications, together.
    public var caller: NodeID?
    /// For all of it, from connecting to the answer's last byte, above zero; nil where whoever asks gives up
    /// by itself.
    public var timeout: Duration?

    public init(
        url: ResourceURL, method: String, path: String, query: String?, headers: [HeaderField],
        added: [HeaderField],
        body: ResourceBody, caller: NodeID? = nil, timeout: Duration?
    ) {
        self.url = url
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.added = added
        self.body = body
        self.caller = caller
        self.timeout = timeout
    }

    /// Whether it asks for a WebSocket.
    var isWebSocket: Bool { method == WebSocketUpgrade.method }

    /// The bytes of the request's head, or why there can be none.
    func head() throws(ResourceFailure) -> ByteBuffer {
        guard HeaderRules.isToken(method), method != "CONNECT" else { throw .requestInvalid("method") }
        guard case .allowed(path) = RequestPath.normalised(path) else { throw .requestInvalid("path") }
        guard query.map(RequestTarget.characters.holds) ?? true else { throw .requestInvalid("query") }
        if isWebSocket, case .whole = body { throw .requestInvalid("body") }
        let target = url.target(path, query: query)
        let line = method.utf8.count + target.utf8.count + url.authority.utf8.count
        let bound = added.reduce(headers.reduce(line + Self.otherLines) { $0 + $1.lineLength }) {
            $0 + $1.lineLength
        }
        var isWritable = true
        var bytes = ByteBufferAllocator().buffer(capacity: bound)
        bytes.writeHead(atMost: bound) { head in
            head.put(isWebSocket ? "GET" : method)
            head.put(" ")
            head.put(target)
            head.put(" HTTP/1.1\r\nhost: ")
            head.put(url.authority)
            head.put("\r\n")
            isWritable = putFields(into: &head)
            if isWebSocket {
                head.put("connection: upgrade\r\nupgrade: websocket\r\n")
            } else if let length = body.length {
                if length > 0 || method == "POST" || method == "PUT" || method == "PATCH" {
                    head.put("content-length: ")
                    head.put(Int(length))
                    head.put("\r\n")
                }
            } else {
                head.put("transfer-encoding: chunked\r\n")
            }
            head.put("\r\n")
        }
        guard isWritable else { throw .requestInvalid("header field") }
        return bytes
    }

    /// At least the bytes of a head besides its fields, method, target and host.
    private static let otherLines = 128

    /// Puts the fields that are sent; false where one of them cannot be. They crossed a link: one that ended
    /// its line would be a second request to the resource.
    private func putFields(into head: inout HeadText) -> Bool {
        var named: [String] = []
        for field in headers where field.name == "connection" {
            named += HeaderRules.elements(of: field.value)
        }
        for field in headers where passes(field.name.lowercasedASCII, named) {
            guard HeaderRules.isWritable(field.name, field.value) else { return false }
            head.put(field)
        }
        for field in added {
            guard HeaderRules.isWritable(field.name, field.value) else { return false }
            head.put(field)
        }
        return true
    }

    /// Whether a field of the caller's passes; `named` are those that its `connection` names.
    func passes(_ name: String, _ named: [String]) -> Bool {
        switch name {
        case "host", "content-length", "expect": return false
        default:
            return !HeaderRules.isHopByHop(name) && !HeaderRules.isReserved(name) && !named.contains(name)
                && !added.contains { $0.name == name }
        }
    }
}

/// The body of a request to a resource.
public enum ResourceBody: Sendable {
    /// All of it; with trailers it goes in chunks.
    case whole(ByteBuffer, trailers: [HeaderField] = [])
    /// It follows through `ResourceExchange.send`, once `ResourceObserver.bodyWanted` was told. Nil: in
    /// chunks, or as it is over a WebSocket.
    case streamed(length: Int64?)

    /// What its head declares; nil for one in chunks.
    var length: Int64? {
        switch self {
        case .whole(let bytes, let trailers): trailers.isEmpty ? Int64(bytes.readableBytes) : nil
        case .streamed(let length): length
        }
    }
}

/// Who is told of a resource's answer, on the event loop of the request: `answerBegan`, any number of
/// `answerBody`, and then `answerEnded`; `answerFailed` instead of any of them ends it. After
/// `ResourceExchange.cancel` nothing is told any more.
public protocol ResourceObserver: AnyObject {
    /// A streamed body may be sent: the connection is there, or takes more again. Where a WebSocket is asked
    /// for, only once it is open: before, the resource would read what is said as its next request.
    func bodyWanted()
    /// The head: a status of 200 ... 599, or 101 where a WebSocket was asked for, fields in lower case
    /// without hop-by-hop ones and without `Comity-…`.
    func answerBegan(status: Int, headers: [HeaderField])
    /// The next bytes of the body, as they were read.
    func answerBody(_ chunk: ByteBuffer)
    /// The answer is complete.
    func answerEnded(trailers: [HeaderField])
    /// There is no answer, or no more of it.
    func answerFailed(_ failure: ResourceFailure)
}

/// Why a resource gave no whole answer.
public enum ResourceFailure: Error, Equatable, CustomStringConvertible {
    /// The request cannot be written down; the text says which part.
    case requestInvalid(String)
    /// No connection came about.
    case unreachable(ResourceAddress, reason: String)
    /// As many connections as are allowed are in use, and as many requests as may wait for one.
    case exhausted(ResourceAddress)
    /// The time was over.
    case timedOut(PossibleEffect)
    /// The connection ended before the answer was complete.
    case lost(PossibleEffect)
    /// What came was not HTTP, or nothing that may be passed on; the text says what.
    case misbehaved(String)

    /// Whether the request may have had its effect: certainly none only where no byte of it was written.
    public var effect: PossibleEffect {
        switch self {
        case .requestInvalid, .unreachable, .exhausted: .none
        case .timedOut(let effect), .lost(let effect): effect
        case .misbehaved: .possible
        }
    }

    /// What happened, for this node's operator.
    public var description: String {
        switch self {
        case .requestInvalid(let part): "the request's \(part) cannot be sent to a resource"
        case .unreachable(let address, let reason): "no connection to \(address): \(reason)"
        case .exhausted(let address):
            "all connections to \(address) are in use, and too many requests wait for one"
        case .timedOut(let effect): "no whole answer in time (effect \(effect))"
        case .lost(let effect): "the connection ended before the answer did (effect \(effect))"
        case .misbehaved(let what): "the answer was not usable: \(what)"
        }
    }
}
