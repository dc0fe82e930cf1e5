import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite struct StreamedBodyTests {
    private let upload = CallForm.mesh(method: "PUT", path: "/item", query: nil)

    @Test func `says to the provider how the body comes and what its time bounds`() {
        var rig = DeskRig()
        rig.call("B", form: upload, body: .streamed(length: 1 << 40))
        rig.call("B", deadline: .seconds(3), form: upload, body: .streamed(length: nil))
        rig.call("B", "orders", "put")
        let heads = rig.invocations
        #expect(
            heads.map(\.body) == [
                .streamed(length: 1 << 40), .streamed(length: nil), .whole(length: 2, digest: .zero),
            ])
        #expect(heads.map(\.deadlineScope) == [.answerHead, .wholeCall, .wholeCall])
    }

    @Test func `a body that is too long to be kept whole is refused only where it must be kept`() {
        var rig = DeskRig()
        let limit = Int64(Limits.callBody)
        let fits = rig.call("B", "orders", "put", body: .whole(length: limit, digest: .zero))
        let isTooLong = rig.call("B", "orders", "put", body: .whole(length: limit + 1, digest: .zero))
        let isUnknown = rig.call("B", "orders", "put", body: .streamed(length: nil))
        let streams = rig.call("B", form: upload, body: .streamed(length: limit + 1))
        #expect(rig.refusal(of: fits) == nil && rig.refusal(of: streams) == nil)
        #expect(rig.refusal(of: isTooLong) == [.bodyTooLarge])
        #expect(rig.refusal(of: isUnknown) == [.bodyTooLarge])
    }

    @Test func `the attempt with a streamed body gets all of the time, since no other may follow it`() {
        var rig = DeskRig()
        rig.call("any", deadline: .seconds(4), form: upload, body: .whole(length: 2, digest: .zero))
        rig.pass(2_001)
        #expect(rig.sent.count == 2)
        rig.answerLast()
        rig.call("any", deadline: .seconds(4), form: upload, body: .streamed(length: nil))
        rig.pass(2_001)
        #expect(rig.sent.count == 3)
    }

    @Test
    func `a WebSocket that no resource opens counts against it, one that is open and broken off does not`() {
        let opening = CallForm.mesh(method: "WEBSOCKET", path: "/talk", query: nil)
        for isOpen in [false, true] {
            var rig = DeskRig()
            for _ in 0..<5 {
                rig.call("B", form: opening, body: .streamed(length: nil))
                if isOpen, let last = rig.sent.last {
                    rig.take(.attemptAnswered(last.0, status: 101, headers: []))
                    rig.failLast()
                } else {
                    rig.pass(10_001)
                }
            }
            let next = rig.call("B", "orders", "list")
            #expect((rig.refusal(of: next) == [.breakerOpen]) == !isOpen)
        }
    }

    @Test func `a call whose body was kept goes on to another node, one whose body had left does not`() {
        var rig = DeskRig()
        let kept = rig.call("any", form: upload, body: .streamed(length: nil))
        rig.failLast()
        #expect(rig.sent.count == 2 && rig.refusal(of: kept) == nil)
        rig.answerLast()
        let left = rig.call("any", form: upload, body: .streamed(length: nil))
        rig.take(.bodyLeft(left))
        rig.failLast()
        #expect(rig.sent.count == 3)
        #expect(rig.refusal(of: left)?.first == .peerUnreachable)
        let told = rig.ledger.events.last { $0.type == .call }?.metadata.map(\.name)
        #expect(told?.contains("not repeated") == true)
    }

    @Test func `what leaves while the call waits for a link cannot be sent again on it`() {
        var rig = DeskRig()
        let id = rig.call("B", form: upload, body: .streamed(length: nil))
        rig.take(.linkWentDown(node(1)))
        rig.failLast(.linkLost)
        #expect(rig.refusal(of: id) == nil && rig.sent.count == 1)
        rig.take(.bodyLeft(id))
        rig.take(.linkCameUp(node(1)))
        #expect(rig.sent.count == 1 && rig.refusal(of: id)?.first == .peerUnreachable)
    }

    @Test func `an application that falls silent within its body opens no breaker`() {
        var rig = DeskRig()
        for _ in 0..<6 {
            rig.call("B", form: upload, body: .streamed(length: nil))
            rig.pass(11_000)
        }
        let id = rig.call("B")
        #expect(rig.refusal(of: id) == nil)
    }

    @Test func `waits for an answer from when the body last moved`() {
        var rig = DeskRig()
        let id = rig.call("B", form: upload, body: .streamed(length: nil))
        for _ in 0..<5 {
            rig.pass(9_000)
            rig.take(.bytesMoved(id))
        }
        rig.pass(9_000)
        rig.take(.bodyEnded(id, BodySummary(length: 5_000, digest: nil)))
        rig.pass(59_999)
        #expect(rig.refusal(of: id) == nil)
        rig.pass(2)
        #expect(rig.refusal(of: id)?.contains(.deadlineExceeded) == true)
    }

    @Test func `an answer goes on for as long as its bytes move`() {
        var rig = DeskRig()
        let id = rig.call("B", form: upload, body: .streamed(length: nil))
        guard let attempt = rig.sent.last?.0 else { return #expect(Bool(false)) }
        rig.take(.attemptAnswered(attempt, status: 200, headers: []))
        for _ in 0..<3 {
            rig.pass(59_000)
            rig.take(.bytesMoved(id))
        }
        rig.pass(59_999)
        #expect(rig.ledger.finished[id] == nil)
        rig.pass(2)
        #expect(rig.effects.contains { if case .breakOff(id, _) = $0 { true } else { false } })
    }

    @Test func `a deadline that the application named bounds all of the call, whatever moves`() {
        var rig = DeskRig()
        let id = rig.call("B", deadline: .seconds(2), form: upload, body: .streamed(length: nil))
        guard let attempt = rig.sent.last?.0 else { return #expect(Bool(false)) }
        rig.pass(1_000)
        rig.take(.bytesMoved(id))
        rig.take(.attemptAnswered(attempt, status: 200, headers: []))
        rig.take(.bytesMoved(id))
        rig.pass(1_001)
        #expect(rig.effects.contains { if case .breakOff(id, _) = $0 { true } else { false } })
    }

    @Test func `what is told of a call that is over changes nothing`() {
        var rig = DeskRig()
        let id = rig.call("B", form: upload, body: .streamed(length: nil))
        rig.answerLast()
        let before = rig.desk
        for input in [
            CallInput.bodyLeft(id), .bytesMoved(id), .bodyEnded(id, BodySummary(length: 1, digest: nil)),
            .serviceMoved(InboundKey(connection: ConnectionID(9), stream: 9)),
            .serviceBodyEnded(
                InboundKey(connection: ConnectionID(9), stream: 9), BodySummary(length: 1, digest: nil)),
        ] { rig.take(input) }
        #expect(rig.desk == before)
    }

    @Test func `both sides write down how much of a streamed body passed`() {
        var rig = DeskRig()
        let id = rig.call("B", form: upload, body: .streamed(length: nil))
        rig.take(.bodyEnded(id, BodySummary(length: 70_000, digest: nil)))
        rig.answerLast()
        let key = rig.arrive("stock", "put", method: "PUT", path: "/item", body: .streamed(length: nil))
        rig.take(.serviceBodyEnded(key, BodySummary(length: 300, digest: .zero)))
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        rig.take(.resourceEnded(.inbound(key), BodySummary(length: 0, digest: nil), kept: nil))
        let requests = rig.ledger.settlements.values.compactMap(\.request)
        #expect(Set(requests.map(\.length)) == [70_000, 300])
        #expect(rig.ledger.events.first { $0.type == .call }?.requestLength == 70_000)
    }

    @Test func `a served call waits for its resource from when the body last moved`() {
        var rig = DeskRig()
        let key = rig.arrive(
            "stock", "put", method: "PUT", path: "/item", remaining: 1_000, scope: .answerHead,
            body: .streamed(length: nil))
        rig.pass(900)
        for _ in 0..<3 {
            rig.take(.serviceMoved(key))
            rig.pass(59_000)
        }
        rig.pass(999)
        #expect(rig.refusal(of: key) == nil)
        rig.pass(2)
        #expect(rig.refusal(of: key) == [.deadlineExceeded])
    }

    @Test func `a served answer goes on for as long as its bytes move`() {
        var rig = DeskRig()
        let key = rig.arrive(
            "stock", "put", method: "PUT", path: "/item", remaining: 1_000, scope: .answerHead,
            body: .streamed(length: nil))
        rig.take(.resourceAnswered(.inbound(key), status: 200, headers: []))
        let idle = Limits.streamIdle.wholeMilliseconds
        rig.pass(idle - 1)
        rig.take(.serviceMoved(key))
        rig.pass(idle - 1)
        #expect(!rig.effects.contains(.breakOffResponse(key)))
        rig.pass(2)
        #expect(rig.effects.contains(.breakOffResponse(key)))
    }

    @Test func `a served call whose time bounds all of it is not prolonged`() {
        var rig = DeskRig()
        let key = rig.arrive(
            "stock", "put", method: "PUT", path: "/item", remaining: 1_000, body: .streamed(length: nil))
        rig.pass(900)
        rig.take(.serviceMoved(key))
        rig.pass(101)
        #expect(rig.refusal(of: key) == [.deadlineExceeded])
    }

    @Test func `a body that is not what its head said is refused`() {
        var rig = DeskRig()
        let said = RequestBody.whole(length: 2, digest: .zero)
        let others: [RequestBody] = [
            .whole(length: 3, digest: .zero),
            .whole(length: 2, digest: Digest([UInt8](repeating: 1, count: 32))!),
            .none, .streamed(length: nil),
        ]
        for other in others {
            let key = rig.arrive("stock", "put", method: "PUT", path: "/item", body: said, received: other)
            #expect(rig.refusal(of: key) == [.requestMalformed])
        }
        let key = rig.arrive("stock", "put", method: "PUT", path: "/item", body: said)
        #expect(rig.refusal(of: key) == nil)
    }
}
