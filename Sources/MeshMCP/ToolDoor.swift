import MeshBase
import MeshRouting
import MeshWire

/// What a local MCP client says to the gateway, and how it is answered: as if the remote server's tools were
/// local (Model Context Protocol 2025-06-18, "Streamable HTTP" and "Tools").
///
///     POST, initialize, ping, what cannot be read --> answered by the gateway itself
///     POST, a notification or an answer           --> 202
///     POST, tools/list                            --> a call of `TOOLS /` in the mesh
///     POST, tools/call                            --> a call of `TOOL /NAME` in the mesh
///     GET, DELETE                                 --> 405: there is nothing to tell unasked, and no session
///
/// It keeps nothing from one request to the next: whoever names a session names one that the gateway did not
/// give, and is told so by 404, at which clients begin anew. Prompts, resources and sampling are not
/// announced, and asked for they are unknown methods.
public enum ToolDoor {
    /// What is done about a request.
    public enum Step: Equatable, Sendable {
        /// Answer at once; an empty body is none.
        case answer(status: Int, [UInt8])
        /// Ask which tools there are, and answer with `answer(to:...)`.
        case list(RPCID)
        /// Call the tool at this path, likewise.
        case call(RPCID, path: String, arguments: [UInt8])
    }

    /// What of a request's head counts.
    public struct Head: Equatable, Sendable {
        /// HTTP's.
        public let method: String
        /// `Mcp-Session-Id`; nil: not sent.
        public let session: String?
        /// `MCP-Protocol-Version`; nil: not sent.
        public let version: String?

        public init(method: String, session: String?, version: String?) {
            self.method = method
            self.session = session
            self.version = version
        }
    }

    /// What of a request is answered whatever its body says; nil: nothing, so the body counts.
    public static func step(on head: Head) -> Step? {
        guard head.method == "POST" else { return .answer(status: 405, []) }
        if head.session != nil {
            return .answer(status: 404, error(nil, RPCCode.invalid, "no session of this name is known here"))
        }
        if let version = head.version, !MCPVersion.spoken.contains(version) {
            let text = "MCP-Protocol-Version is one of \(MCPVersion.spoken.joined(separator: ", "))"
            return .answer(status: 400, error(nil, RPCCode.invalid, text))
        }
        return nil
    }

    /// What is done about a message.
    /// - Parameter server: what the server is called; said to whoever begins.
    public static func step(on bytes: [UInt8], server: String, version: String) -> Step {
        do throws(RPCFlaw) {
            switch try RPCMessage(bytes) {
            case .notification, .result, .error: return .answer(status: 202, [])
            case .request(let id, let method, let params):
                return step(on: id, method, params ?? Array("{}".utf8), server: server, version: version)
            }
        } catch {
            switch error {
            case .unreadable(let what): return .answer(status: 400, self.error(nil, RPCCode.unreadable, what))
            case .invalid(let id, let what):
                return .answer(status: 400, self.error(id, RPCCode.invalid, what))
            }
        }
    }

    private static func step(
        on id: RPCID, _ method: String, _ params: [UInt8], server: String, version: String
    ) -> Step {
        switch method {
        case "initialize": return begin(id, params, server: server, version: version)
        case "ping": return .answer(status: 200, result(id, Array("{}".utf8)))
        case "tools/list":
            // All stand on one page, so no page has a place that could be named.
            guard JSONPart.member("cursor", of: params) == nil else {
                return invalid(id, "no page begins there")
            }
            return .list(id)
        case "tools/call": return call(id, params)
        default:
            let text = "\(method.prefix(64)) is no method here: this server has tools only"
            return .answer(status: 200, error(id, RPCCode.methodUnknown, text))
        }
    }

    private static func begin(_ id: RPCID, _ params: [UInt8], server: String, version: String) -> Step {
        guard case .text(let asked)? = JSONPart.member("protocolVersion", of: params) else {
            return invalid(id, "protocolVersion is missing")
        }
        let spoken = MCPVersion.spoken.contains(asked) ? asked : MCPVersion.latest
        let answer =
            #"{"protocolVersion":\#(JSONLine.quoted(spoken)),"capabilities":{"tools":{}},"#
            + #""serverInfo":{"name":\#(JSONLine.quoted(server)),"version":\#(JSONLine.quoted(version))}}"#
        return .answer(status: 200, result(id, Array(answer.utf8)))
    }

    private static func call(_ id: RPCID, _ params: [UInt8]) -> Step {
        guard case .text(let name)? = JSONPart.member("name", of: params) else {
            return invalid(id, "the tool's name is missing")
        }
        guard let path = ToolCall.path(of: name) else {
            return invalid(id, "no tool is called \(name.prefix(64))")
        }
        switch JSONPart.member("arguments", of: params) {
        case nil: return .call(id, path: path, arguments: Array("{}".utf8))
        case .object?:
            guard let arguments = JSONPart.bytes("arguments", of: params) else { break }
            return .call(id, path: path, arguments: arguments)
        default: break
        }
        return invalid(id, "arguments is an object")
    }

    private static func invalid(_ id: RPCID, _ text: String) -> Step {
        .answer(status: 200, error(id, RPCCode.paramsInvalid, text))
    }

    // MARK: What the mesh answered

    /// The answer to a request whose call was answered by the provider. It is not believed: what is no result
    /// would stand in the message as if the gateway had said it.
    /// - Parameters:
    ///   - status: 200 for a result; another for an error.
    ///   - body: the result, or the error, of whoever has the tool.
    public static func answer(to id: RPCID, status: Int, body: [UInt8]) -> [UInt8] {
        do throws(ForeignJSONError) {
            let read = try ForeignJSON(body)
            if status == ToolAnswerStatus.result, case .object = read {
                return result(id, JSONLine.onOneLine(body))
            }
            if case .number(.some)? = read["code"], read.text("message") != nil {
                return JSONLine.message([("id", id.json), ("error", JSONLine.onOneLine(body))])
            }
        } catch {
            return unusable(id, status, "no JSON: \(error)")
        }
        return unusable(id, status, "neither a result nor an error")
    }

    private static func unusable(_ id: RPCID, _ status: Int, _ what: String) -> [UInt8] {
        error(id, RPCCode.internalError, "what the tool's provider answered is \(what) (status \(status))")
    }

    /// The answer to a request whose call the mesh refused: to a call a result that says so, which language
    /// models read; to the question for the tools an error.
    /// - Parameter text: what the gateway says of a refusal, with codes, facts and correlation id.
    public static func refusal(of id: RPCID, isCall: Bool, _ text: String) -> [UInt8] {
        guard isCall else { return error(id, RPCCode.internalError, text) }
        let content = #"{"content":[{"type":"text","text":\#(JSONLine.quoted(text))}],"isError":true}"#
        return result(id, Array(content.utf8))
    }

    /// What a provider answers to a request that no server is asked: an error, as the server would have said
    /// it.
    public static func badRequest(_ text: String) -> [UInt8] { error(RPCCode.paramsInvalid, text) }

    /// Whether an error says that the server failed, not that what it was asked was wrong.
    public static func isServersFault(_ code: Int64) -> Bool { code == RPCCode.internalError }

    private static func result(_ id: RPCID, _ json: [UInt8]) -> [UInt8] {
        JSONLine.message([("id", id.json), ("result", json)])
    }

    static func error(_ id: RPCID?, _ code: Int64, _ text: String) -> [UInt8] {
        JSONLine.message([("id", id?.json ?? Array("null".utf8)), ("error", error(code, text))])
    }

    private static func error(_ code: Int64, _ text: String) -> [UInt8] {
        Array(#"{"code":\#(code),"message":\#(JSONLine.quoted(text))}"#.utf8)
    }
}

/// With which status a provider answers a call of a tool in the mesh.
public enum ToolAnswerStatus {
    /// The body is the result, which may itself say that the tool failed.
    public static let result = 200
    /// The server refused the request; the body is its error.
    public static let refused = 422
    /// The server failed at it; the body is its error.
    public static let failed = 500
    /// The request is none that a tool can be asked.
    public static let noTool = 404
}
