import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Who is asked by a request to all providers")
struct EveryProviderTests {
    private func names(_ rig: DeskRig, of name: String) -> [String]? {
        guard case .allowed(let found) = rig.desk.providers(of: resource(name), at: moment(0).wall) else {
            return nil
        }
        return found.map(\.name)
    }

    @Test("the providers by route and this node, by name; nobody else's of that name")
    func providers() {
        var rig = DeskRig()
        #expect(names(rig, of: "orders") == ["B", "C"])
        rig.own.append(DeskRig.offered("orders", to: []))
        rig.routes[resource("orders")] = [node(2)]
        rig.publish()
        #expect(names(rig, of: "orders") == ["A", "C"])
        // B still describes it, but by no route.
        #expect(rig.desk.providers(of: resource("tools"), at: moment(0).wall).isRefused(.resourceUnknown))
    }

    @Test("leaves other calls as much room as it takes")
    func room() {
        var rig = DeskRig()
        rig.configuration.callsMax = 5
        rig.publish()
        for isAllowed in [true, true, false] {
            #expect((names(rig, of: "orders") == ["B", "C"]) == isAllowed)
            rig.call("B")
        }
        #expect(rig.desk.providers(of: resource("orders"), at: moment(0).wall).isRefused(.overloaded))
    }

    @Test("two hundred and fifty-six providers are asked at once, and not one more")
    func bound() {
        for (extra, isAllowed) in [(0, true), (1, false)] {
            var rig = DeskRig()
            let nodes = (0..<Limits.fanOut + extra).map { number in
                NodeID(
                    Digest([UInt8(number / 256), UInt8(number % 256)] + [UInt8](repeating: 7, count: 30))!)
            }
            rig.routes[resource("orders")] = nodes
            rig.publish()
            #expect((names(rig, of: "orders")?.count == Limits.fanOut) == isAllowed)
            if !isAllowed {
                #expect(
                    rig.desk.providers(of: resource("orders"), at: moment(0).wall).isRefused(.limitReached))
            }
        }
    }
}

extension Ruling {
    fileprivate func isRefused(_ code: RefusalCode) -> Bool {
        if case .refused(let refusal) = self { refusal.code == code } else { false }
    }
}
