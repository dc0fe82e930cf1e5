import MeshBase
import MeshGateway
import MeshNode
import MeshRouting
import NIOCore
import Testing

@testable import MeshAgent

@Suite("What gathers the answers of all providers")
struct FanOutTests {
    /// A fan-out to so many providers, what it gave up, and what it said at its end, once.
    private final class Stage {
        var givenUp: [RequestID] = []
        var finished: [[FanOutPart]] = []
        var fanOut: FanOut!

        init(_ count: Int, within room: FanOutRoom = FanOutRoom()) {
            let calls = (0..<count).map { number in
                (
                    provider: Provider(node: NodeID(Digest.zero), name: "p\(number)"),
                    call: RequestID(UInt64(number + 1))
                )
            }
            fanOut = FanOut(
                calls, givingUpBy: { [unowned self] in givenUp.append($0) },
                finishingBy: { [unowned self] in finished.append($0) },
                within: room)
        }

        func answer(_ part: Int, _ body: String, type: String? = "application/json") {
            let headers = type.map { [HeaderField("content-type", $0)] } ?? []
            fanOut.answer(
                part, status: 200, headers: headers, body: ByteBuffer(string: body), correlation: nil)
        }

        func content(_ part: Int) -> FanOutPart.Content? {
            guard case .answered(_, let content)? = finished.first?[part].outcome else { return nil }
            return content
        }

        func refusal(_ part: Int) -> RefusalCode? {
            guard case .refused(let refusals, _)? = finished.first?[part].outcome else { return nil }
            return refusals.first?.code
        }
    }

    @Test("ends once all have ended, in the order of the providers, and hears of nothing after that")
    func order() {
        let stage = Stage(3)
        stage.answer(2, "2")
        stage.fanOut.refuse(0, [Refusal(.breakerOpen)], correlation: nil)
        #expect(stage.finished.isEmpty && stage.fanOut.open == [RequestID(2)])
        // What has ended stays as it ended.
        stage.fanOut.refuse(2, [Refusal(.draining)], correlation: nil)
        stage.answer(0, "0")
        stage.answer(1, "1")
        stage.fanOut.end(1)
        #expect(stage.finished.count == 1 && stage.fanOut.open.isEmpty)
        #expect(stage.finished[0].map(\.name) == ["p0", "p1", "p2"])
        #expect(stage.refusal(0) == .breakerOpen)
        #expect(stage.content(1) == .json(ByteBuffer(string: "1")))
        #expect(stage.content(2) == .json(ByteBuffer(string: "2")))
    }

    @Test(
        "takes as JSON what is JSON, and as text or bytes what only says so",
        arguments: [
            (#"{"a":1}"#, "application/json", true), (#"{"a":1}"#, "application/problem+json; v=1", true),
            (#"{"a":1},{"name":"other"}"#, "application/json", false),
            (#"{"a":1"#, "application/json", false),
            (#"{"a":1,"a":2}"#, "application/json", false), (#"{"a":1}"#, "text/plain", false),
            (#"{"a":1}"#, nil, false),
        ] as [(String, String?, Bool)])
    func content(body: String, type: String?, isJSON: Bool) {
        let stage = Stage(1)
        stage.answer(0, body, type: type)
        #expect(
            stage.content(0) == (isJSON ? .json(ByteBuffer(string: body)) : .text(body, type: type)))
    }

    @Test("keeps bytes that are no text as bytes, and nothing of an empty body")
    func bytes() {
        let stage = Stage(2)
        let bytes = ByteBuffer(bytes: [0xff, 0xfe])
        stage.fanOut.answer(0, status: 200, headers: [], body: bytes, correlation: nil)
        stage.answer(1, "")
        #expect(stage.content(0) == .bytes(bytes, type: nil) && stage.content(1) == FanOutPart.Content.none)
    }

    @Test("an answer that breaks off after its beginning is no answer")
    func brokenOff() {
        let stage = Stage(1)
        stage.fanOut.head(0, status: 200, headers: [], correlation: nil)
        stage.fanOut.body(0, ByteBuffer(string: "half"))
        stage.fanOut.refuse(0, [Refusal(.resourceMisbehaved)], correlation: nil)
        #expect(stage.refusal(0) == .resourceMisbehaved)
        // It was asked: what it did is done.
        #expect(stage.finished.first?[0].outcome == .refused([Refusal(.resourceMisbehaved)], begun: 200))
    }

    @Test("an answer beyond a mebibyte, or beyond what is kept for all, is given up and named")
    func bounds() {
        let mebibyte = ByteBuffer(repeating: UInt8(ascii: " "), count: Limits.callBody)
        let stage = Stage(Limits.fanOutBytes / Limits.callBody + 2)
        stage.fanOut.head(0, status: 200, headers: [], correlation: nil)
        stage.fanOut.body(0, mebibyte)
        stage.fanOut.body(0, ByteBuffer(string: " "))
        #expect(stage.givenUp == [RequestID(1)])
        let last = Limits.fanOutBytes / Limits.callBody + 1
        for part in 1...last {
            stage.fanOut.head(part, status: 200, headers: [], correlation: nil)
            stage.fanOut.body(part, mebibyte)
        }
        #expect(stage.givenUp == [RequestID(1), RequestID(UInt64(last + 1))])
        for part in 1..<last { stage.fanOut.end(part) }
        #expect(stage.refusal(0) == .bodyTooLarge && stage.refusal(last) == .bodyTooLarge)
        #expect(stage.refusal(1) == nil && stage.finished.count == 1)
    }

    @Test("an answer for which all requests together leave no room is given up, until one of them is over")
    func room() {
        let room = FanOutRoom(most: 6)
        var first: Stage? = Stage(1, within: room)
        first?.fanOut.body(0, ByteBuffer(string: "1234"))
        let second = Stage(2, within: room)
        second.fanOut.head(0, status: 200, headers: [], correlation: nil)
        second.fanOut.body(0, ByteBuffer(string: "12"))
        #expect(second.givenUp.isEmpty && !room.holds(1))
        second.fanOut.body(0, ByteBuffer(string: "3"))
        // What was kept of the one that is given up is free again.
        #expect(second.givenUp == [RequestID(1)] && room.holds(2) && !room.holds(3))
        first = nil
        second.answer(1, "\"ab\"")
        #expect(second.refusal(0) == .bodyTooLarge && second.refusal(1) == nil)
        #expect(room.holds(2) && !room.holds(3))
    }
}
