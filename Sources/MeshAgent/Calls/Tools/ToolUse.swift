import MeshBase
import MeshGateway
import MeshMCP
import MeshNode
import MeshRouting
import MeshWire
import NIOCore

/// One use of an MCP server of this node: a tool is called, or the tools are asked for. What the caller may
/// not call is left out of the list here, where it is known who calls. Confined to the plane's event loop.
final class ToolUse: ServiceUse, BodyTaker, BodySource {
    private let id: ServiceID
    private let resource: LocalResource
    private let invocation: Invocation
    private let caller: NodeID?
    private unowned let plane: CallPlane
    private let feed: RequestFeed
    private let sink: any AnswerSink
    private lazy var pipe = AnswerPipe(from: self, to: sink) { [plane, id] in plane.moved(id) }
    private let server: any ToolServer
    private let share: ToolShare
    private var arguments = ByteBuffer()
    private var order: ToolSession.OrderID?
    /// What of the answer has not passed; nil while there is none, or nothing is left of it.
    private var rest: ByteBuffer?
    private var isPaused = false

    init(
        _ id: ServiceID, of resource: LocalResource, _ invocation: Invocation, by caller: NodeID?,
        _ feed: RequestFeed, answeringTo sink: any AnswerSink, at server: any ToolServer,
        within share: ToolShare,
        on plane: CallPlane
    ) {
        self.id = id
        self.resource = resource
        self.invocation = invocation
        self.caller = caller
        self.feed = feed
        self.sink = sink
        self.server = server
        self.share = share
        self.plane = plane
    }

    /// Asks the server, once what it is to be asked is here.
    func start() {
        if invocation.method == ToolCall.listing { return ask(.list) }
        guard invocation.method == ToolCall.method, ToolCall.name(at: invocation.path) != nil else {
            return answer(ToolAnswerStatus.noTool, ToolDoor.badRequest("no tool has this path"))
        }
        guard !feed.attach(self) else { return }
        fail(.lost("the request's body is not here any more"), .none)
    }

    func stop() {
        feed.detach()
        pipe.abandon()
        if let order { server.withdraw(order) }
        (order, rest) = (nil, nil)
    }

    // MARK: The arguments

    func take(_ piece: ByteBuffer) -> Bool {
        let length = arguments.readableBytes + piece.readableBytes
        guard length <= Limits.callBody else {
            feed.detach()
            let text = "arguments of more than \(Limits.callBody) bytes"
            answer(ToolAnswerStatus.refused, ToolDoor.badRequest(text))
            return false
        }
        guard share.holds(arguments: length) else {
            fail(.crowded, .none)
            return false
        }
        arguments.writeImmutableBuffer(piece)
        return true
    }

    func end(trailers: [HeaderField]) {
        guard let name = ToolCall.name(at: invocation.path) else { return }
        let json = arguments.readableBytes == 0 ? Array("{}".utf8) : Array(arguments.readableBytesView)
        arguments = ByteBuffer()
        do throws(ForeignJSONError) {
            _ = try ForeignJSON.members(of: json)
        } catch {
            let text = "the arguments are no object: \(error)"
            return answer(ToolAnswerStatus.refused, ToolDoor.badRequest(text))
        }
        ask(.call(name: name, arguments: json))
    }

    // MARK: The answer

    func hold() { isPaused = true }

    func resume() {
        isPaused = false
        flow()
    }

    private func ask(_ what: ToolSession.Order) {
        let own = invocation.headers.filter { FieldRules.isReserved($0.name) || $0.name == "traceparent" }
        order = server.order(what, of: own, within: share) { [weak self] outcome in self?.settle(outcome) }
    }

    private func settle(_ outcome: ToolSession.Outcome) {
        order = nil
        switch outcome {
        case .result(let json): answer(ToolAnswerStatus.result, json)
        case .tools(let tools): answer(ToolAnswerStatus.result, page(tools))
        case .refused(let code, let json):
            answer(ToolDoor.isServersFault(code) ? ToolAnswerStatus.failed : ToolAnswerStatus.refused, json)
        case .failed(let failure, let effect): fail(failure, effect)
        }
    }

    /// The tools that the caller may call.
    private func page(_ tools: [ToolSession.Tool]) -> [UInt8] {
        let paths = tools.map(\.path)
        let callable = plane.desk.withLock {
            $0.callable(paths, of: resource, for: invocation, by: caller, at: SystemClock.now())
        }
        let shown = zip(tools, callable).filter(\.1).map(\.0.json)
        return Array(#"{"tools":["#.utf8) + Array(shown.joined(separator: ",".utf8)) + Array("]}".utf8)
    }

    private func answer(_ status: Int, _ body: [UInt8]) {
        guard share.holds(answer: body.count) else { return fail(.crowded, .possible) }
        plane.begin(pipe, for: id)
        let headers = [
            HeaderField("content-type", "application/json"), HeaderField("content-length", "\(body.count)"),
        ]
        plane.submit(.resourceAnswered(id, status: UInt16(status), headers: headers))
        rest = ByteBuffer(bytes: body)
        flow()
    }

    /// Lets the answer pass for as long as whoever reads it keeps up.
    private func flow() {
        while !isPaused, let length = rest?.readableBytes,
            let piece = rest?.readSlice(length: min(length, Self.piece))
        {
            if rest?.readableBytes == 0 { rest = nil }
            pipe.take(piece)
            if rest == nil { return close() }
        }
    }

    private func close() {
        if let partial = feed.partial { plane.bodyEnded(id, partial) }
        feed.detach()
        plane.submit(.resourceEnded(id, pipe.summary, kept: pipe.keptBody))
    }

    /// Bytes of an answer that pass at once.
    private static let piece = 64 * 1024

    private func fail(_ failure: ToolFailure, _ effect: PossibleEffect) {
        feed.detach()
        pipe.abandon()
        // For this node's operator: where a resource is is nobody else's to know.
        plane.note("an MCP server gave no answer", failure, ["resource": "\(resource.name)"])
        plane.submit(.resourceFailed(id, failure.kind, effect))
    }
}

extension ToolFailure {
    /// What the desk is told.
    fileprivate var kind: MeshNode.ResourceFailure {
        switch self {
        case .unreachable, .crowded: .unreachable
        case .lost: .connectionLost
        case .misbehaved: .misbehaved
        }
    }
}

extension CallPlane {
    /// Tells the MCP servers that the sessions with them are over, and waits for those that this agent runs
    /// to be gone: no longer than it takes to kill them.
    func endToolSessions() async {
        await withCheckedContinuation { (ended: CheckedContinuation<Void, Never>) in
            loop.execute {
                self.tables.value.toolServers.endAll()
                self.waitForPrograms(until: .now() + ServerProcess.farewell + .seconds(1), ended)
            }
        }
    }

    private func waitForPrograms(
        until deadline: NIODeadline, _ ended: CheckedContinuation<Void, Never>
    ) {
        guard tables.value.toolPrograms.running > 0, .now() < deadline else { return ended.resume() }
        loop.scheduleTask(in: .milliseconds(10)) { self.waitForPrograms(until: deadline, ended) }
    }

    /// Has a tool used, for whoever calls.
    func useTool(
        _ id: ServiceID, _ resource: LocalResource, _ invocation: Invocation, of caller: NodeID?,
        _ feed: RequestFeed, answeringTo sink: any AnswerSink
    ) {
        guard let place = resource.url.flatMap({ ToolPlace($0) }) else {
            return later(.resourceFailed(id, .unreachable, .none))
        }
        let whose = ToolCaller(node: caller, principal: invocation.principal)
        let share = ToolShare(of: tables.value.toolRoom, for: caller)
        let found = tables.value.toolServers.server(at: place, for: whose) {
            switch place {
            case .http(let url): HTTPToolServer(url, for: caller, on: loop, through: resources)
            case .program(let name):
                ProgramToolServer(name, for: caller, among: tables.value.toolPrograms, on: loop)
            }
        }
        guard let server = found else {
            note("an MCP server gave no answer", ToolFailure.crowded, ["resource": "\(resource.name)"])
            return later(.resourceFailed(id, .unreachable, .none))
        }
        let use = ToolUse(
            id, of: resource, invocation, by: caller, feed, answeringTo: sink, at: server, within: share,
            on: self)
        tables.value.uses[id] = use
        use.start()
    }
}
