import MeshBase
import MeshGateway
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

/// What all requests to all providers keep together. Confined to the plane's event loop.
final class FanOutRoom {
    /// Bytes.
    let most: Int
    private var kept = 0

    init(most: Int = Limits.fanOutBytesInAll) { self.most = most }

    /// Whether so many bytes more may be kept.
    func holds(_ bytes: Int) -> Bool { bytes <= most - kept }
    func take(_ bytes: Int) { kept += bytes }
    func give(back bytes: Int) { kept -= bytes }
}

/// One request of an application to all providers of a resource (protocol section 8): a call of its own to
/// each, under one deadline and one trace, whose ends are gathered into one answer.
///
///     every part: waiting --its answer's head--> answering --its end--> answered
///         waiting, answering --refused, broken off, more bytes than may be kept--> refused
///     all parts ended --> the application has its answer, once
///
/// A part that has ended hears of nothing more. What is kept of all answers together is bounded by
/// `Limits.fanOutBytes`, of each by `Limits.callBody`, of all requests of a node by their `FanOutRoom`.
/// Confined to the plane's event loop.
final class FanOut {
    /// One provider's.
    private struct Part {
        let node: NodeID
        let name: String
        let call: RequestID
        var correlation: CorrelationID?
        /// The answer's head once it came.
        var head: (status: Int, type: String?)?
        var body = ByteBuffer()
        var outcome: FanOutPart.Outcome?
    }

    private var parts: [Part]
    private var waiting: Int
    /// Bytes that are kept for it.
    private var kept = 0
    /// Gives up a call whose answer is longer than may be kept.
    private let giveUp: (RequestID) -> Void
    /// What all requests of this node may keep.
    private let room: FanOutRoom
    /// Takes what became of each, once.
    private let finish: ([FanOutPart]) -> Void

    /// - Parameter calls: to whom, and by which number; at least one.
    init(
        _ calls: [(provider: Provider, call: RequestID)], givingUpBy giveUp: @escaping (RequestID) -> Void,
        finishingBy finish: @escaping ([FanOutPart]) -> Void,
        within room: FanOutRoom
    ) {
        parts = calls.map { Part(node: $0.provider.node, name: $0.provider.name, call: $0.call) }
        waiting = parts.count
        self.giveUp = giveUp
        self.room = room
        self.finish = finish
    }

    deinit { room.give(back: kept) }

    /// The calls that have not ended.
    var open: [RequestID] { parts.filter { $0.outcome == nil }.map(\.call) }

    func head(_ part: Int, status: Int, headers: [HeaderField], correlation: CorrelationID?) {
        guard parts[part].outcome == nil else { return }
        parts[part].correlation = correlation
        parts[part].head = (status, headers.first { $0.name == "content-type" }?.value)
    }

    func body(_ part: Int, _ chunk: ByteBuffer) {
        guard parts[part].outcome == nil else { return }
        var chunk = chunk
        let all = kept + chunk.readableBytes
        let length = parts[part].body.readableBytes + chunk.readableBytes
        let isRoom = room.holds(chunk.readableBytes)
        guard length <= Limits.callBody, all <= Limits.fanOutBytes, isRoom else {
            let facts =
                length > Limits.callBody
                ? [Fact("bytes", length), Fact("at most", Limits.callBody)]
                : [
                    Fact("bytes of all answers", all),
                    Fact("at most", isRoom ? Limits.fanOutBytes : room.most),
                ]
            giveUp(parts[part].call)
            return end(part, .refused([Refusal(.bodyTooLarge, facts)], begun: parts[part].head?.status))
        }
        kept = all
        room.take(chunk.readableBytes)
        parts[part].body.writeBuffer(&chunk)
    }

    func end(_ part: Int) {
        guard let (status, type) = parts[part].head else {
            let refusal = Refusal(.resourceMisbehaved, [Fact("status", "none")])
            return end(part, .refused([refusal], begun: nil))
        }
        end(part, .answered(status: status, Self.content(parts[part].body, type)))
    }

    func answer(
        _ part: Int, status: Int, headers: [HeaderField], body: ByteBuffer, correlation: CorrelationID?
    ) {
        head(part, status: status, headers: headers, correlation: correlation)
        self.body(part, body)
        end(part)
    }

    func refuse(_ part: Int, _ refusals: [Refusal], correlation: CorrelationID?) {
        if let correlation { parts[part].correlation = correlation }
        end(part, .refused(refusals, begun: parts[part].head?.status))
    }

    private func end(_ part: Int, _ outcome: FanOutPart.Outcome) {
        guard parts[part].outcome == nil else { return }
        if case .refused = outcome {
            kept -= parts[part].body.readableBytes
            room.give(back: parts[part].body.readableBytes)
        }
        parts[part].outcome = outcome
        parts[part].body = ByteBuffer()
        waiting -= 1
        guard waiting == 0 else { return }
        finish(
            parts.compactMap { part in
                part.outcome.map {
                    FanOutPart(
                        node: part.node, name: part.name, correlation: part.correlation, outcome: $0)
                }
            })
    }

    /// What an answer's body is. A provider that says that it sends JSON is not believed: what is no JSON
    /// would stand in the array as if other providers had said it.
    static func content(_ body: ByteBuffer, _ type: String?) -> FanOutPart.Content {
        guard body.readableBytes > 0 else { return .none }
        let bytes = Array(body.readableBytesView)
        let essence = type?.split(separator: ";").first.map { $0.lowercased() } ?? ""
        let isJSON = essence == "application/json" || essence.hasSuffix("+json")
        if isJSON, isRead(bytes) { return .json(body) }
        if let text = String(validating: bytes, as: UTF8.self) { return .text(text, type: type) }
        return .bytes(body, type: type)
    }

    private static func isRead(_ bytes: [UInt8]) -> Bool {
        do throws(ForeignJSONError) {
            _ = try ForeignJSON(bytes)
            return true
        } catch {
            // What is wrong with it is its reader's to find: it has the text.
            return false
        }
    }
}

/// The way back to who asked: an application, or what gathers the answers of all providers for one.
enum AnswerWay {
    case application(GatewayReply)
    case fanOut(FanOut, part: Int)
    case tool(ToolAnswer)
    case circuit(CircuitDial)

    /// The gateway's name for the request, of which this call alone is the answer.
    var request: GatewayRequestID? {
        switch self {
        case .application(let reply): reply.id
        case .tool(let answer): answer.reply.id
        case .fanOut, .circuit: nil
        }
    }

    /// Reads no more of a continued body until `resume`. What goes to many is here whole.
    func hold() {
        switch self {
        case .application(let reply): reply.holdBody()
        case .circuit(let dial): dial.hold()
        case .fanOut, .tool: break
        }
    }

    func resume() {
        switch self {
        case .application(let reply): reply.resumeBody()
        case .circuit(let dial): dial.resume()
        case .fanOut, .tool: break
        }
    }

    func head(status: Int, headers: [HeaderField], correlation: CorrelationID?) {
        switch self {
        case .application(let reply): reply.head(status: status, headers: headers, correlation: correlation)
        case .fanOut(let all, let part):
            all.head(part, status: status, headers: headers, correlation: correlation)
        case .tool(let answer): answer.head(status: status, correlation: correlation)
        case .circuit(let dial): dial.head(status: status)
        }
    }

    func body(_ chunk: ByteBuffer) {
        switch self {
        case .application(let reply): reply.body(chunk)
        case .fanOut(let all, let part): all.body(part, chunk)
        case .tool(let answer): answer.body(chunk)
        case .circuit(let dial): dial.body(chunk)
        }
    }

    func end(trailers: [HeaderField]) {
        switch self {
        case .application(let reply): reply.end(trailers: trailers)
        case .fanOut(let all, let part): all.end(part)
        case .tool(let answer): answer.end()
        case .circuit(let dial): dial.end()
        }
    }

    func answer(status: Int, headers: [HeaderField], body: ByteBuffer, correlation: CorrelationID?) {
        switch self {
        case .application(let reply):
            reply.answer(status: status, headers: headers, body: body, correlation: correlation)
        case .fanOut(let all, let part):
            all.answer(part, status: status, headers: headers, body: body, correlation: correlation)
        case .tool(let answer):
            answer.head(status: status, correlation: correlation)
            answer.body(body)
            answer.end()
        case .circuit(let dial): dial.end()
        }
    }

    func refuse(_ refusals: [Refusal], correlation: CorrelationID?) {
        switch self {
        case .application(let reply): reply.refuse(refusals, correlation: correlation)
        case .fanOut(let all, let part): all.refuse(part, refusals, correlation: correlation)
        case .tool(let answer): answer.refuse(refusals, correlation: correlation)
        case .circuit(let dial): dial.end()
        }
    }
}
