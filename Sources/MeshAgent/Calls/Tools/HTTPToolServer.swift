import MeshBase
import MeshGateway
import MeshMCP
import MeshRouting
import NIOCore

/// A session with an MCP server over streamable HTTP (Model Context Protocol 2025-06-18, "Transports"): each
/// message is a request of its own, answered by JSON or by a stream of events. What is sent when is the
/// machine's to say (`ToolSession`). Confined to one event loop.
final class HTTPToolServer: ToolServer {
    private struct Ordered {
        let fields: [HeaderField]
        let share: ToolShare
        let then: (ToolSession.Outcome) -> Void
    }

    /// Bytes of a session's name.
    private static let nameMax = 1_024

    private let url: ResourceURL
    private let caller: NodeID?
    private let loop: any EventLoop
    private let client: ResourceClient
    private let feed = ToolSessionFeed()
    private var orders: [ToolSession.OrderID: Ordered] = [:]
    private var exchanges: [Int64: ToolExchange] = [:]
    /// What the server calls the session (`Mcp-Session-Id`); nil: it does not.
    private var name: String?

    init(_ url: ResourceURL, for caller: NodeID?, on loop: any EventLoop, through client: ResourceClient) {
        self.url = url
        self.caller = caller
        self.loop = loop
        self.client = client
    }

    /// Whether nobody waits for anything.
    var isAtRest: Bool { feed.isAtRest }

    func order(
        _ order: ToolSession.Order, of fields: [HeaderField], within share: ToolShare,
        then: @escaping (ToolSession.Outcome) -> Void
    ) -> ToolSession.OrderID {
        let id = feed.nextOrder()
        orders[id] = Ordered(fields: fields, share: share, then: then)
        take(.ordered(id, order))
        return id
    }

    func withdraw(_ id: ToolSession.OrderID) {
        guard orders.removeValue(forKey: id) != nil else { return }
        take(.withdrawn(id))
        // Pages that came before may still hold their streams open.
        for exchange in exchanges.values where exchange.order == id { exchange.cancel() }
    }

    /// Tells the server that the session is over.
    func end() {
        guard name != nil else { return }
        post(nil, [], [], method: "DELETE", timeout: Limits.callDeadline)
        name = nil
    }

    // MARK: What happened

    /// Told of what happened, in its order.
    func take(_ input: ToolSession.Input) { feed.take(input) { perform($0) } }

    /// The server named the session that it begins; false for what is no name.
    func begins(as name: String?) -> Bool {
        guard let name else { return true }
        guard (1...Self.nameMax).contains(name.utf8.count),
            name.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return false }
        self.name = name
        return true
    }

    /// Nothing more is to be heard of a request.
    func forget(_ exchange: ToolExchange) {
        guard let number = exchange.number, exchanges[number] === exchange else { return }
        exchanges[number] = nil
    }

    // MARK: What is to be done

    private func perform(_ effect: ToolSession.Effect) {
        switch effect {
        case .send(let number, nil, let bytes):
            name = nil
            post(.opening(number), bytes, callerFields, timeout: Limits.callDeadline)
        case .send(let number, let order?, let bytes):
            post(.order(number, order), bytes, orders[order]?.fields ?? [], timeout: nil)
        case .confirm(let number, let bytes):
            post(.confirmation(number), bytes, callerFields, timeout: Limits.callDeadline)
        case .tell(let bytes): post(nil, bytes, callerFields, timeout: Limits.callDeadline)
        case .drop(let number): exchanges.removeValue(forKey: number)?.cancel()
        case .settle(let id, let outcome):
            for exchange in exchanges.values where exchange.order == id { exchange.isSettled() }
            orders.removeValue(forKey: id)?.then(outcome)
        }
    }

    /// What is the same for all calls of a session.
    private var callerFields: [HeaderField] {
        let names = ["comity-caller", "comity-caller-name", "comity-principal"]
        return orders.min { $0.key < $1.key }?.value.fields.filter { names.contains($0.name) } ?? []
    }

    private func post(
        _ purpose: ToolExchange.Purpose?, _ bytes: [UInt8], _ fields: [HeaderField], method: String = "POST",
        timeout: Duration?
    ) {
        var headers = [HeaderField("accept", "application/json, text/event-stream")]
        if !bytes.isEmpty { headers.append(HeaderField("content-type", "application/json")) }
        if let name { headers.append(HeaderField("mcp-session-id", name)) }
        if let version = feed.version { headers.append(HeaderField("mcp-protocol-version", version)) }
        let request = ResourceRequest(
            url: url, method: method, path: "/", query: nil, headers: headers, added: fields,
            body: .whole(ByteBuffer(bytes: bytes)), caller: caller, timeout: timeout)
        var share: ToolShare?
        if case .order(_, let order)? = purpose { share = orders[order]?.share }
        let exchange = ToolExchange(purpose, hasSession: name != nil, within: share, of: self, on: loop)
        if let number = exchange.number { exchanges[number] = exchange }
        exchange.start(client.perform(request, on: loop, observer: exchange))
    }
}
