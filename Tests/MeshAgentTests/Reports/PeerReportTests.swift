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
        #expect(report.branches[0].reasons.map(\.code) == [.peerSuspended])
        #expect(report.branches[0].next == "comity peer resume mill")
        #expect(report.branches.contains { $0.question == "is there a link?" && $0.verdict == .notAsked })
    }
}
