import MeshBase
import MeshRouting
import Testing

@testable import MeshMCP

@Suite("What a local MCP client is answered")
struct ToolDoorTests {
    private func step(_ text: String) -> ToolDoor.Step {
        ToolDoor.step(on: Array(text.utf8), server: "tools at \"a\"", version: "1.0")
    }

    private func request(_ method: String, _ params: String? = nil) -> ToolDoor.Step {
        step(#"{"jsonrpc":"2.0","id":"x","method":"\#(method)"\#(params.map { ",\"params\":\($0)" } ?? "")}"#)
    }

    private func answer(_ step: ToolDoor.Step) -> (status: Int, text: String) {
        guard case .answer(let status, let body) = step else { return (0, "") }
        return (status, String(decoding: body, as: UTF8.self))
    }

    @Test("the revision that it asks for where that is spoken, else the latest, and tools alone")
    func begins() {
        for (asked, spoken) in [
            ("2025-03-26", "2025-03-26"), ("2024-11-05", "2024-11-05"), ("1.0", "2025-06-18"),
        ] {
            let told = answer(request("initialize", #"{"protocolVersion":"\#(asked)"}"#))
            #expect(told.status == 200)
            #expect(
                told.text == #"{"jsonrpc":"2.0","id":"x","result":{"protocolVersion":"\#(spoken)","#
                    + #""capabilities":{"tools":{}},"serverInfo":{"name":"tools at \"a\"","version":"1.0"}}}"#
            )
        }
        #expect(answer(request("initialize", "{}")).text.contains("-32602"))
        #expect(answer(request("ping")) == (200, #"{"jsonrpc":"2.0","id":"x","result":{}}"#))
    }

    @Test("notifications and answers are taken without a word")
    func silence() {
        for text in [
            #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            #"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#,
        ] {
            #expect(step(text) == .answer(status: 202, []))
        }
    }

    @Test("a call is one of the tool's path, with its arguments as they are")
    func calls() throws {
        let id = try #require(RPCID(.text("x")))
        #expect(request("tools/list", "{}") == .list(id))
        #expect(
            request("tools/call", #"{"name":"a/b","arguments":{"n": 1.0e3,"u":"\u00e9"},"_meta":{}}"#)
                == .call(id, path: "/a/b", arguments: Array(#"{"n": 1.0e3,"u":"\u00e9"}"#.utf8)))
        #expect(request("tools/call", #"{"name":"a"}"#) == .call(id, path: "/a", arguments: Array("{}".utf8)))
    }

    @Test(
        "a call that is none is an error",
        arguments: [
            "{}", #"{"name":1}"#, #"{"name":""}"#, #"{"name":"../x"}"#, #"{"name":"a//b"}"#,
            #"{"name":"a/"}"#,
            #"{"name":"a b"}"#, #"{"name":"%41"}"#, #"{"name":"a","arguments":[]}"#,
            #"{"name":"a","arguments":null}"#,
        ])
    func noCalls(params: String) {
        let told = answer(request("tools/call", params))
        #expect(
            told.status == 200 && told.text.hasPrefix(#"{"jsonrpc":"2.0","id":"x","error":{"code":-32602,"#))
    }

    @Test(
        "what is not tools is unknown",
        arguments: ["prompts/list", "resources/list", "logging/setLevel", "x"])
    func others(method: String) {
        #expect(answer(request(method, "{}")).text.contains(#""error":{"code":-32601"#))
    }

    @Test(
        "what is no message is refused",
        arguments: [
            ("", "-32700"), ("{", "-32700"), (#"{"a":1,"a":2}"#, "-32700"), ("\"\u{1}\"", "-32700"),
            (String(repeating: "[", count: 40), "-32700"), ("[]", "-32600"),
            (#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, "-32600"), ("1", "-32600"), ("{}", "-32600"),
            (#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":1}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":1,"method":7,"result":{}}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":1,"result":[]}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}}"#, "-32600"),
            (#"{"jsonrpc":"2.0","id":1,"error":{"message":""}}"#, "-32600"),
        ])
    func malformed(text: String, code: String) {
        let told = answer(step(text))
        #expect(told.status == 400 && told.text.contains(#""code":\#(code)"#), "\(told)")
    }

    @Test("an identifier that is long is none, and no answer repeats it")
    func longIdentifier() {
        let id = String(repeating: "x", count: RPCID.textMax)
        #expect(answer(step(#"{"jsonrpc":"2.0","id":"\#(id)","method":"ping"}"#)).status == 200)
        #expect(
            answer(step(#"{"jsonrpc":"2.0","id":"\#(id)y","method":"ping"}"#)) == (
                400,
                #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"id is a text or a whole number"}}"#
            ))
    }

    @Test(
        "before its message is read: a stream of the server's, a session, and a revision that is not spoken")
    func heads() {
        func head(_ method: String, _ session: String? = nil, _ version: String? = nil) -> Int? {
            ToolDoor.step(on: ToolDoor.Head(method: method, session: session, version: version)).map {
                answer($0).status
            }
        }
        #expect(head("POST") == nil && head("POST", nil, "2025-06-18") == nil)
        #expect(head("GET") == 405 && head("DELETE", "s") == 405)
        #expect(head("POST", "of another") == 404)
        #expect(head("POST", nil, "2020-01-01") == 400)
    }

    @Test("what a provider answers stands in the message only where it is a result or an error")
    func providers() throws {
        let id = RPCID(7)
        func told(_ status: Int, _ body: String) -> String {
            String(decoding: ToolDoor.answer(to: id, status: status, body: Array(body.utf8)), as: UTF8.self)
        }
        #expect(told(200, "{\"content\":[\n]}") == #"{"jsonrpc":"2.0","id":7,"result":{"content":[ ]}}"#)
        #expect(
            told(422, #"{"code":-32602,"message":"no"}"#)
                == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"no"}}"#)
        for (status, body) in [
            (200, "[]"), (200, ""), (200, #"{},"id":8,"x":{}"#), (500, "{}"),
            (500, #"{"code":"x","message":"y"}"#),
            (404, "not found"),
        ] {
            let text = told(status, body)
            #expect(
                text.hasPrefix(#"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"#)
                    && !text.contains("\"id\":8"))
        }
    }

    @Test(
        "a refusal reaches whoever called a tool as the tool's failure, and whoever asked for a list as an error"
    )
    func refusals() {
        let id = RPCID(7)
        let call = String(decoding: ToolDoor.refusal(of: id, isCall: true, "no: \"x\"\n"), as: UTF8.self)
        #expect(
            call
                == #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"no: \"x\"\u000a"}],"#
                + #""isError":true}}"#)
        let list = String(decoding: ToolDoor.refusal(of: id, isCall: false, "no"), as: UTF8.self)
        #expect(list == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"no"}}"#)
    }
}
