import MeshAgreements
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("The desk and the tools of an MCP server")
struct ToolTests {
    private static let description = ResourceDescription(
        name: resource("tools"), protocol: .mcp,
        capabilities: [
            Capability(name: resource("admin"), methods: ["TOOL"], path: "/admin", safety: .unsafe),
            Capability(name: resource("add"), methods: ["TOOL"], path: "/add", safety: .safe),
            Capability(name: resource("rest"), methods: ["TOOL"], path: "/", safety: .unsafe),
        ], labels: [])

    private static let local = LocalResource(
        description: description, url: "mcp+http://127.0.0.1:1", timeoutInMilliseconds: nil)

    /// B provides tools to A and A to B, as agreed.
    private func rig(
        _ only: [String]?, conditions: AgreementConditions = .none, limits: UsageLimits = .none
    ) -> DeskRig {
        var rig = DeskRig()
        rig.descriptions[node(1), default: []].append(Self.description)
        rig.own.append(OfferedResource(resource: Self.local, offeredTo: [node(1)]))
        rig.agree(provider: node(1), consumer: node(0), "tools", only: only, conditions: conditions)
        rig.agree(
            provider: node(0), consumer: node(1), "tools", only: only, conditions: conditions, limits: limits)
        rig.publish()
        return rig
    }

    private static let listing = CallForm.mesh(method: "TOOLS", path: "/", query: nil)

    @Test("which there are is asked by the first capability that is agreed, and changes nothing")
    func asked() {
        var rig = rig(["add", "rest"])
        rig.call("B", "tools", form: Self.listing, body: .none)
        #expect(rig.invocations.last?.capability == resource("add"))
        #expect(rig.invocations.last?.method == "TOOLS" && rig.invocations.last?.path == "/")
        var unsafe = self.rig(["rest"], conditions: AgreementConditions(access: .readOnly))
        unsafe.call("B", "tools", form: Self.listing, body: .none)
        #expect(unsafe.invocations.last?.capability == resource("rest"))
    }

    @Test("nobody asks who may call none, and no path but the root, and no resource that has none")
    func notAsked() {
        var rig = rig([])
        let none = rig.call("B", "tools", form: Self.listing, body: .none)
        #expect(rig.refusal(of: none)?.first == .capabilityNotAgreed)
        rig = self.rig(nil)
        let elsewhere = CallForm.mesh(method: "TOOLS", path: "/add", query: nil)
        let tool = rig.call("B", "tools", form: elsewhere, body: .none)
        #expect(rig.refusal(of: tool) == [.capabilityUnknown])
        let orders = rig.call("B", form: Self.listing, body: .none)
        #expect(rig.refusal(of: orders) == [.capabilityUnknown])
    }

    @Test("the provider decides again: by the capability that is named, if it calls tools at all")
    func provided() {
        var rig = rig(["add"])
        func refusal(_ capability: String, _ path: String = "/", method: String = "TOOLS") -> [RefusalCode]? {
            let call = rig.arrive("tools", capability, method: method, path: path)
            return rig.refusal(of: call)
        }
        #expect(refusal("add") == nil)
        #expect(refusal("rest")?.first == .capabilityNotAgreed)
        #expect(refusal("add", "/add") == [.capabilityUnknown])
        #expect(refusal("add", "/admin", method: "TOOL")?.contains(.capabilityUnknown) == true)
        #expect(refusal("add", "/add", method: "TOOL") == nil)
        let other = rig.arrive("stock", "list", method: "TOOLS", path: "/")
        #expect(rig.refusal(of: other) == [.capabilityUnknown])
    }

    @Test("of the tools the caller sees those whose own capability is agreed, within its conditions")
    func shown() {
        let paths = ["/add", "/admin", "/admin/x", "/adding", "/other"]
        func seen(_ rig: DeskRig, by peer: NodeID?, as principal: Principal = .local) -> [Bool] {
            let invocation = Invocation(
                correlation: CorrelationID(high: 1, low: 1), attempt: 1, traceparent: nil, agreement: nil,
                principal: principal, resource: resource("tools"), capability: resource("add"),
                method: "TOOLS",
                path: "/", query: nil, headers: [], remainingMilliseconds: 1_000, deadlineScope: .wholeCall,
                idempotencyKey: nil, body: .none, sealedTo: nil)
            return rig.desk.callable(paths, of: Self.local, for: invocation, by: peer, at: moment(rig.now))
        }
        #expect(seen(rig(nil), by: node(1)) == [true, true, true, true, true])
        #expect(seen(rig(["add"]), by: node(1)) == [true, false, false, false, false])
        #expect(seen(rig(["add", "rest"]), by: node(1)) == [true, false, false, true, true])
        #expect(seen(rig(["add"]), by: node(2)) == [false, false, false, false, false])
        #expect(seen(rig([]), by: nil) == [true, true, true, true, true])
        let readers = rig(nil, conditions: AgreementConditions(access: .readOnly))
        #expect(seen(readers, by: node(1)) == [true, false, false, false, false])
        let named = rig(nil, conditions: AgreementConditions(principals: [Principal("ann")!]))
        #expect(seen(named, by: node(1)) == [false, false, false, false, false])
        #expect(seen(named, by: node(1), as: Principal("ann")!) == [true, true, true, true, true])
    }

    @Test(
        "how a resource is spoken to is what its provider says; of one whose link is at rest, what the client says"
    )
    func spoken() {
        var rig = rig(nil)
        func spoken(_ target: String, _ name: String) -> ResourceProtocol? {
            rig.desk.resourceProtocol(of: resource(name), at: CallTarget(target)!, at: moment(0).wall)
        }
        #expect(
            spoken("B", "tools") == .mcp && spoken("B", "orders") == .http && spoken("A", "tools") == .mcp)
        #expect(spoken("any", "tools") == .mcp && spoken("any", "orders") == .http)
        #expect(spoken("C", "tools") == nil && spoken("D", "tools") == nil && spoken("any", "x") == nil)
        rig.peers[2] = CallPeer(name: peerName("C"), trust: .trusted, link: .atRest, catalog: .awaited)
        rig.publish()
        #expect(spoken("C", "tools") == .mcp && spoken("C", "orders") == .http)
    }
}
