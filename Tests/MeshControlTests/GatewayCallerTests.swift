import MeshBase
import NIOCore
import Testing

@testable import MeshControl

@Suite struct GatewayCallerTests {
    @Test(arguments: [
        ("B/echo", "/invoke/B/echo"), ("B/orders/list", "/invoke/B/orders/list"),
        ("orders", "/invoke/any/orders"), ("*/orders/list", "/invoke/*/orders/list"),
    ])
    func `a target names peer, resource and capability`(target: String, path: String) throws {
        #expect(try #require(GatewayCall(target: target)).path == path)
    }

    @Test(arguments: [
        "", "/", "B/", "/echo", "B/Echo", "B/echo/list/more", "B//list", "../echo", "B/echo?x", "B c/echo",
        "*", "**/echo",
    ])
    func `a target of another form is refused`(target: String) {
        #expect(GatewayCall(target: target) == nil)
    }

    @Test func `a refusal of the gateway is read with its reasons`() {
        let body =
            #"{"code":"peer-unreachable","reasons":["#
            + #"{"code":"peer-unreachable","facts":[{"name":"peer","value":"B"}]}],"#
            + #""correlation":null,"next":"comity peer show B"}"#
        let answer = GatewayCaller.answer(
            status: 503,
            headers: [
                ("Comity-Correlation-Id", "01938f7e-0000-7000-8000-000000000001"),
                ("Comity-Refusal", "peer-unreachable"),
            ],
            body: ByteBuffer(string: body))
        #expect(
            answer.outcome
                == .refused([Refusal(.peerUnreachable, [Fact("peer", "B")])], next: "comity peer show B"))
        #expect(answer.correlation?.description == "01938f7e-0000-7000-8000-000000000001")
        #expect(answer.exitCode == 4)
    }

    @Test func `an answer of the resource that looks like a refusal is an answer`() {
        let body = ByteBuffer(string: #"{"reasons":[{"code":"draining","facts":[]}]}"#)
        #expect(GatewayCaller.answer(status: 503, headers: [], body: body).outcome == .answered(status: 503))
    }

    @Test func `a refusal whose body is lost keeps its code`() {
        let answer = GatewayCaller.answer(
            status: 503, headers: [("comity-refusal", "draining")], body: ByteBuffer(string: "{"))
        #expect(answer.outcome == .refused([Refusal(.draining)], next: nil))
    }

    @Test func `an error of the resource is the resource's answer`() {
        let answer = GatewayCaller.answer(
            status: 404, headers: [], body: ByteBuffer(string: #"{"error":"no such order"}"#))
        #expect(answer.outcome == .answered(status: 404))
        #expect(answer.exitCode == 1)
    }

    @Test func `of a call to all providers each part is named that is not well`() throws {
        let part = #"{"node":"n","name":"B","correlation":"c1","status":200,"body":[1]}"#
        let refused =
            #"{"node":"n","name":"C","correlation":null,"refused":{"code":"breaker-open","#
            + #""reasons":[{"code":"breaker-open","facts":[]}],"correlation":null,"next":"x"}}"#
        let failed = #"{"node":"n","name":"D","correlation":"c3","status":500,"text":"x","type":"y"}"#
        let answer = GatewayCaller.answer(
            status: 200, headers: [("comity-fan-out", "2/3")],
            body: ByteBuffer(string: "[\(part),\n\(refused),\n\(failed)]\n"))
        #expect(answer.exitCode == 1)
        let call = try #require(GatewayCall(target: "*/orders/list"))
        let plain = Presentation(hasColour: false, width: 80, now: WallTime(milliseconds: 0))
        let text = CallText.render(answer, to: call, plain)
        #expect(
            text == """
                2 of 3 providers answered
                  C  breaker-open
                  D  the resource answered 500  comity explain c3

                """)
        let all = GatewayCaller.answer(
            status: 200, headers: [("comity-fan-out", "1/1")], body: ByteBuffer(string: "[\(part)]"))
        #expect(all.exitCode == 0)
        #expect(
            CallText.render(all, to: call, plain) == "1 of 1 providers answered\n")
    }

    @Test func `a gateway that a dead agent left behind is no agent`() async throws {
        let home = try makeFolder()
        defer { removeFolder(home) }
        try UnixSocket.leaveDead(at: home + "/gateway.sock")
        let call = try #require(GatewayCall(target: "B/echo"))
        let failure = await #expect(throws: ControlFailure.self) {
            try await GatewayCaller.call(call, home: home) { () throws(ControlFailure) in nil }
        }
        #expect(failure?.exitCode == 3)
    }
}
