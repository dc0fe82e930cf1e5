import Foundation
import MeshBase
import MeshRouting

@testable import MeshMCP

/// What MCP servers and clients say.
extension FuzzTargets {
    static let mcp = [message, conversation]

    private static let samples = [
        #"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}}}}"#,
        #"{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"a","inputSchema":{}}],"nextCursor":"b"}}"#,
        #"{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"a/b","arguments":{"n":1.5}}}"#,
        #"{"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"no"}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    ]

    /// What a client says, and what a provider answered: whatever it is, one message of ours comes of it.
    private static let message = FuzzTarget(
        "mcp-message",
        samples: { samples.map { Array($0.utf8) } },
        read: { bytes in
            for status in [200, 422] {
                let told = ToolDoor.answer(to: RPCID(7), status: status, body: bytes)
                try holdIsOne(told, id: 7)
            }
            switch ToolDoor.step(on: bytes, server: "s", version: "1") {
            case .answer(let status, let body):
                if !body.isEmpty { try holdIsOne(body, id: nil) }
                return status == 400 ? .refused : .taken
            case .list: return .taken
            case .call(_, let path, let arguments):
                try hold(ToolCall.name(at: path) != nil, "a tool at \(path)")
                try hold(try object(arguments) != nil, "arguments that are no object")
                return .taken
            }
        })

    private static func read(_ event: [UInt8]) -> RPCMessage? {
        do throws(RPCFlaw) { return try RPCMessage(event) } catch { return nil }
    }

    /// As Foundation reads it, which refuses numbers that it cannot represent though JSON has them.
    private static func object(_ json: [UInt8]) throws -> [String: Any]? {
        let text = String(decoding: json, as: UTF8.self)
            .replacing(/[eE][+\-]?[0-9]{3,}/, with: "").replacing(/[0-9]{300,}/, with: "1")
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    }

    private static func holdIsOne(_ bytes: [UInt8], id: Int?) throws {
        try hold(!bytes.contains(UInt8(ascii: "\n")), "a message on two lines")
        let read = try object(bytes)
        try hold(
            read?["jsonrpc"] as? String == "2.0", "no message: \(String(decoding: bytes, as: UTF8.self))")
        if let id { try hold(read?["id"] as? Int == id, "the answer to another") }
    }

    /// What a server sends as events, to a session that waits for answers.
    private static let conversation = FuzzTarget(
        "mcp-conversation",
        samples: {
            [
                Array(samples.map { "data: \($0)\n\n" }.joined().utf8),
                Array("event: x\r\ndata: \(samples[4])\r\n\r\n".utf8),
            ]
        },
        read: { bytes in
            var session = ToolSession(program: "1")
            var open: Set<UInt64> = []
            func note(_ effects: [ToolSession.Effect]) throws {
                for effect in effects {
                    switch effect {
                    case .send(_, _, let bytes), .tell(let bytes): try holdIsOne(bytes, id: nil)
                    case .confirm(let number, let bytes):
                        try holdIsOne(bytes, id: nil)
                        try note(session.handle(.confirmed(number: number)))
                    case .drop: break
                    case .settle(let id, _): try hold(open.remove(id) != nil, "order \(id) is settled twice")
                    }
                }
            }
            for (id, order) in [(1, .list), (2, .call(name: "a", arguments: Array("{}".utf8)))]
                as [(UInt64, ToolSession.Order)]
            {
                open.insert(id)
                try note(session.handle(.ordered(id, order)))
            }
            var reader = EventStreamReader(eventMax: 1_024)
            var isTaken = false
            for event in reader.take(bytes) ?? [] {
                guard let message = read(event) else { continue }
                isTaken = true
                try note(session.handle(.received(message)))
            }
            try note(session.handle(.closed(.lost("the end"))))
            try hold(open.isEmpty, "orders that nobody settles: \(open)")
            return isTaken ? .taken : .refused
        })
}
