import MeshBase
import MeshGossip
import MeshLink
import MeshNode
import MeshWire
import Testing

@Suite("Who is trusted and says more than can be taken up", .timeLimit(.minutes(2)))
struct TalkativePeerTests {
    @Test("is read no further meanwhile, keeps its link, and is answered once all of it was")
    func talkative() async throws {
        try await TestMesh.with { mesh in
            let alice = try await mesh.start("alice")
            let bob = try Persona("bob")
            try await bob.join(alice)
            let attacker = try mesh.attacker(bob.credentials)
            let line = try await bob.link(to: alice, through: attacker)
            // Many times what a connection may be ahead, each 1 KiB for its work alone, and sooner here than
            // they are taken up.
            let list = RegistryList(mine: nil, yours: nil, isComplete: false)
            let document = try Document.encode(LinkDocument.gossip(.list(list)))
            let count = 12 * DocumentShare.aheadMost / DocumentShare.cost(ofDocument: document.count)
            for _ in 0..<count { attacker.transport.sendDocument(document, on: line.secured.id) }
            attacker.transport.sendPing([7], on: line.secured.id)
            try await until("the ping behind all of it is answered", within: .seconds(60)) {
                attacker.hasPong(on: line.secured.id)
            }
            #expect(await alice.link(with: bob.node) != nil)
        }
    }
}
