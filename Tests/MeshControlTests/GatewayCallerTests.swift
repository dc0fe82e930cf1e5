import MeshBase
import NIOCore
import Testing

@testable import MeshControl

@Suite struct GatewayCallerTests {
    @Test(arguments: [
        ("B/echo", "/invoke/B/echo"), ("B/orders/list", "/invoke/B/orders/list"),
        ("orders", "/invoke/any/orders"),
    ])
    func `a target names peer, resource and capability`(target: String, path: String) throws {
        #expect(try #require(GatewayCall(target: target)).path == path)
    }

    @Test(arguments: [
        "", "/", "B/", "/echo", "B/Echo", "B/echo/list/more", "B//list", "../echo", "B/echo?x", "B c/echo",
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
