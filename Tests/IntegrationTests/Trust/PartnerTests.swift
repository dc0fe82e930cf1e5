import Foundation
import MeshBase
import MeshControl
import MeshTrust
import Testing

@testable import MeshAgent
@testable import MeshAgreements
@testable import MeshCredentials
@testable import MeshTrust

@Suite("Two organisations of real agents", .timeLimit(.minutes(2)))
struct PartnerTests {
    private func founder(
        _ name: String, of domain: String, seeds: [RunningAgent] = [], in mesh: TestMesh
    ) async throws -> RunningAgent {
        try await mesh.founder(name, of: domain, seeds: seeds)
    }

    private static func environment(_ seeds: [RunningAgent]) -> [String: String] {
        TestMesh.environment(seeds)
    }

    private func member(
        _ name: String, of issuer: RunningAgent, roles: [DomainRole] = [], seeds: [RunningAgent] = [],
        in mesh: TestMesh
    ) async throws -> RunningAgent {
        try await mesh.member(name, of: issuer, roles: roles, seeds: seeds)
    }

    @discardableResult
    private func accept(
        _ other: RunningAgent, at agent: RunningAgent, roles: [DomainRole] = []
    ) async throws -> PartnerReport {
        try await agent.accept(domainOf: other, roles: roles)
    }

    /// Alice of acme and Bob of bolt, whose domains accept each other, with a link.
    private func partners(in mesh: TestMesh) async throws -> (alice: RunningAgent, bob: RunningAgent) {
        let alice = try await founder("alice", of: "acme", in: mesh)
        let bob = try await founder("bob", of: "bolt", seeds: [alice], in: mesh)
        try await accept(bob, at: alice)
        try await accept(alice, at: bob)
        try await bob.linked(with: alice)
        return (alice, bob)
    }

    @Test("that each accepted the other's bundle trust one another, members that were never told included")
    func byFile() async throws {
        try await TestMesh.with { mesh in
            let alice = try await founder("alice", of: "acme", in: mesh)
            let anna = try await member("anna", of: alice, in: mesh)
            let bob = try await founder("bob", of: "bolt", seeds: [alice, anna], in: mesh)
            let accepted = try await accept(alice, at: bob)
            #expect(accepted.name.description == "acme" && accepted.nodes == 0)
            #expect(accepted.acceptsUs == .unknown)
            // One side alone makes no trust, and both operators find why.
            try await until("bob's operator sees that he is refused") {
                let shown = try await bob.agent.handlers.showDomain().partners.first
                return shown?.acceptsUs == .no && shown?.refusal?.code == .domainUnknown
            }
            let here = try await alice.events() + anna.events()
            #expect(here.contains { $0.event.refusals.first?.code == .domainUnknown })
            let attention = await bob.agent.handlers.status().attention.map(\.what)
            #expect(attention.contains { $0.contains("acme does not accept this domain") })
            #expect(await bob.plane.node.trust.pins.peers.isEmpty)
            try await accept(bob, at: alice)
            try await bob.linked(with: alice)
            try await bob.linked(with: anna)
            #expect(await anna.plane.node.trust.pins[bob.node]?.evidence.kind == .domain)
            let shown = try await anna.agent.handlers.showDomain()
            #expect(shown.partners.map(\.name.description) == ["bolt"])
            #expect(shown.partners.first?.nodes == 1 && shown.partners.first?.acceptsUs == .yes)
            #expect(shown.members.map(\.node.id) == [alice.node])
            let status = await bob.agent.handlers.status()
            #expect(status.peers.allSatisfy { $0.membership?.name?.description == "acme" })
        }
    }

    @Test("see nothing that is offered to the other's domain, and hold no house agreement of it")
    func nothingMore() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await partners(in: mesh)
            let backend = try await Backend.start()
            mesh.atEnd { await backend.stop() }
            try await alice.provide("ledger", at: backend.url, ["read=GET / safe"])
            let ledger = try #require(ResourceName("ledger"))
            let resource = try #require(await alice.plane.node.resources[ledger])
            try await alice.order(.addResource(resource, toDomain: .offered))
            let anna = try await member("anna", of: alice, in: mesh)
            try await until("a member sees it") {
                await anna.plane.node.gossip.resources(of: alice.node, at: SystemClock.now().wall)
                    .contains { $0.name == ledger }
            }
            let seen = await bob.plane.node.gossip.resources(of: alice.node, at: SystemClock.now().wall)
            #expect(!seen.contains { $0.name == ledger })
            let acme = try #require(await alice.plane.node.trust.domains.home).domain
            #expect(await anna.plane.node.agreements.houses.document(of: acme) != nil)
            #expect(await bob.plane.node.agreements.houses.document(of: acme) == nil)
            #expect(
                await alice.plane.node.callView(at: SystemClock.now()).domain?.members.keys == [anna.node])
        }
    }

    @Test("with an invite between them need no file: each takes what the other shows of its own domain")
    func fromPeer() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await mesh.pair()
            for (agent, name) in [(alice, "acme"), (bob, "bolt")] {
                _ = try await agent.agent.handlers.createDomain(
                    .init(name: try #require(NodeName(name)), roles: []))
            }
            let read = try await alice.agent.handlers.readBundle(BundleSource(peer: "bob"))
            #expect(read.name.description == "bolt" && read.peer?.id == bob.node && read.isSigned)
            #expect(!read.needsYes)
            let words = read.words.joined(separator: " ").uppercased()
            let first = try await alice.agent.handlers.importBundle(
                .init(source: BundleSource(peer: "bob", fingerprint: words), roles: []))
            #expect(first.nodes == 1)
            _ = try await bob.agent.handlers.importBundle(
                .init(source: BundleSource(peer: "alice"), roles: []))
            let theirs = try await alice.agent.handlers.showBundle()
            #expect(await bob.plane.node.trust.domains.members[alice.node]?.membership.domain == theirs.id)
            try await refused(.domainMissing) {
                let carol = try await mesh.start("carol")
                try await carol.join(alice)
                _ = try await alice.agent.handlers.readBundle(BundleSource(peer: "carol"))
            }
        }
    }

    @Test("need a yes where the peer that shows its domain is trusted by a credential that nobody compared")
    func fromStranger() async throws {
        try await TestMesh.with { mesh in
            let (alice, bob) = try await partners(in: mesh)
            func refusal(_ fingerprint: String? = nil, isConfirmed: Bool = false) async -> ControlFailure? {
                let source = BundleSource(peer: "bob", fingerprint: fingerprint)
                do throws(ControlFailure) {
                    _ = try await alice.agent.handlers.importBundle(
                        .init(source: source, roles: [], isConfirmed: isConfirmed))
                    return nil
                } catch {
                    return error
                }
            }
            let failure = await refusal()
            #expect(failure?.kind == .usage, "\(String(describing: failure))")
            #expect(failure?.next?.contains("--fingerprint") == true)
            #expect(await refusal(isConfirmed: true) == nil)
            let bundle = try await bob.agent.handlers.showBundle()
            #expect(await refusal(bundle.id.description) == nil)
            #expect(try await alice.agent.handlers.readBundle(BundleSource(peer: "bob")).needsYes)
            // A file is anybody's, too.
            await #expect(throws: ControlFailure.self) {
                _ = try await alice.agent.handlers.importBundle(
                    .init(source: BundleSource(text: bundle.bundle), roles: []))
            }
        }
    }

    @Test("with named roles let in only who holds one, and everybody once the roles are gone")
    func roles() async throws {
        try await TestMesh.with { mesh in
            let billing = try #require(DomainRole("billing"))
            let alice = try await founder("alice", of: "acme", in: mesh)
            let bob = try await mesh.start("bob", environment: Self.environment([alice]))
            _ = try await bob.agent.handlers.createDomain(
                .init(name: try #require(NodeName("bolt")), roles: [billing]))
            try await accept(bob, at: alice, roles: [billing])
            try await accept(alice, at: bob)
            let bert = try await member("bert", of: bob, roles: [billing], seeds: [alice], in: mesh)
            try await bert.linked(with: alice)
            try await until("bob was refused for his roles") {
                try await alice.events().contains { $0.event.refusals.first?.code == .partnerRoleMissing }
            }
            #expect(await alice.state(of: bob.node) != .trusted)
            let shown = try await accept(bob, at: alice)
            #expect(shown.roles.isEmpty)
            try await bob.linked(with: alice)
        }
    }

    @Test("keep what they hold when an older bundle, or another of the same number, is given")
    func older() async throws {
        try await TestMesh.with { mesh in
            let alice = try await founder("alice", of: "acme", in: mesh)
            let bob = try await founder("bob", of: "bolt", in: mesh)
            let key = try IdentityKey.load(from: bob.home.anchorKey)
            let first = try #require(await bob.plane.node.trust.domains.partners.bundles.values.first)
            func text(_ sequence: Int64, _ label: String) throws -> String {
                let body = DomainBundle(
                    domain: first.body.domain, label: try #require(NodeName(label)),
                    issued: first.body.issued, sequence: sequence, keys: first.body.keys)
                let payload = Octets(SystemSuite().encoded(body))
                let request = SigningRequest(ticket: Ticket(0), kind: DomainBundle.kind, payload: payload)
                return try BundleFile.text(
                    of: Signed(body: body, payload: payload, signatures: [Signer(key).sign(request)]))
            }
            func give(_ text: String) async throws {
                _ = try await alice.agent.handlers.importBundle(
                    .init(source: BundleSource(text: text), roles: [], isConfirmed: true))
            }
            try await give(text(2, "bolt"))
            let held = await alice.plane.node.trust.domains.partners
            let stored = try alice.agent.ground.store.load().papers
            #expect(stored.count == 3)
            try await refused(.bundleOlder) { try await give(BundleFile.text(of: first)) }
            try await refused(.bundleConflict) { try await give(text(2, "twin")) }
            #expect(await alice.plane.node.trust.domains.partners == held)
            #expect(try alice.agent.ground.store.load().papers == stored)
            #expect(try await alice.events().contains { $0.event.refusals.first?.code == .bundleOlder })
            await alice.stop()
            let again = try await mesh.start("alice")
            #expect(await again.plane.node.trust.domains.partners == held)
        }
    }

    @Test("end it at one word, at every member, and what an invite made stays")
    func forget() async throws {
        try await TestMesh.with { mesh in
            let alice = try await founder("alice", of: "acme", in: mesh)
            let anna = try await member("anna", of: alice, in: mesh)
            let bob = try await founder("bob", of: "bolt", seeds: [alice, anna], in: mesh)
            try await accept(bob, at: alice)
            try await accept(alice, at: bob)
            try await bob.linked(with: alice)
            try await bob.linked(with: anna)
            try await refused(.partnerUnknown) {
                _ = try await alice.agent.handlers.forgetPartner(.init(name: "nobody"))
            }
            let gone = try await alice.agent.handlers.forgetPartner(.init(name: "bolt"))
            #expect(gone.nodes == 1)
            #expect(await alice.state(of: bob.node) == .verified)
            try await until("every member ends it") { await anna.state(of: bob.node) == .verified }
            try await until("bob's operator sees it") {
                try await bob.agent.handlers.showDomain().partners.first?.acceptsUs == .no
            }
            try await refused(.anchorMissing) {
                _ = try await anna.agent.handlers.importBundle(
                    .init(
                        source: BundleSource(text: try await bob.agent.handlers.showBundle().bundle),
                        roles: [], isConfirmed: true))
            }
            try await refused(.partnerIsHome) { _ = try await accept(alice, at: alice) }
        }
    }

    @Test("take a bundle that nobody signed only for the domain that people named")
    func bare() async throws {
        try await TestMesh.with { mesh in
            let alice = try await founder("alice", of: "acme", in: mesh)
            let bob = try await founder("bob", of: "bolt", seeds: [alice], in: mesh)
            let report = try await bob.agent.handlers.showBundle()
            // Who carried the file added a key of its own, and the highest number.
            let stranger = IdentityKey.ephemeral()
            let held = try #require(await bob.plane.node.trust.domains.partners.bundles[report.id]).body
            let strange = BundleKey(
                key: stranger.publicKey, certificate: Octets(try AnchorCertificate.made(by: stranger)))
            let carried = DomainBundle(
                domain: report.id, label: held.label, issued: held.issued, sequence: (1 << 53) - 1,
                keys: [strange] + held.keys)
            let text = String(decoding: SystemSuite().encoded(carried), as: UTF8.self)
            func give(_ fingerprint: String?) async throws {
                _ = try await alice.agent.handlers.importBundle(
                    .init(source: BundleSource(text: text, fingerprint: fingerprint), roles: []))
            }
            try await refused(.bundleUnsigned) { try await give(nil) }
            let other = try await alice.agent.handlers.showBundle()
            try await refused(.fingerprintDiffers) { try await give(other.id.description) }
            try await refused(.bundleInvalid) {
                _ = try await alice.agent.handlers.readBundle(BundleSource(text: "{}"))
            }
            try await give(report.words.joined(separator: "-"))
            let partner = try #require(await alice.plane.node.trust.domains.partners.partners.first)
            #expect(partner.keys == held.keys.map(\.key) && partner.sequence == 1)
            try await accept(alice, at: bob)
            try await bob.linked(with: alice)
            try await until("bob's own, signed, came over the link") {
                await alice.plane.node.trust.domains.partners.bundles[report.id] != nil
            }
        }
    }

    /// Expects that `work` is refused with this code.
    private func refused(_ code: RefusalCode, _ work: () async throws -> Void) async throws {
        let failure = await #expect(throws: ControlFailure.self) { try await work() }
        #expect(failure?.code == code.rawValue, "\(String(describing: failure))")
    }
}
