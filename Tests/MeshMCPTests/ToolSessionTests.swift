import MeshBase
import MeshRouting
import Testing

@testable import MeshMCP

@Suite("A session with an MCP server")
struct ToolSessionTests {
    typealias Effect = ToolSession.Effect

    /// A session, and what a server says to it.
    private struct Rig {
        var session = ToolSession(program: "1.0")

        mutating func order(
            _ id: UInt64, _ order: ToolSession.Order = .call(name: "add", arguments: bytes("{}"))
        )
            -> [Effect]
        {
            session.handle(.ordered(id, order))
        }

        mutating func says(_ text: String) throws -> [Effect] {
            session.handle(.received(try RPCMessage(bytes(text))))
        }

        mutating func agrees(to number: Int64, _ version: String = "2025-06-18") throws -> [Effect] {
            try says(
                #"{"jsonrpc":"2.0","id":\#(number),"result":{"protocolVersion":"\#(version)","capabilities":{}}}"#
            )
        }

        mutating func confirms(_ number: Int64) -> [Effect] { session.handle(.confirmed(number: number)) }

        /// Open, with the first order under way by number 3.
        static func open() throws -> Rig {
            var rig = Rig()
            _ = rig.order(1)
            _ = try rig.agrees(to: 1)
            _ = rig.confirms(2)
            return rig
        }
    }

    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private func text(_ effect: Effect?) -> String {
        switch effect {
        case .send(_, _, let bytes), .confirm(_, let bytes), .tell(let bytes):
            String(decoding: bytes, as: UTF8.self)
        case .drop, .settle, nil: ""
        }
    }

    private func calls(_ effects: [Effect]) -> [UInt64] {
        effects.compactMap { if case .send(_, let order?, _) = $0 { order } else { nil } }
    }

    private func failures(_ effects: [Effect]) -> [UInt64: ToolFailure] {
        var failures: [UInt64: ToolFailure] = [:]
        for case .settle(let id, .failed(let failure, _)) in effects { failures[id] = failure }
        return failures
    }

    @Test("begins with the first order, confirms, and only then asks what was ordered, in its order")
    func opening() throws {
        var rig = Rig()
        let begun = rig.order(1)
        #expect(
            text(begun.first)
                == #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","#
                + #""capabilities":{},"clientInfo":{"name":"comity","version":"1.0"}}}"#)
        #expect(rig.order(2) == [])
        let agreed = try rig.agrees(to: 1, "2025-03-26")
        #expect(agreed.count == 1 && rig.session.version == "2025-03-26")
        #expect(text(agreed.first) == #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        #expect(rig.order(3) == [])
        #expect(calls(rig.confirms(2)) == [1, 2, 3])
        #expect(
            text(rig.order(4, .call(name: "add", arguments: Self.bytes("{\"a\":\n1.50}"))).first)
                == #"{"jsonrpc":"2.0","id":6,"method":"tools/call","params":{"name":"add","arguments":{"a": 1.50}}}"#
        )
    }

    @Test("gives each answer to the order whose number it has, once, and nothing to numbers nobody asked by")
    func answers() throws {
        var rig = try Rig.open()
        _ = rig.order(2)
        for number in ["1", "2", "5", "77", "-3", "\"3\"", "\"x\""] {
            #expect(try rig.says(#"{"jsonrpc":"2.0","id":\#(number),"result":{}}"#) == [])
        }
        let second = try rig.says(#"{"jsonrpc":"2.0","id":4,"result":{"content":[],"x":0.1}}"#)
        #expect(second == [.settle(2, .result(Self.bytes(#"{"content":[],"x":0.1}"#)))])
        #expect(try rig.says(#"{"jsonrpc":"2.0","id":4,"result":{}}"#) == [])
        let first = try rig.says(#"{"jsonrpc":"2.0","id":3,"error":{"code":-32602,"message":"no"}}"#)
        #expect(first == [.settle(1, .refused(code: -32602, Self.bytes(#"{"code":-32602,"message":"no"}"#)))])
        #expect(rig.session.isAtRest)
    }

    @Test("that does not come about fails all who wait, without effect, and is tried anew by the next order")
    func refusedOpening() throws {
        for way in 0..<5 {
            var rig = Rig()
            _ = rig.order(1)
            _ = rig.order(2)
            let told: [Effect]
            switch way {
            case 0: told = rig.session.handle(.failed(number: 1, .lost("gone"), .possible))
            case 1: told = try rig.says(#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#)
            case 2: told = try rig.agrees(to: 1, "1999-01-01")
            case 3: told = rig.session.handle(.forgotten(number: 1))
            default:
                _ = try rig.agrees(to: 1)
                told = rig.session.handle(.failed(number: 2, .lost("gone"), .possible))
            }
            #expect(failures(told).keys.sorted() == [1, 2], "way \(way)")
            #expect(
                told.allSatisfy { if case .settle(_, .failed(_, .none)) = $0 { true } else { false } },
                "way \(way)")
            #expect(text(rig.order(3).first).contains("initialize"), "way \(way)")
        }
    }

    @Test("that the server forgot is begun anew, and what it turned away is asked again: once")
    func forgotten() throws {
        var rig = try Rig.open()
        _ = rig.order(2)
        let again = rig.session.handle(.forgotten(number: 3))
        #expect(text(again.first).contains(#""id":5,"method":"initialize""#))
        // The other learns it while the next one is being opened.
        #expect(rig.session.handle(.forgotten(number: 4)) == [])
        _ = try rig.agrees(to: 5)
        #expect(calls(rig.confirms(6)) == [1, 2])
        let settled = rig.session.handle(.forgotten(number: 7))
        #expect(failures(settled)[1] == .misbehaved("it forgets each session at once"))
        // One that comes late says nothing about the session that is open now.
        #expect(rig.session.handle(.forgotten(number: 3)) == [])
        #expect(
            try rig.says(#"{"jsonrpc":"2.0","id":8,"result":{}}"#) == [.settle(2, .result(Self.bytes("{}")))])
    }

    @Test("that ended while it was open leaves what the next one carries alone")
    func lateForgetting() throws {
        var rig = try Rig.open()
        _ = rig.order(2)
        _ = rig.session.handle(.forgotten(number: 3))
        _ = try rig.agrees(to: 5)
        #expect(calls(rig.confirms(6)) == [1])
        #expect(calls(rig.session.handle(.forgotten(number: 4))) == [2])
    }

    @Test("that closes tells each order, with what may have happened")
    func closed() throws {
        var rig = try Rig.open()
        _ = rig.order(2)
        let told = rig.session.handle(.closed(.lost("ended")))
        #expect(told == [1, 2].map { .settle($0, .failed(.lost("ended"), .possible)) })
        #expect(rig.session.isAtRest && rig.session.version == nil)
        #expect(text(rig.order(3).first).contains("initialize"))
        #expect(rig.session.handle(.closed(.lost("ended"))) == [.settle(3, .failed(.lost("ended"), .none))])
    }

    @Test("drops what nobody waits for any more, and tells the server so")
    func withdrawn() throws {
        var rig = try Rig.open()
        let told = rig.session.handle(.withdrawn(1))
        #expect(told.first == .drop(number: 3))
        #expect(
            text(told.last)
                == #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#)
        #expect(try rig.says(#"{"jsonrpc":"2.0","id":3,"result":{}}"#) == [])
        #expect(rig.session.handle(.withdrawn(1)) == [])
        var waiting = Rig()
        _ = waiting.order(1)
        #expect(waiting.session.handle(.withdrawn(1)) == [])
        _ = try waiting.agrees(to: 1)
        #expect(waiting.confirms(2) == [])
    }

    @Test("answers the server's pings, says of all else that it is unknown, and of too much nothing")
    func questions() throws {
        var rig = try Rig.open()
        #expect(
            text(try rig.says(#"{"jsonrpc":"2.0","id":"a\"","method":"ping"}"#).first)
                == #"{"jsonrpc":"2.0","id":"a\"","result":{}}"#)
        #expect(
            text(
                try rig.says(#"{"jsonrpc":"2.0","id":3,"method":"sampling/createMessage","params":{}}"#).first
            )
            .contains(#""id":3,"error":{"code":-32601"#))
        for _ in 2..<ToolSession.questionsMax {
            _ = try rig.says(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        }
        #expect(try rig.says(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#) == [])
        _ = try rig.says(#"{"jsonrpc":"2.0","id":3,"result":{}}"#)
        #expect(try rig.says(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).count == 1)
    }

    @Test("has two hundred and fifty-six orders at once, and not one more")
    func crowded() throws {
        var rig = Rig()
        for id in 1...UInt64(ToolSession.ordersMax) { #expect(failures(rig.order(id)).isEmpty) }
        #expect(failures(rig.order(1_000)) == [1_000: .crowded])
        _ = rig.session.handle(.withdrawn(7))
        #expect(rig.order(1_001) == [])
    }

    // MARK: Lists

    private func list(_ pages: [String]) throws -> ToolSession.Outcome? {
        var rig = try Rig.open()
        var number: Int64 = 4
        #expect(text(rig.order(9, .list).first).contains(#""method":"tools/list","params":{}"#))
        for page in pages {
            let told = try rig.says(#"{"jsonrpc":"2.0","id":\#(number),"result":\#(page)}"#)
            if case .settle(9, let outcome)? = told.first { return outcome }
            number += 1
            guard case .send(number, 9, _)? = told.first else { return nil }
        }
        return nil
    }

    @Test(
        "gathers the pages of a list; tools whose names are no paths, and second ones of a name, are left out"
    )
    func pages() throws {
        let outcome = try list([
            #"{"tools":[{"name":"a","inputSchema":{"x":1.5}},{"name":"no way"},{"name":".."}],"nextCursor":"\n"}"#,
            #"{"tools":[{"name":"b/c"},{"name":"a","second":true}],"nextCursor":null}"#,
        ])
        let tools = [("/a", #"{"name":"a","inputSchema":{"x":1.5}}"#), ("/b/c", #"{"name":"b/c"}"#)]
        #expect(outcome == .tools(tools.map { ToolSession.Tool(path: $0, json: Self.bytes($1)) }))
    }

    @Test("refuses a list that is none, too long, or never ends")
    func longLists() throws {
        func isRefused(_ pages: [String]) throws -> Bool {
            if case .failed(.misbehaved, .none)? = try list(pages) { true } else { false }
        }
        func page(of count: Int) -> String {
            "{\"tools\":[\((0..<count).map { "{\"name\":\"t\($0)\"}" }.joined(separator: ","))]}"
        }
        #expect(try !isRefused([page(of: ToolList.toolsMax)]))
        for bad in [
            page(of: ToolList.toolsMax + 1), "{}", #"{"tools":{}}"#, #"{"tools":[1]}"#, #"{"tools":[{}]}"#,
        ] {
            #expect(try isRefused([bad]), "\(bad.prefix(40))")
        }
        #expect(try isRefused([#"{"tools":[],"nextCursor":5}"#]))
        #expect(
            try isRefused(["{\"tools\":[],\"nextCursor\":\"\(String(repeating: "x", count: 1_025))\"}"]))
        let endless = #"{"tools":[],"nextCursor":"more"}"#
        #expect(try !isRefused(Array(repeating: endless, count: ToolList.pagesMax - 1)))
        #expect(try isRefused(Array(repeating: endless, count: ToolList.pagesMax)))
        let large =
            "{\"tools\":[{\"name\":\"a\",\"d\":\"\(String(repeating: "x", count: ToolList.bytesMax))\"}]}"
        #expect(try isRefused([large]))
    }

    // MARK: Whatever happens

    @Test(
        "settles each order at most once, and exactly once by its end, whatever happens",
        arguments: 1...200 as ClosedRange<UInt64>)
    func safety(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var session = ToolSession(program: "1")
        var (open, sent): (Set<UInt64>, [Int64]) = ([], [])
        var lastID: UInt64 = 0
        func note(_ effects: [Effect]) {
            for effect in effects {
                switch effect {
                case .send(let number, _, _), .confirm(let number, _):
                    #expect(sent.allSatisfy { $0 < number })
                    sent.append(number)
                case .settle(let id, _): #expect(open.remove(id) != nil, "order \(id) is settled twice")
                case .tell, .drop: break
                }
            }
        }
        for _ in 0..<300 {
            let number = sent.isEmpty ? 1 : sent[Int(generator.next() % UInt64(sent.count))]
            switch generator.next() % 10 {
            case 0, 1:
                lastID += 1
                open.insert(lastID)
                note(
                    session.handle(
                        .ordered(lastID, generator.next() % 2 == 0 ? .list : .call(name: "a", arguments: [])))
                )
            case 2:
                let id = 1 + generator.next() % max(lastID, 1)
                open.remove(id)
                note(session.handle(.withdrawn(id)))
            case 3: note(session.handle(.confirmed(number: sent.last ?? 1)))
            case 4: note(session.handle(.failed(number: number, .lost(""), .possible)))
            case 5: note(session.handle(.forgotten(number: number)))
            case 6: if generator.next() % 8 == 0 { note(session.handle(.closed(.lost("")))) }
            default:
                let results = [
                    #"{"protocolVersion":"2025-06-18"}"#, "{}", #"{"tools":[]}"#,
                    #"{"tools":[],"nextCursor":"x"}"#,
                ]
                let result = results[Int(generator.next() % UInt64(results.count))]
                let to = generator.next() % 2 == 0 ? sent.last ?? 1 : number
                note(session.handle(.received(.result(RPCID(to), Self.bytes(result)))))
            }
        }
        note(session.handle(.closed(.lost("the end"))))
        #expect(open.isEmpty && session.isAtRest)
    }
}
