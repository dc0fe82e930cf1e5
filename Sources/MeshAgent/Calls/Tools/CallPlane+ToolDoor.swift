import MeshBase
import MeshControl
import MeshGateway
import MeshMCP
import MeshNode
import MeshRouting
import NIOCore

/// A request of a local MCP client, and what of its message has come.
struct ToolMessage {
    let request: GatewayRequest
    let reply: GatewayReply
    let method: String
    let target: CallTarget
    let resource: ResourceName
    let principal: Principal
    var bytes: ByteBuffer

    init(
        _ request: GatewayRequest, _ reply: GatewayReply, _ method: String, _ target: CallTarget,
        _ resource: ResourceName, _ principal: Principal
    ) {
        self.request = request
        self.reply = reply
        self.method = method
        self.target = target
        self.resource = resource
        self.principal = principal
        bytes = request.body
    }

    fileprivate func header(_ name: String) -> String? { request.headers.first { $0.name == name }?.value }
}

/// MCP clients on this machine, for whom `/mesh/PEER/RESOURCE` is an MCP server (decision 0036).
extension CallPlane {
    /// Whether a request to the place of a resource itself is an MCP client's, to a resource that has tools.
    /// MCP has its clients accept both an answer and a stream of events; a resource of HTTP may be asked so
    /// as well.
    func isForTools(_ request: GatewayRequest, _ target: CallTarget, _ resource: ResourceName) -> Bool {
        let says = request.headers.contains { field in
            field.name == "mcp-session-id" || field.name == "mcp-protocol-version"
                || field.name == "accept" && field.value.contains("text/event-stream")
        }
        guard says, request.peer != GatewayRequest.everyProvider else { return false }
        let now = SystemClock.now().wall
        return desk.withLock { $0.resourceProtocol(of: resource, at: target, at: now) } == .mcp
    }

    /// Answers what can be answered by its head; else by its body, once that is here.
    func takeMessage(_ message: ToolMessage) {
        let head = ToolDoor.Head(
            method: message.method, session: message.header("mcp-session-id"),
            version: message.header("mcp-protocol-version"))
        if let step = ToolDoor.step(on: head) { return perform(step, for: message) }
        switch message.request.delivery {
        case .whole: read(message)
        case .continued:
            tables.value.toolMessages[message.request.id] = message
            message.reply.resumeBody()
        }
    }

    /// More of a message has come.
    func messageGrew(_ id: GatewayRequestID, by chunk: ByteBuffer) {
        guard var message = tables.value.toolMessages.removeValue(forKey: id) else { return }
        let length = message.bytes.readableBytes + chunk.readableBytes
        guard length <= Limits.callBody else {
            let facts = [Fact("bytes", length), Fact("at most", Limits.callBody)]
            return message.reply.refuse([Refusal(.bodyTooLarge, facts)], correlation: nil)
        }
        message.bytes.writeImmutableBuffer(chunk)
        tables.value.toolMessages[id] = message
    }

    /// A message is here.
    func messageEnded(_ id: GatewayRequestID) {
        tables.value.toolMessages.removeValue(forKey: id).map(read)
    }

    private func read(_ message: ToolMessage) {
        let server = "\(message.request.peer)/\(message.resource)"
        perform(
            ToolDoor.step(
                on: Array(message.bytes.readableBytesView), server: server, version: ProgramVersion.text),
            for: message)
    }

    private func perform(_ step: ToolDoor.Step, for message: ToolMessage) {
        switch step {
        case .answer(let status, let body):
            var headers = body.isEmpty ? [] : [HeaderField("content-type", "application/json")]
            if status == 405 { headers.append(HeaderField("allow", "POST")) }
            message.reply.answer(
                status: status, headers: headers, body: ByteBuffer(bytes: body), correlation: nil)
        case .list(let id): call(ToolCall.listing, ToolCall.listingPath, [], answering: id, for: message)
        case .call(let id, let path, let arguments):
            call(ToolCall.method, path, arguments, answering: id, for: message)
        }
    }

    private func call(
        _ method: String, _ path: String, _ body: [UInt8], answering id: RPCID, for message: ToolMessage
    ) {
        let number = nextRequest()
        let share = ToolShare(of: tables.value.toolRoom, for: nil)
        let answer = ToolAnswer(
            message.reply, to: id, isCall: method == ToolCall.method, within: share,
            givingUpBy: { [unowned self] in loop.execute { self.withdraw(number) } })
        // What its client says of itself is for this gateway: the server's client is the other agent.
        let request = message.request.with(
            body: ByteBuffer(bytes: body), headers: [HeaderField("content-type", "application/json")])
        take(
            request, .tool(answer), number, message.target, message.resource,
            .mesh(method: method, path: path, query: nil), as: message.principal, request.requestBody)
    }
}
