import Foundation
import MeshBase
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small MCP server on loopback over streamable HTTP, which can misbehave in each way that its client must
/// survive.
///
///     add, echo, admin   answer by JSON: the arguments, as text
///     events             answers by a stream of events, with a question and a notification before the answer
///     slow               never answers
///     refuse             answers with an error
///     huge               answers with two mebibytes
///     line               answers with an event that never ends
///     wrong              answers a number that nobody asked by, and ends
///     garbage            answers with no JSON
final class ToolBackend: Sendable {
    /// One message as it came.
    struct Seen: Sendable {
        let method: String
        let session: String?
        let version: String?
        let caller: String?
        let arguments: String?
    }

    /// How it treats everybody.
    enum Manner: Sendable {
        case good
        /// Never answers the request that opens a session.
        case silent
        /// Says that it has so many tools.
        case tools(Int)
    }

    struct State {
        var seen: [Seen] = []
        var sessions: Set<String> = []
        var sessionsSeen = 0
        var manner = Manner.good
    }

    let state = Mutex(State())
    private let channel: any Channel

    static func start(in mesh: TestMesh) async throws -> ToolBackend {
        let bound = Slot<ToolBackend>()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandlers(WholeRequests(), Server(bound))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let backend = ToolBackend(channel)
        bound.value.withLock { $0 = backend }
        mesh.atEnd {
            bound.value.withLock { $0 = nil }
            channel.close(promise: nil)
        }
        return backend
    }

    private init(_ channel: any Channel) { self.channel = channel }

    var url: String { "mcp+http://127.0.0.1:\(channel.localAddress?.port ?? 0)/mcp" }
    var seen: [Seen] { state.withLock { $0.seen } }
    func behave(_ manner: Manner) { state.withLock { $0.manner = manner } }
    /// From now on it knows no session.
    func forget() { state.withLock { $0.sessions = [] } }

    /// What a connection is told once the server is there.
    final class Slot<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private final class Server: ChannelInboundHandler {
        typealias InboundIn = WholeRequest
        typealias OutboundOut = HTTPServerResponsePart

        private let backend: Slot<ToolBackend>
        private var body = ByteBuffer()

        init(_ backend: Slot<ToolBackend>) { self.backend = backend }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let request = unwrapInboundIn(data)
            body = request.body
            answer(request.head, context)
        }

        private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
            guard let backend = backend.value.withLock({ $0 }), head.method == .POST, head.uri == "/mcp",
                let read = try? JSONSerialization.jsonObject(with: Data(buffer: body)),
                let message = read as? [String: Any]
            else { return say(.methodNotAllowed, nil, "", context) }
            let (method, params) = (
                message["method"] as? String ?? "", message["params"] as? [String: Any] ?? [:]
            )
            let arguments = params["arguments"].flatMap {
                try? JSONSerialization.data(withJSONObject: $0, options: .sortedKeys)
            }
            let session = head.headers.first(name: "mcp-session-id")
            let seen = Seen(
                method: method, session: session, version: head.headers.first(name: "mcp-protocol-version"),
                caller: head.headers.first(name: "comity-caller-name"),
                arguments: arguments.map { String(decoding: $0, as: UTF8.self) })
            let (manner, isKnown) = backend.state.withLock { state in
                state.seen.append(seen)
                return (state.manner, session.map(state.sessions.contains) ?? false)
            }
            guard let id = message["id"] as? Int else {
                return say(isKnown ? .accepted : .notFound, nil, "", context)
            }
            guard method != "initialize" else { return begin(id, manner, backend, context) }
            guard isKnown else { return say(.notFound, nil, "no such session", context) }
            switch method {
            case "tools/list": list(id, params["cursor"] as? String, manner, context)
            default: call(id, params["name"] as? String ?? "", seen.arguments ?? "", context)
            }
        }

        private func begin(
            _ id: Int, _ manner: Manner, _ backend: ToolBackend, _ context: ChannelHandlerContext
        ) {
            if case .silent = manner { return }
            let name = backend.state.withLock { state in
                state.sessionsSeen += 1
                state.sessions.insert("session-\(state.sessionsSeen)")
                return "session-\(state.sessionsSeen)"
            }
            let result =
                #"{"protocolVersion":"2025-03-26","capabilities":{"tools":{}},"serverInfo":{"name":"t","version":"1"}}"#
            say(
                .ok, "application/json", #"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#, context,
                session: name)
        }

        private func list(_ id: Int, _ cursor: String?, _ manner: Manner, _ context: ChannelHandlerContext) {
            func page(_ names: [String]) -> String {
                names.map { #"{"name":"\#($0)","inputSchema":{"type":"object"}}"# }.joined(separator: ",")
            }
            var result = #"{"tools":[\#(page(["add", "admin", "no name"]))],"nextCursor":"2"}"#
            if cursor != nil { result = #"{"tools":[\#(page(["echo", "slow"]))]}"# }
            if case .tools(let count) = manner {
                result = #"{"tools":[\#(page((0..<count).map { "t\($0)" }))]}"#
            }
            say(.ok, "application/json", #"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#, context)
        }

        private func call(_ id: Int, _ name: String, _ arguments: String, _ context: ChannelHandlerContext) {
            let text = String(decoding: try! JSONEncoder().encode(arguments), as: UTF8.self)
            let answer =
                #"{"jsonrpc":"2.0","id":\#(id),"result":{"content":[{"type":"text","text":\#(text)}]}}"#
            let json = "application/json"
            switch name {
            case "events":
                let question = #"{"jsonrpc":"2.0","id":"q","method":"ping"}"#
                let news = #"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#
                let events = [question, news, answer].map { "event: message\r\ndata: \($0)\r\n\r\n" }.joined()
                say(.ok, "text/event-stream", events, context)
            case "slow": break
            case "refuse":
                say(
                    .ok, json, #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32602,"message":"not so"}}"#,
                    context)
            case "huge":
                say(.ok, json, answer + String(repeating: " ", count: 2 << 20), context)
            case "line":
                say(.ok, "text/event-stream", "data: " + String(repeating: "x", count: 2 << 20), context)
            case "wrong":
                say(.ok, json, #"{"jsonrpc":"2.0","id":\#(id + 1_000),"result":{"content":[]}}"#, context)
            case "garbage": say(.ok, json, "<html>", context)
            default: say(.ok, json, answer, context)
            }
        }

        private func say(
            _ status: HTTPResponseStatus, _ type: String?, _ text: String, _ context: ChannelHandlerContext,
            session: String? = nil
        ) {
            var headers = HTTPHeaders()
            if let type { headers.add(name: "content-type", value: type) }
            if let session { headers.add(name: "mcp-session-id", value: session) }
            headers.add(name: "content-length", value: "\(text.utf8.count)")
            context.write(
                wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}
