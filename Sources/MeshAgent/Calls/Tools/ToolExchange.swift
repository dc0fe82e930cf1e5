import MeshBase
import MeshGateway
import MeshMCP
import MeshRouting
import NIOCore

/// One message to an MCP server over HTTP, and what comes back: one message as JSON, or a stream of events,
/// one of which is the answer. Confined to one event loop.
///
///     waiting --JSON--> gathering --its end--> over
///     waiting --events--> reading --its end, the answer and a while--> over
///     waiting, gathering, reading --no answer, too much, no message--> over
///
/// A message has at most `messageMax` bytes, what comes in answer to one at most `streamMax`.
final class ToolExchange: ResourceObserver {
    /// What the message is.
    enum Purpose {
        /// The request that opens the session.
        case opening(Int64)
        /// The notification that confirms it.
        case confirmation(Int64)
        /// A request that belongs to an order.
        case order(Int64, ToolSession.OrderID)
    }

    private enum Form {
        case none
        case message
        case events(EventStreamReader)
    }

    /// Bytes of one message of a server: no answer to a call may be longer.
    static let messageMax = Limits.callBody
    /// Bytes of all that comes with an answer.
    static let streamMax = 8 * Limits.callBody
    /// How long a stream of events may stay open once the answer is here.
    private static let farewell = TimeAmount.seconds(1)

    /// Nil: nobody waits for what comes back.
    private let purpose: Purpose?
    private let hasSession: Bool
    /// What the call that it is for may keep; nil: it is for none.
    private let share: ToolShare?
    /// Let go once nothing is to be told any more.
    private var server: HTTPToolServer?
    private let loop: any EventLoop
    private var exchange: ResourceExchange?
    private var form = Form.none
    private var gathered: [UInt8] = []
    private var length = 0

    init(
        _ purpose: Purpose?, hasSession: Bool, within share: ToolShare?, of server: HTTPToolServer,
        on loop: any EventLoop
    ) {
        self.purpose = purpose
        self.hasSession = hasSession
        self.share = share
        self.server = server
        self.loop = loop
    }

    /// By which the session knows it.
    var number: Int64? {
        switch purpose {
        case .opening(let number), .confirmation(let number), .order(let number, _): number
        case nil: nil
        }
    }

    /// Whose it is.
    var order: ToolSession.OrderID? { if case .order(_, let id)? = purpose { id } else { nil } }

    func start(_ exchange: ResourceExchange) { self.exchange = exchange }

    /// Nobody waits for it.
    func cancel() {
        leave()
        exchange?.cancel()
    }

    /// Its answer was told. A server that keeps the stream open holds a connection.
    func isSettled() {
        leave()
        guard case .events = form else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        loop.scheduleTask(in: Self.farewell) { bound.value.exchange?.cancel() }
    }

    // MARK: What comes back

    func bodyWanted() {}

    func answerBegan(status: Int, headers: [HeaderField]) {
        guard let server, let number else { return }
        func value(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        if status == 404, hasSession { return finish(.forgotten(number: number)) }
        if case .confirmation = purpose {
            guard (200...299).contains(status) else { return fail("it confirms by status \(status)") }
            return finish(.confirmed(number: number), isOver: false)
        }
        guard status == 200 else { return fail("status \(status) in answer to a request") }
        if case .opening = purpose, !server.begins(as: value("mcp-session-id")) {
            return fail("the name of the session is none")
        }
        switch value("content-type")?.split(separator: ";").first.map({ $0.lowercased() }) {
        case "application/json": form = .message
        case "text/event-stream": form = .events(EventStreamReader(eventMax: Self.messageMax))
        case let other: fail("content of the type \(String((other ?? "none").prefix(64)))")
        }
    }

    func answerBody(_ chunk: ByteBuffer) {
        guard server != nil else { return }
        length += chunk.readableBytes
        switch form {
        case .none: break
        case .message:
            guard length <= Self.messageMax else {
                return fail("a message of more than \(Self.messageMax) bytes")
            }
            guard holds(length) else { return crowded() }
            gathered += chunk.readableBytesView
        case .events(var reader):
            form = .none
            guard length <= Self.streamMax, let events = reader.take(chunk.readableBytesView) else {
                return fail("an event of more than \(Self.messageMax) bytes, or events of \(Self.streamMax)")
            }
            guard holds(reader.length) else { return crowded() }
            form = .events(reader)
            for event in events where !event.isEmpty { read(event) }
        }
    }

    func answerEnded(trailers: [HeaderField]) {
        if case .message = form { read(gathered) }
        guard server != nil, number != nil else { return leave() }
        fail("the end of what came, without an answer")
    }

    func answerFailed(_ failure: MeshGateway.ResourceFailure) {
        guard let number else { return leave() }
        let told: ToolFailure =
            switch failure {
            case .unreachable, .exhausted: .unreachable("\(failure)")
            case .timedOut, .lost: .lost("\(failure)")
            case .requestInvalid, .misbehaved: .misbehaved("\(failure)")
            }
        finish(.failed(number: number, told, failure.effect), isOver: false)
    }

    private func read(_ bytes: [UInt8]) {
        guard let server else { return }
        do throws(RPCFlaw) {
            server.take(.received(try RPCMessage(bytes)))
        } catch {
            fail("a message that is none (\(error))")
        }
    }

    private func holds(_ bytes: Int) -> Bool { share?.holds(answer: bytes) ?? true }

    private func crowded() {
        guard let number else { return cancel() }
        finish(.failed(number: number, .crowded, .possible))
    }

    private func fail(_ what: String) {
        guard let number else { return cancel() }
        finish(.failed(number: number, .misbehaved(what), .possible))
    }

    /// Tells the last thing.
    private func finish(_ input: ToolSession.Input, isOver: Bool = true) {
        let told = server
        leave()
        if isOver { exchange?.cancel() }
        told?.take(input)
    }

    private func leave() {
        server?.forget(self)
        server = nil
    }
}
