import MeshBase
import MeshControl
import MeshTrust
import Testing

@testable import MeshAgent
@testable import MeshCredentials

@Suite("Reports on peers")
struct PeerReportTests {
    private let bakery = ReportRig.Person("bakery")
    private let mill = ReportRig.Person("mill")

    private func rig() throws -> ReportRig {
        var rig = ReportRig()
        try rig.add(mill, .suspended, by: .operator, note: "not now")
        try rig.add(bakery)
        return rig
    }

    @Test func `names trusted peers first, with the words of their keys`() throws {
        let peers = try rig().writer.peers
        #expect(peers.map(\.name) == [bakery.name, mill.name])
        #expect(peers[0].words == WordList.fingerprint(of: bakery.key.pin.digest))
        #expect(peers[0].trust == .trusted && peers[0].link == .down)
        #expect(peers[1].trustedSince == nil)
        #expect(peers[1].evidence.map(\.what) == ["suspended: not now"])
    }

    @Test func `finds a peer by name, by node ID, and by a beginning that only it has`() throws {
        let writer = try rig().writer
        let id = mill.node.description
        for text in ["mill", id, String(id.prefix(8)), String(id.prefix(6))] {
            #expect(writer.peer(text) == .allowed(mill.node), "\(text)")
        }
    }

    @Test func `finds nobody by a beginning of five characters, and says whom it knows`() throws {
        let text = String(mill.node.description.prefix(5))
        guard case .refused(let refusal) = try rig().writer.peer(text) else {
            Issue.record("found by \(text)")
            return
        }
        #expect(refusal.code == .peerNotFound)
        #expect(refusal.facts.contains(Fact("known", "bakery, mill")))
    }

    @Test func `takes its own name only where a call may go to itself`() throws {
        let writer = try rig().writer
        #expect(writer.anyNode("here") == .allowed(writer.me))
        #expect(writer.peer("here") != .allowed(writer.me))
    }

    @Test func `refuses all when one of several names is nobody's`() throws {
        let writer = try rig().writer
        #expect(writer.peers(["mill", "bakery", "mill"]) == .allowed([mill.node, bakery.node]))
        guard case .refused = writer.peers(["mill", "nobody"]) else {
            Issue.record("took a name that nobody has")
            return
        }
    }

    @Test func `explains that a suspended peer has no link to ask for`() throws {
        let report = try rig().writer.explanation(of: mill.node, history: [])
        #expect(report.verdict == .refused)
        let trust = report.branches.first { $0.question == "is mill trusted?" }
        #expect(trust?.reasons.map(\.code) == [.peerSuspended])
        #expect(trust?.next == "comity peer resume mill")
        #expect(report.branches.contains { $0.question == "is there a link?" && $0.verdict == .notAsked })
    }

    @Test func `explains which breaker stands between this node and a peer, and until when`() throws {
        let writer = try rig().writer
        let open = BreakerReport(
            peer: writer.reference(bakery.node), resource: ResourceName("orders"), state: .open,
            since: Timestamp(ReportRig.now.wall), probeAt: Timestamp(ReportRig.now.wall + .seconds(4)),
            why: "the last attempt failed with resource-timeout")
        let ofOther = BreakerReport(
            peer: writer.reference(mill.node), resource: nil, state: .open,
            since: Timestamp(ReportRig.now.wall), probeAt: nil, why: "the link is down")
        func breakers(_ reports: [BreakerReport]) -> ExplainBranch? {
            writer.explanation(of: bakery.node, history: [], breakers: reports).branches
                .first { $0.question == "do the breakers let calls pass?" }
        }
        #expect(breakers([ofOther])?.verdict == .allowed)
        let branch = try #require(breakers([open, ofOther]))
        #expect(branch.verdict == .refused && branch.next == "comity routes")
        #expect(branch.reasons.map(\.code) == [.breakerOpen])
        #expect(branch.reasons[0].facts.contains(Fact("breaker", "bakery/orders")))
        #expect(branch.reasons[0].facts.contains { $0.name == "next probe" })
    }

    @Test func `explains a trusted peer of which nothing was seen with what is missing`() throws {
        let report = try rig().writer.explanation(of: bakery.node, history: [])
        let verdicts = report.branches.map { "\($0.question) \($0.verdict.rawValue)" }
        #expect(
            verdicts == [
                "who says where bakery is? unknown", "is bakery trusted? allowed",
                "does bakery trust this node? unknown", "is there a link? refused",
                "do the breakers let calls pass? allowed", "may this node call anything there? refused",
                "may bakery call anything here? refused",
                "do both sides believe the same about the two? unknown", "do the clocks agree? unknown",
                "is its node certificate in time? unknown",
            ])
    }
}
