import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("Whom the operator prefers among the providers of a resource")
struct PreferenceTests {
    private let b = node(1)
    private let c = node(2)

    private func label(_ key: String, _ value: String) -> ResourceLabel {
        ResourceLabel(key: resource(key), value: value)
    }

    private func preference(_ label: ResourceLabel, _ factor: String) -> LabelPreference {
        LabelPreference(label: label, factor: WeightFactor(factor)!)
    }

    /// B is near and dear, C far and cheap.
    private func rig(_ said: [RouteTerm]) -> DeskRig {
        var rig = DeskRig()
        rig.descriptions[b] = [
            DeskRig.described("orders", labels: [label("cost", "high"), label("region", "eu")])
        ]
        rig.descriptions[c] = [DeskRig.described("orders", labels: [label("region", "us")])]
        rig.said = said
        rig.publish()
        return rig
    }

    /// Who is asked by a call to `any`, answered after 20 ms; nil: this node.
    private func asked(_ rig: inout DeskRig, sticky: String? = nil) -> NodeID? {
        let before = rig.sent.count
        rig.call("any", sticky: sticky)
        guard rig.sent.count > before, let node = rig.sent.last?.1 else { return nil }
        rig.pass(20)
        rig.answerLast()
        return node
    }

    private func shares(_ rig: inout DeskRig, sticky: Bool = false) -> [NodeID?: Int] {
        for peer in ["B", "C"] {
            rig.call(peer)
            rig.pass(20)
            rig.answerLast()
        }
        let took = (0..<200).map { asked(&rig, sticky: sticky ? "k\($0)" : nil) }
        return Dictionary(took.map { ($0, 1) }, uniquingKeysWith: +)
    }

    @Test("a label with a weight draws calls, one with a part drives them away, and both count")
    func labels() {
        var near = rig([.prefer([preference(label("region", "eu"), "10")])])
        #expect(shares(&near)[b, default: 0] > 190)
        var cheap = rig([.prefer([preference(label("cost", "high"), "1/4")])])
        #expect(shares(&cheap)[c, default: 0] > 190)
        // Ten times a quarter is still more than once; four times a quarter is nothing said.
        var both = rig([
            .prefer([preference(label("region", "eu"), "10"), preference(label("cost", "high"), "1/4")])
        ])
        #expect(shares(&both)[b, default: 0] > 190)
        var neither = rig([
            .prefer([preference(label("region", "eu"), "4"), preference(label("cost", "high"), "1/4")])
        ])
        #expect((40...160).contains(shares(&neither)[b, default: 0]))
        var other = rig([.prefer([preference(label("region", "asia"), "10")])])
        #expect((40...160).contains(shares(&other)[b, default: 0]))
    }

    @Test("sticky keys are spread by the labels, too")
    func sticky() {
        var near = rig([.prefer([preference(label("region", "eu"), "9")])])
        // Nine in ten of 200, within four standard deviations.
        #expect(abs(shares(&near, sticky: true)[b, default: 0] - 180) < 17)
    }

    @Test("a preferred node takes every call while it is ready, and others only when it is not")
    func preferredNode() {
        var rig = self.rig([.preferNode(c)])
        // It is slow, and sticky keys would go elsewhere: it takes them all the same.
        rig.call("C")
        rig.pass(900)
        rig.answerLast()
        for number in 0..<30 { #expect(asked(&rig) == c && asked(&rig, sticky: "k\(number)") == c) }
        rig.openBreaker("C")
        for _ in 0..<10 { #expect(asked(&rig) == b) }
        rig.pass(60_000)
        #expect(asked(&rig) == c)
    }

    @Test("who refuses is asked after the others for a second, though it be preferred, or the quickest")
    func refusing() {
        for said in [[.preferNode(c)], []] as [[RouteTerm]] {
            var rig = self.rig(said)
            var (answered, refusals) = (0, 0)
            for _ in 0..<300 {
                let id = rig.call("any")
                if rig.sent.last?.1 == c {
                    refusals += 1
                    rig.take(.attemptRefused(rig.sent.last!.0, [Refusal(.overloaded)], .none))
                }
                rig.pass(10)
                rig.answerLast()
                if rig.refusal(of: id) == nil { answered += 1 }
            }
            // Three seconds.
            #expect(answered == 300 && refusals == 3, "\(answered) answered, \(refusals) refused")
            rig.pass(1_000)
            #expect(asked(&rig) == c)
        }
    }

    @Test("where each refused a moment ago, each is asked")
    func allRefuse() {
        var rig = self.rig([])
        for peer in ["B", "C"] {
            rig.call(peer)
            rig.take(.attemptRefused(rig.sent.last!.0, [Refusal(.draining)], .none))
        }
        let nodes = (0..<40).map { _ in asked(&rig) }
        #expect(nodes.contains(b) && nodes.contains(c))
    }

    @Test("of many at rest the preferred one is linked with first, and then who weighs more")
    func allAtRest() {
        for seed in 1...8 as ClosedRange<UInt64> {
            var rig = DeskRig(seed: seed)
            rig.routes[resource("orders")] = (1...6).map { node($0) }
            for peer in 1...6 as ClosedRange<UInt8> {
                rig.peers[peer] = CallPeer(name: peerName("P\(peer)"), trust: .trusted, link: .atRest)
                rig.descriptions[node(peer)] = [DeskRig.described("orders")]
                if peer > 2 { rig.agree(provider: node(peer), consumer: node(0), "orders") }
            }
            rig.weights = [node(4): 3, node(6): 2]
            rig.said = [.preferNode(node(5))]
            rig.publish()
            rig.effects = []
            rig.call("any")
            let wanted = rig.effects.compactMap { if case .linkWanted(let node) = $0 { node } else { nil } }
            #expect(wanted == [node(5), node(4), node(6)])
        }
    }

    @Test("this node does not come first before a preferred one, nor where calls are spread")
    func order() {
        func shares(_ said: [RouteTerm]) -> [NodeID?: Int] {
            var rig = self.rig(said)
            rig.own = [DeskRig.offered("orders", to: [])]
            rig.publish()
            var counts: [NodeID?: Int] = [:]
            for _ in 0..<60 {
                let id = rig.call("any")
                let node = rig.sent.last.flatMap { $0.0.request == id ? $0.1 : nil }
                counts[node, default: 0] += 1
                rig.pass(20)
                let own = AttemptID(request: id, number: 1)
                if node == nil {
                    rig.take(.resourceAnswered(.own(own), status: 200, headers: []))
                    rig.take(.resourceEnded(.own(own), BodySummary(length: 3, digest: nil), kept: nil))
                } else {
                    rig.answerLast()
                }
            }
            return counts
        }
        #expect(shares([]) == [nil: 60])
        #expect(shares([.preferNode(c)]) == [c: 60])
        let spread = shares([.order(.spread)])
        #expect(spread.count == 3 && spread.values.allSatisfy { $0 > 5 }, "\(spread)")
    }

    @Test("a retry of a call to the preferred node goes to another")
    func retry() {
        var rig = self.rig([.preferNode(c)])
        rig.call("any")
        rig.failLast()
        #expect(rig.sent.map(\.1) == [c, b])
    }

    @Test("a preferred node whose link is at rest is linked with, and others serve meanwhile")
    func atRest() {
        var rig = self.rig([.preferNode(c)])
        rig.peers[2] = CallPeer(name: peerName("C"), trust: .trusted, link: .atRest)
        rig.publish()
        rig.effects = []
        #expect(asked(&rig) == b)
        #expect(rig.effects.contains(.linkWanted(c)))
        rig.take(.linkCameUp(c))
        #expect(asked(&rig) == c)
    }

    @Test("no other link is opened while the preferred node is ready")
    func othersAtRest() {
        func wanted(_ said: [RouteTerm]) -> Bool {
            var rig = self.rig(said)
            rig.peers[2] = CallPeer(name: peerName("C"), trust: .trusted, link: .atRest)
            rig.publish()
            rig.effects = []
            for _ in 0..<20 { #expect(asked(&rig) == b) }
            return rig.effects.contains(.linkWanted(c))
        }
        #expect(wanted([]))
        #expect(!wanted([.preferNode(b)]))
    }

    @Test("why one was picked stands with the attempt, and what a label did with its candidate")
    func told() {
        func facts(_ said: [RouteTerm], sticky: String? = nil) -> [String] {
            var rig = self.rig(said)
            rig.call("any", sticky: sticky)
            return rig.ledger.attempts.first?.metadata.map { "\($0.name): \($0.value)" } ?? []
        }
        #expect(facts([]).contains("picked because: the better of two"))
        #expect(facts([.preferNode(b)]).contains("picked because: it is preferred to all others"))
        #expect(facts([], sticky: "k").contains("picked because: the sticky key draws it"))
        let labelled = facts([.prefer([preference(label("region", "eu"), "10")])])
        #expect(labelled.contains { $0.hasPrefix("candidate B: ") && $0.contains("weight 10") })
        var rig = self.rig([.preferNode(b), .prefer([preference(label("cost", "high"), "1/4")])])
        let ways = rig.desk.routes(at: moment(0)).filter { $0.resource == resource("orders") }
        #expect(ways.map(\.weight.description) == ["0.25", "1"])
        #expect(ways.map(\.labels) == [[preference(label("cost", "high"), "1/4")], []])
        let request = LocalRequest(
            id: rig.nextRequest(), target: .any, resource: resource("orders"),
            form: .invoke(capability: resource("list"), query: nil), body: .none)
        #expect(rig.desk.wouldDecide(request, at: moment(rig.now)).verdict == .send([b]))
    }
}
