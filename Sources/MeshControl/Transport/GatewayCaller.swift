import AsyncHTTPClient
import FoundationEssentials
import Glibc
import MeshBase
import NIOCore
import NIOHTTP1
import NIOPosix

/// One federated call, made as any application makes it: through the gateway of one's own agent.
public struct GatewayCall: Equatable, Sendable {
    /// A peer's name or node ID; `any` lets the router pick, `*` asks all providers.
    public var peer: String
    /// The peer's resource.
    public var resource: ResourceName
    /// Nil: the only one.
    public var capability: ResourceName?
    /// JSON; empty: none.
    public var body: String
    /// Nil: the one of this user.
    public var principal: Principal?
    /// What it is for; nil: it is not said.
    public var purpose: Purpose?
    /// Nil: the usual one.
    public var deadline: Duration?
    /// Nil: none.
    public var idempotencyKey: String?
    /// By which calls keep their provider; nil: they need not.
    public var stickyKey: String?

    public init(
        peer: String, resource: ResourceName, capability: ResourceName? = nil, body: String = "",
        principal: Principal? = nil, deadline: Duration? = nil, idempotencyKey: String? = nil
    ) {
        self.peer = peer
        self.resource = resource
        self.capability = capability
        self.body = body
        self.principal = principal
        self.deadline = deadline
        self.idempotencyKey = idempotencyKey
    }

    /// Reads `PEER/RESOURCE[/CAPABILITY]`, or `RESOURCE` alone, which lets the router pick; nil for anything
    /// else.
    public init?(target: String) {
        let parts = target.split(separator: "/", omittingEmptySubsequences: false)
        switch parts.count {
        case 1:
            guard let resource = ResourceName(parts[0]) else { return nil }
            self.init(peer: "any", resource: resource)
        case 2...3:
            guard let peer = parts[0] == "*" ? "*" : NodeName(parts[0])?.description,
                let resource = ResourceName(parts[1])
            else { return nil }
            self.init(peer: peer, resource: resource)
            guard parts.count == 3 else { return }
            guard let capability = ResourceName(parts[2]) else { return nil }
            self.capability = capability
        default: return nil
        }
    }

    /// Whether it goes to all providers.
    public var isToAll: Bool { peer == "*" }

    /// Where the gateway takes it.
    var path: String {
        let capability = self.capability.map { "/\($0)" } ?? ""
        return "/invoke/\(peer)/\(resource)\(capability)"
    }
}

/// What came back from a call.
public struct GatewayAnswer: Equatable, Sendable {
    /// How it ended.
    public enum Outcome: Equatable, Sendable {
        /// The resource answered, with this HTTP status.
        case answered(status: Int)
        /// The mesh refused, with every reason.
        case refused([Refusal], next: String?)
        /// It went to all providers; what became of each. Empty: that cannot be read.
        case gathered([Part])
    }

    /// What became of one provider's part of a call to all of them.
    public struct Part: Equatable, Sendable, Decodable {
        /// What people call the provider.
        public let name: String
        /// Names the call to it; nil when there was none.
        public let correlation: String?
        /// The resource's status; nil when it did not begin to answer.
        public let status: Int?
        /// Why the mesh refused, if it did.
        public let refused: Refused?

        /// A refusal, as the gateway writes it.
        public struct Refused: Equatable, Sendable, Decodable {
            /// Every reason.
            public let reasons: [Refusal]
        }

        /// Whether the resource answered, and that it is well.
        var isWell: Bool { refused == nil && (200..<400).contains(status ?? 0) }
    }

    /// Names the call; nil when it never got that far.
    public var correlation: CorrelationID?
    /// How it ended.
    public var outcome: Outcome
    /// The resource's answer, or the refusal as the gateway wrote it.
    public var body: [UInt8]

    public init(correlation: CorrelationID?, outcome: Outcome, body: [UInt8]) {
        self.correlation = correlation
        self.outcome = outcome
        self.body = body
    }

    /// The exit code of `comity call` (the contract of the command line).
    public var exitCode: Int32 {
        switch outcome {
        case .answered(let status): (200..<400).contains(status) ? 0 : 1
        case .refused(let reasons, _): reasons.first?.code == .peerUnreachable ? 4 : 1
        case .gathered(let parts): !parts.isEmpty && parts.allSatisfy(\.isWell) ? 0 : 1
        }
    }
}

/// The gateway of the agent of one home.
public enum GatewayCaller {
    /// The refusal body of the gateway.
    private struct RefusedBody: Decodable {
        let reasons: [Refusal]
        let next: String?
    }

    /// Makes the call over the home's `gateway.sock`, or over `port` where there is no socket.
    /// - Throws: `agent-not-running` when neither answers.
    public static func call(
        _ call: GatewayCall, home: String, port: @Sendable () async throws(ControlFailure) -> Endpoint?
    ) async throws(ControlFailure) -> GatewayAnswer {
        let socket = ControlSocketPath.existing(home: home, name: "gateway.sock")
        if socket.utf8.count <= ControlSocketPath.longest, access(socket, F_OK) == 0 {
            return try await send(call, to: UnixHTTP.url(socket: socket, path: call.path), home: home)
        }
        guard let endpoint = try await port() else {
            throw ControlFailure(
                .refused, code: "gateway-off", message: "the agent of this home has no gateway",
                facts: [Fact("home", home)], next: "comity config show --home \(home)")
        }
        return try await send(call, to: "http://\(endpoint)\(call.path)", home: home)
    }

    private static func send(
        _ call: GatewayCall, to url: String, home: String
    ) async throws(ControlFailure) -> GatewayAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "content-type", value: "application/json")
        // A Unix socket has no authority, and HTTP/1.1 wants a Host all the same (RFC 9112 section 3.2).
        if !url.hasPrefix("http://") { request.headers.add(name: "host", value: "localhost") }
        if let principal = call.principal {
            request.headers.add(name: "comity-principal", value: principal.description)
        }
        if let purpose = call.purpose {
            request.headers.add(name: "comity-purpose", value: purpose.description)
        }
        if let deadline = call.deadline {
            request.headers.add(name: "comity-deadline", value: "\(deadline.wholeMilliseconds)ms")
        }
        if let key = call.idempotencyKey { request.headers.add(name: "idempotency-key", value: key) }
        if let key = call.stickyKey { request.headers.add(name: "comity-sticky", value: key) }
        request.body = .bytes(ByteBuffer(string: call.body))
        // The gateway ends every call by its deadline; this is only the patience with a gateway that hangs.
        let patience = TimeAmount((call.deadline ?? Limits.callDeadline) + .seconds(10))
        let http = UnixHTTP.client()
        do {
            let response = try await http.execute(request, timeout: patience)
            let body = try await response.body.collect(upTo: ControlLimits.answer)
            try await http.shutdown()
            return answer(status: Int(response.status.code), headers: response.headers.map { $0 }, body: body)
        } catch {
            try await close(http)
            throw failure(of: error, home: home)
        }
    }

    private static func failure(of error: any Error, home: String) -> ControlFailure {
        if let error = error as? IOError, error.errnoCode == ECONNREFUSED || error.errnoCode == ENOENT {
            return .agentNotRunning(home: home, found: "left by an agent that ended")
        }
        return ControlFailure(
            .fault, code: "agent-fault", message: "the gateway did not answer as it should",
            facts: [Fact("cause", String(describing: error))], next: "comity status")
    }

    private static func close(_ http: HTTPClient) async throws(ControlFailure) {
        do {
            try await http.shutdown()
        } catch let error as HTTPClientError where error == .alreadyShutdown {
            return
        } catch {
            throw ControlFailure(
                .fault, code: "agent-fault", message: "the connection to the gateway did not close",
                facts: [Fact("cause", String(describing: error))])
        }
    }

    private static func gathered(_ bytes: [UInt8], of body: ByteBuffer) -> GatewayAnswer {
        do throws(ControlFailure) {
            let parts = try ControlCoding.decode([GatewayAnswer.Part].self, from: body)
            return GatewayAnswer(correlation: nil, outcome: .gathered(parts), body: bytes)
        } catch {
            // By a newer agent: it is shown as it came, and is no success.
            return GatewayAnswer(correlation: nil, outcome: .gathered([]), body: bytes)
        }
    }

    static func answer(status: Int, headers: [(name: String, value: String)], body: ByteBuffer)
        -> GatewayAnswer
    {
        func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
        let correlation = header("comity-correlation-id").flatMap { CorrelationID($0) }
        let bytes = Array(body.readableBytesView)
        // No resource can set this header: the gateway removes what comes from outside under its prefix.
        guard let code = header("comity-refusal").flatMap({ RefusalCode(rawValue: $0) }) else {
            if header("comity-fan-out") != nil { return gathered(bytes, of: body) }
            return GatewayAnswer(correlation: correlation, outcome: .answered(status: status), body: bytes)
        }
        do throws(ControlFailure) {
            let refused = try ControlCoding.decode(RefusedBody.self, from: body)
            let outcome = GatewayAnswer.Outcome.refused(refused.reasons, next: refused.next)
            return GatewayAnswer(correlation: correlation, outcome: outcome, body: bytes)
        } catch {
            let outcome = GatewayAnswer.Outcome.refused([Refusal(code)], next: nil)
            return GatewayAnswer(correlation: correlation, outcome: outcome, body: bytes)
        }
    }
}
