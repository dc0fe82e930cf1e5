import MeshAudit
import MeshBase
import MeshControl
import MeshNode
import MeshStore
import MeshTrust
import MeshWire
import Testing

@testable import MeshAgent
@testable import MeshAgreements
@testable import MeshCredentials

@Suite("A statement about a person that was changed on disk")
struct DamagedPersonTests {
    private let node = IdentityKey.ephemeral()
    private let ann = IdentityKey.ephemeral()
    private let suite = SystemSuite()
    private let wall = SignedAgreement.wall

    private var id: NodeID { NodeID(node.pin.digest) }

    private func statement(
        by signer: IdentityKey? = nil, of node: NodeID? = nil, roles: [ApprovalRole] = [.accountable],
        life: Duration = SignedAgreement.day
    ) throws -> Signed<Vouching> {
        let body = Vouching(
            node: node ?? id, name: NodeName("ann")!, key: ann.publicKey, roles: roles, issued: wall,
            until: wall + life)
        return try Signer(signer ?? self.node).signed(body, using: suite)
    }

    private func row(_ document: Signed<Vouching>, as name: String = "ann") throws -> PersonRow {
        PersonRow(
            name: NodeName(name)!, document: try Document.encode(document), ended: nil, updated: wall)
    }

    /// Whether a row is taken up as if nothing had happened to it.
    private func isTaken(_ row: PersonRow) -> Bool {
        guard let person = try? StoredNode.person(row) else { return false }
        return person.damage(at: id, key: node.publicKey, using: suite) == nil
    }

    @Test("no byte of it can be another, nor its name, who vouches or who signed, nor break its rules")
    func changed() throws {
        let row = try row(statement())
        #expect(isTaken(row))
        var generator = SeededGenerator(seed: 4)
        for position in row.document.indices {
            var changed = row
            changed.document[position] ^= UInt8(1 + generator.number(below: 255))
            #expect(!isTaken(changed), "byte \(position)")
        }
        #expect(try !isTaken(self.row(statement(), as: "ben")))
        #expect(try !isTaken(self.row(statement(by: ann))))
        #expect(try !isTaken(self.row(statement(of: NodeID(ann.pin.digest)))))
        #expect(try !isTaken(self.row(statement(roles: []))))
        #expect(try !isTaken(self.row(statement(life: AgreementLimits.vouchingLifeMax + .seconds(1)))))
        let (first, second) = (try statement(), try Signer(ann).signed(statement().body, using: suite))
        let both = Signed(
            body: first.body, payload: first.payload, signatures: first.signatures + second.signatures)
        #expect(try !isTaken(self.row(both)))
    }

    private func started(_ rows: [PersonRow]) throws -> (Node<SystemSuite>, told: String) {
        var state = StoredState()
        state.people = rows
        var node = Node(
            me: OwnIdentity(
                node: id, key: self.node.publicKey,
                inception: try Signer(self.node).signed(
                    Inception(key: self.node.publicKey, nextKeyDigest: .zero), using: suite),
                name: NodeName("here")!, boot: BootID(number: 7, random: 7)),
            restored: try StoredNode.restored(from: state), configuration: NodeConfiguration(), suite: suite,
            generator: SeededGenerator(seed: 1))
        var effects = Outbox<NodeEffect>()
        node.start(at: now, into: &effects)
        node.handle(.roomMeasured(bytes: 1 << 30), at: now, into: &effects)
        let told = effects.drain().compactMap { effect -> [AuditRecord]? in
            guard case .record(let records, _) = effect else { return nil }
            return records
        }
        return (node, String(describing: told))
    }

    private var now: Moment { Moment(instant: Instant(nanoseconds: 1), wall: wall) }

    private func attention(of node: Node<SystemSuite>) -> [AttentionReport] {
        let circumstances = ReportWriter<SystemSuite>.Circumstances(
            started: wall,
            listening: ListeningReport(link: [], gateway: nil, gatewaySocket: nil, control: ""),
            discovery: [], breakers: [], storeTrouble: nil)
        return ReportWriter(node, using: suite, at: now).status(circumstances).attention
    }

    @Test("a node starts without it, vouches for the others, and says so until the name is vouched for anew")
    func start() throws {
        let forged = try row(statement(by: ann))
        var unreadable = try row(statement(), as: "cem")
        unreadable.document = [1, 2, 3]
        let sound = Vouching(
            node: id, name: NodeName("ben")!, key: ann.publicKey, roles: [.responsible], issued: wall,
            until: wall + SignedAgreement.day)
        let kept = try row(Signer(node).signed(sound, using: suite), as: "ben")
        var (running, told) = try started([forged, unreadable, kept])
        #expect(running.agreements.people.map(\.body.name.description) == ["ben"])
        #expect(running.damagedPeople.keys.map(\.description) == ["ann", "cem"])
        #expect(told.contains("person set aside as damaged"))
        #expect(told.contains("it is not signed by this node"))
        #expect(attention(of: running).count { $0.what.hasPrefix("the store holds the person ") } == 2)
        var effects = Outbox<NodeEffect>()
        let order = VouchingOrder(
            name: NodeName("ann")!, key: IdentityKey.ephemeral().publicKey, roles: [.accountable],
            life: SignedAgreement.day)
        running.handle(.commanded(Ticket(9), .vouch(order)), at: now, into: &effects)
        for case .sign(let request) in effects.drain() where request.kind == .vouching {
            let signature = try Signer(node).sign(request)
            running.handle(.signed(request.ticket, signature), at: now, into: &effects)
        }
        #expect(running.agreements.people.map(\.body.name.description) == ["ann", "ben"])
        #expect(running.damagedPeople.keys.map(\.description) == ["cem"])
        #expect(attention(of: running).count { $0.what.hasPrefix("the store holds the person ") } == 1)
    }
}
