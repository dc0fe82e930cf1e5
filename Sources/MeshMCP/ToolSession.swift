import MeshBase
import MeshRouting
import MeshWire

/// One session with an MCP server (Model Context Protocol 2025-06-18, "Lifecycle"), whatever carries it:
/// which requests are under way, which call each answer belongs to, and when the session begins and is over.
///
///     idle --order--> opening --its result--> confirming --it was taken--> open
///     opening, confirming --refused, failed, unreadable--> idle          everyone who waits is told
///     open --the server knows the session no more--> opening        what it turned away is asked again, once
///     any --the channel closed--> idle                                   everyone is told
///
/// Orders wait until the session is open, and are under way from then on, each by a number that is used once;
/// a list of tools is asked for page by page under one number after the other. An answer to a number that is
/// not under way is ignored. What the server asks is answered: `ping` with nothing, all else as unknown, and
/// beyond `questionsMax` between two settled orders not at all.
///
/// Bounds: `ordersMax` orders, `toolsMax` tools of a list in at most `pagesMax` pages and `listMax` bytes.
/// Time is its caller's: it withdraws an order whose time is over, and reports `failed` for an opening that
/// takes too long. Each order is settled exactly once, unless it was withdrawn.
public struct ToolSession: Sendable, Equatable {
    /// Names one order; never reused with one session.
    public typealias OrderID = UInt64

    /// What is asked of the server.
    public enum Order: Sendable, Equatable {
        /// Which tools it has.
        case list
        /// To call this one; the arguments are a JSON object.
        case call(name: String, arguments: [UInt8])
    }

    /// What became of an order.
    public enum Outcome: Sendable, Equatable {
        /// The result of a call, a JSON object.
        case result([UInt8])
        /// The tools that can be called through the mesh, each as the server describes it.
        case tools([Tool])
        /// The server's error, a JSON object with this code.
        case refused(code: Int64, [UInt8])
        /// No answer of the server's.
        case failed(ToolFailure, PossibleEffect)
    }

    /// One tool, as the server describes it.
    public struct Tool: Sendable, Equatable {
        /// Where it is called (`ToolCall.path`).
        public let path: String
        /// A JSON object.
        public let json: [UInt8]
    }

    /// What is to be done.
    public enum Effect: Equatable, Sendable {
        /// Send this request; its answer comes as `received`. `order` is nil for the one that opens the
        /// session, which goes without the name of any.
        case send(number: Int64, order: OrderID?, [UInt8])
        /// Send this notification that confirms the session, and say when it was taken.
        case confirm(number: Int64, [UInt8])
        /// Send this, and wait for nothing.
        case tell([UInt8])
        /// Nobody waits for this request's answer any more.
        case drop(number: Int64)
        /// The order is over.
        case settle(OrderID, Outcome)
    }

    /// What happened.
    public enum Input: Sendable {
        case ordered(OrderID, Order)
        /// Whoever ordered waits no more.
        case withdrawn(OrderID)
        /// A message of the server.
        case received(RPCMessage)
        /// What confirmed the session was taken.
        case confirmed(number: Int64)
        /// There will be no answer to this request, or the confirmation was not taken.
        case failed(number: Int64, ToolFailure, PossibleEffect)
        /// The server knows no session by the name under which this was sent, and did nothing.
        case forgotten(number: Int64)
        /// Nothing more can be sent or come.
        case closed(ToolFailure)
    }

    private enum Phase: Equatable {
        case idle
        case opening(number: Int64)
        case confirming(number: Int64)
        case open
    }

    private struct Work: Equatable {
        let id: OrderID
        let order: Order
        var list = ToolList()
        /// In which session it was sent.
        var session = 0
        /// Whether a server turned it away before.
        var isRepeated = false
    }

    /// Orders that wait or are under way.
    public static let ordersMax = 256
    /// Questions of the server that are answered before it settles another order.
    public static let questionsMax = 16

    private let program: String
    private var phase = Phase.idle
    private var waiting: [Work] = []
    private var underWay = OrderedTable<Int64, Work>()
    private var lastNumber: Int64 = 0
    /// Counts those that were opened.
    private var sessions = 0
    private var questions = 0
    /// What the server speaks; nil while no session is open.
    public private(set) var version: String?

    /// - Parameter program: this program's version, which the server is told.
    public init(program: String) { self.program = program }

    /// Whether nobody waits for anything.
    public var isAtRest: Bool { waiting.isEmpty && underWay.count == 0 }

    /// Takes what happened; answers with what is to be done, in order.
    public mutating func handle(_ input: Input) -> [Effect] {
        switch input {
        case .ordered(let id, let order): take(Work(id: id, order: order))
        case .withdrawn(let id): withdraw(id)
        case .received(let message): receive(message)
        case .confirmed(let number): confirmed(number)
        case .failed(let number, let failure, let effect): fail(number, failure, effect)
        case .forgotten(let number): forget(number)
        case .closed(let failure): close(failure)
        }
    }

    // MARK: Orders

    private mutating func take(_ work: Work) -> [Effect] {
        guard waiting.count + underWay.count < Self.ordersMax else {
            return [.settle(work.id, .failed(.crowded, .none))]
        }
        if phase == .open { return [begin(work)] }
        waiting.append(work)
        return phase == .idle ? [open()] : []
    }

    private mutating func begin(_ work: Work) -> Effect {
        var work = work
        work.session = sessions
        let number = next()
        underWay[number] = work
        let (method, params): (String, [UInt8]) =
            switch work.order {
            case .list: ("tools/list", work.list.nextPage)
            case .call(let name, let arguments):
                (
                    "tools/call",
                    Array(#"{"name":\#(JSONLine.quoted(name)),"arguments":"#.utf8)
                        + JSONLine.onOneLine(arguments)
                        + Array("}".utf8)
                )
            }
        return .send(number: number, order: work.id, request(number, method, params))
    }

    private mutating func withdraw(_ id: OrderID) -> [Effect] {
        waiting.removeAll { $0.id == id }
        guard let number = underWay.keys.first(where: { underWay[$0]?.id == id }) else { return [] }
        underWay[number] = nil
        let params = Array(#"{"requestId":\#(number)}"#.utf8)
        return [.drop(number: number), .tell(notification("notifications/cancelled", params))]
    }

    // MARK: The session

    private mutating func open() -> Effect {
        let number = next()
        phase = .opening(number: number)
        version = nil
        let params =
            #"{"protocolVersion":"\#(MCPVersion.latest)","capabilities":{},"#
            + #""clientInfo":{"name":"comity","version":\#(JSONLine.quoted(program))}}"#
        return .send(number: number, order: nil, request(number, "initialize", Array(params.utf8)))
    }

    private mutating func opened(_ result: [UInt8]) -> [Effect] {
        guard case .text(let spoken)? = JSONPart.member("protocolVersion", of: result),
            MCPVersion.spoken.contains(spoken)
        else {
            return abandon(.misbehaved("it speaks no revision of MCP that is spoken here"), .none)
        }
        version = spoken
        sessions += 1
        let number = next()
        phase = .confirming(number: number)
        return [.confirm(number: number, notification("notifications/initialized", nil))]
    }

    private mutating func confirmed(_ number: Int64) -> [Effect] {
        guard phase == .confirming(number: number) else { return [] }
        phase = .open
        let ready = waiting
        waiting = []
        return ready.map { begin($0) }
    }

    /// The session did not come about, or is over: whoever waits for it is told.
    private mutating func abandon(_ failure: ToolFailure, _ effect: PossibleEffect) -> [Effect] {
        phase = .idle
        version = nil
        let told = waiting.map { Effect.settle($0.id, .failed(failure, effect)) }
        waiting = []
        return told
    }

    private mutating func forget(_ number: Int64) -> [Effect] {
        if isOpening(number) { return abandon(.misbehaved("it forgot a session that it was opening"), .none) }
        guard var work = underWay[number] else { return [] }
        underWay[number] = nil
        guard !work.isRepeated else {
            return [.settle(work.id, .failed(.misbehaved("it forgets each session at once"), .none))]
        }
        work.isRepeated = true
        work.list = ToolList()
        if phase == .open, work.session == sessions { phase = .idle }
        return take(work)
    }

    private mutating func close(_ failure: ToolFailure) -> [Effect] {
        let lost = underWay.keys.compactMap { number in
            underWay[number].map { Effect.settle($0.id, .failed(failure, .possible)) }
        }
        underWay = OrderedTable()
        return lost + abandon(failure, .none)
    }

    private mutating func fail(_ number: Int64, _ failure: ToolFailure, _ effect: PossibleEffect) -> [Effect]
    {
        if isOpening(number) { return abandon(failure, .none) }
        guard let work = underWay[number] else { return [] }
        return settle(number, work, .failed(failure, effect))
    }

    private func isOpening(_ number: Int64) -> Bool {
        phase == .opening(number: number) || phase == .confirming(number: number)
    }

    // MARK: What the server says

    private mutating func receive(_ message: RPCMessage) -> [Effect] {
        switch message {
        case .notification: return []
        case .request(let id, let method, _):
            questions += 1
            guard questions <= Self.questionsMax else { return [] }
            guard method == "ping" else {
                return [.tell(ToolDoor.error(id, RPCCode.methodUnknown, "this client has no such method"))]
            }
            return [.tell(JSONLine.message([("id", id.json), ("result", Array("{}".utf8))]))]
        case .result(let id, let json):
            guard let number = id.number else { return [] }
            if phase == .opening(number: number) { return opened(json) }
            guard let work = underWay[number] else { return [] }
            switch work.order {
            case .call: return settle(number, work, .result(json))
            case .list: return page(number, work, json)
            }
        case .error(let id, let code, let json):
            guard let number = id.number else { return [] }
            if phase == .opening(number: number) {
                return abandon(.misbehaved("it refused to begin a session (\(code))"), .none)
            }
            guard let work = underWay[number] else { return [] }
            return settle(number, work, .refused(code: code, json))
        }
    }

    private mutating func page(_ number: Int64, _ work: Work, _ json: [UInt8]) -> [Effect] {
        var work = work
        switch work.list.take(json) {
        case .failed(let why): return settle(number, work, .failed(.misbehaved(why), .none))
        case .complete: return settle(number, work, .tools(work.list.tools))
        case .more:
            underWay[number] = nil
            return [begin(work)]
        }
    }

    private mutating func settle(_ number: Int64, _ work: Work, _ outcome: Outcome) -> [Effect] {
        underWay[number] = nil
        questions = 0
        return [.settle(work.id, outcome)]
    }

    // MARK: What is said

    private mutating func next() -> Int64 {
        lastNumber += 1
        return lastNumber
    }

    private func request(_ number: Int64, _ method: String, _ params: [UInt8]) -> [UInt8] {
        JSONLine.message([
            ("id", Array("\(number)".utf8)), ("method", Array("\"\(method)\"".utf8)), ("params", params),
        ])
    }

    private func notification(_ method: String, _ params: [UInt8]?) -> [UInt8] {
        JSONLine.message(
            [("method", Array("\"\(method)\"".utf8))] + (params.map { [("params", $0)] } ?? []))
    }
}

/// Why a server gave no answer.
public enum ToolFailure: Error, Sendable, Equatable {
    /// It cannot be reached; the text says why.
    case unreachable(String)
    /// What carried the request ended before the answer; the text says how.
    case lost(String)
    /// What came is no answer; the text says what.
    case misbehaved(String)
    /// More is asked of it at once than there is room for: `ToolSession.ordersMax`, or what may be kept.
    case crowded
}
