import MeshBase
import MeshRouting
import NIOCore
import NIOHTTP1

/// Puts one connection's requests together out of what the decoder reads, one after the other.
///
///     idle --head--> collecting --end--> idle            handed over whole
///                    collecting --too much, pause--> passing    `/mesh`: handed over, the rest in chunks
///     idle --head that declares much, or awaits an invitation--> passing    likewise, without a byte yet
///     idle --head refused--> swallowing --end--> idle    refused once the body has been read and dropped
///     idle --head that asks for a WebSocket--> upgrading    handed over; what follows is no HTTP
///     any --framing in doubt, limit--> closed            refused, nothing more is read
struct RequestAssembly {
    /// What a part leads to.
    enum Step {
        case nothing
        /// The client waits for this before it sends the body.
        case invite
        case hand(GatewayRequest, AnswerShape)
        case health(AnswerShape)
        case chunk(ByteBuffer)
        case end(trailers: [HeaderField])
        case refuse(RequestRefusal, AnswerShape)
    }

    private enum State {
        case idle
        case collecting(GatewayRequest, AnswerShape)
        case passing
        case upgrading
        case swallowing(Swallowed, AnswerShape, received: Int)
        case closed
    }

    /// Why a body is dropped.
    private enum Swallowed {
        case refused(RequestRefusal)
        case health
    }

    private var state = State.idle
    private var sequence: UInt32 = 0
    private let connection: UInt32
    private let gate: RequestGate
    private let collectedBody: Int
    private let bodyLimit: Int

    init(connection: UInt32, gate: RequestGate, collectedBody: Int, bodyLimit: Int) {
        self.connection = connection
        self.gate = gate
        self.collectedBody = min(collectedBody, bodyLimit)
        self.bodyLimit = bodyLimit
    }

    /// Whether no request is half read.
    var isIdle: Bool { if case .idle = state { true } else { false } }
    /// Whether nothing more will be read.
    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// Reads nothing more: the connection is ending.
    mutating func close() { state = .closed }

    /// Takes the next part. `arrival` counts for heads.
    mutating func take(_ part: HTTPServerRequestPart, at arrival: NIODeadline) -> Step {
        switch part {
        case .head(let head): begin(head, at: arrival)
        case .body(let chunk): add(chunk)
        case .end(let trailers): finish(trailers.map(Self.passing) ?? [])
        }
    }

    private mutating func begin(_ head: HTTPRequestHead, at arrival: NIODeadline) -> Step {
        guard isIdle else { return .nothing }
        var shape = AnswerShape(head)
        sequence &+= 1
        do throws(RequestRefusal) {
            guard Self.length(of: head) <= Limits.invocationHead else {
                let fact = Fact("head limit", "\(Limits.invocationHead) bytes")
                throw RequestRefusal(.headTooLarge, [fact], then: .close)
            }
            let fields = try RequestFields(head.headers, version: head.version)
            // After a request to upgrade the decoder reads nothing more: what is answered is the last answer.
            if fields.asksUpgrade { shape.closes = true }
            let id = GatewayRequestID(connection: connection, sequence: sequence)
            let admission: RequestGate.Admission
            do throws(RequestRefusal) {
                admission = try gate.admit(head, fields, id: id, at: arrival)
            } catch {
                // A client that waits to be invited has sent no body: answering now spares it the way.
                let isShort = (fields.contentLength ?? 0) <= bodyLimit
                guard error.after == .goOn, !fields.expectsContinue, isShort else { throw error }
                state = .swallowing(.refused(error), shape, received: 0)
                return .nothing
            }
            return try accept(admission, fields, shape)
        } catch {
            state = .closed
            shape.closes = true
            return .refuse(error, shape)
        }
    }

    private mutating func accept(
        _ admission: RequestGate.Admission, _ fields: RequestFields, _ shape: AnswerShape
    ) throws(RequestRefusal) -> Step {
        let length = fields.contentLength ?? 0
        switch admission {
        case .health:
            guard length <= bodyLimit else { throw tooLarge(length) }
            state = .swallowing(.health, shape, received: 0)
        case .request(let request) where request.form.isWebSocket:
            return pass(request, shape, as: .upgrading)
        case .request(let request) where request.mayStream:
            if length > collectedBody || request.awaitsInvitation { return pass(request, shape) }
            state = .collecting(request, shape)
            return .nothing
        case .request(let request):
            guard length <= bodyLimit else { throw tooLarge(length) }
            state = .collecting(request, shape)
        }
        return fields.expectsContinue && fields.hasBody ? .invite : .nothing
    }

    private mutating func pass(
        _ request: GatewayRequest, _ shape: AnswerShape, as passing: State = .passing
    ) -> Step {
        var request = request
        request.delivery = .continued
        state = passing
        return .hand(request, shape)
    }

    /// The application has said all that it says for now: a body whose end may be far is handed over as it
    /// is, since its sender may wait for the answer to what it has sent.
    mutating func pause() -> Step {
        guard case .collecting(let request, let shape) = state, request.mayStream, request.bodyLength == nil
        else { return .nothing }
        return pass(request, shape)
    }

    private mutating func add(_ chunk: ByteBuffer) -> Step {
        switch state {
        case .idle, .closed, .upgrading: return .nothing
        case .collecting(var request, var shape):
            let length = request.body.readableBytes + chunk.readableBytes
            guard length <= bodyLimit || request.mayStream else {
                state = .closed
                shape.closes = true
                return .refuse(tooLarge(length), shape)
            }
            // The copy in `state` would make every chunk copy the whole body.
            state = .idle
            var chunk = chunk
            if request.body.readableBytes == 0 {
                request.body = chunk
            } else {
                request.body.writeBuffer(&chunk)
            }
            if request.mayStream, length > collectedBody { return pass(request, shape) }
            state = .collecting(request, shape)
            return .nothing
        case .passing: return .chunk(chunk)
        case .swallowing(let why, var shape, let received):
            let length = received + chunk.readableBytes
            guard length <= bodyLimit else {
                state = .closed
                shape.closes = true
                return .refuse(tooLarge(length), shape)
            }
            state = .swallowing(why, shape, received: length)
            return .nothing
        }
    }

    private mutating func finish(_ trailers: [HeaderField]) -> Step {
        switch state {
        case .idle, .closed, .upgrading: return .nothing
        case .collecting(var request, let shape):
            state = .idle
            request.trailers = trailers
            return .hand(request, shape)
        case .passing:
            state = .idle
            return .end(trailers: trailers)
        case .swallowing(.health, let shape, _):
            state = .idle
            return .health(shape)
        case .swallowing(.refused(let refusal), let shape, _):
            state = .idle
            return .refuse(refusal, shape)
        }
    }

    private func tooLarge(_ length: Int) -> RequestRefusal {
        RequestRefusal(
            .bodyTooLarge, [Fact("body", "at least \(length) bytes"), Fact("limit", "\(bodyLimit) bytes")],
            then: .close)
    }

    private static func passing(_ trailers: HTTPHeaders) -> [HeaderField] {
        trailers.compactMap { name, value in
            let name = name.lowercasedASCII
            return HeaderRules.isTrailer(name) ? HeaderField(name, value.trimmed) : nil
        }
    }

    /// The head's bytes as it is written without optional white space: the decoder keeps no others.
    static func length(of head: HTTPRequestHead) -> Int {
        let line = head.method.rawValue.utf8.count + head.uri.utf8.count + " HTTP/1.1\r\n".utf8.count + 1
        return head.headers.reduce(line + 2) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }
}

/// What of a request decides how its answer is framed.
struct AnswerShape: Equatable {
    /// The answer to HEAD has no body whatever its fields say.
    let isHead: Bool
    /// HTTP/1.0 knows no chunks.
    let isOld: Bool
    /// Whether the connection ends after the answer.
    var closes: Bool

    init(_ head: HTTPRequestHead) {
        isHead = head.method == .HEAD
        isOld = head.version.minor == 0
        closes = !head.isKeepAlive
    }

    private init() { (isHead, isOld, closes) = (false, false, true) }

    /// For an answer where no head could be read.
    static let cut = AnswerShape()
}
