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

@Suite("An agreement that was changed on disk")
struct DamagedAgreementTests {
    private let made: SignedAgreement
    private let row: AgreementRow

    init() throws {
        made = try SignedAgreement()
        row = try StoredNode.row(of: made.record(), at: SignedAgreement.wall)
    }

    private var keys: OrderedTable<NodeID, PublicKey> {
        var keys = OrderedTable<NodeID, PublicKey>()
        keys[made.source] = made.provider.publicKey
        keys[made.target] = made.consumer.publicKey
        return keys
    }

    /// Whether a row is taken up as if nothing had happened to it.
    private func isTaken(_ row: AgreementRow) -> Bool {
        guard let record = try? StoredNode.agreement(row) else { return false }
        return record.damage(at: made.source, keys: keys, using: made.suite) == nil
    }

    @Test("no byte of what two nodes and two persons signed can be another")
    func everyByte() throws {
        #expect(isTaken(row))
        var generator = SeededGenerator(seed: 3)
        for position in row.document.indices {
            var changed = row
            changed.document[position] ^= UInt8(1 + generator.number(below: 255))
            #expect(!isTaken(changed), "byte \(position) of the agreement")
        }
        let approvals = try #require(row.approvals)
        // Whether the other side has it is nobody's signature.
        let unsigned = try #require(Array(approvals).firstRange(of: Array("\"isHeard\":".utf8)))
        #expect(!unsigned.isEmpty)
        for position in approvals.indices {
            var changed = row
            changed.approvals?[position] ^= UInt8(1 + generator.number(below: 255))
            #expect(!isTaken(changed), "byte \(position) of the approvals")
        }
    }

    @Test("nor its content id, its parties, its state before both signed, or whose approvals it has")
    func columns() throws {
        var changed = row
        changed.contentID = made.suite.digest([1])
        #expect(!isTaken(changed))
        changed = row
        changed.peer = made.source
        #expect(!isTaken(changed))
        let record = try made.record()
        let half = AgreementRecord(
            contentID: record.contentID, peer: record.peer,
            document: Signed(
                body: made.agreement, payload: made.document.payload,
                signatures: Array(made.document.signatures.prefix(1))),
            state: record.state, origin: record.origin, approvals: record.approvals)
        #expect(half.damage(at: made.source, keys: keys, using: made.suite) != nil)
        let foreign = try made.record([made.word(of: made.ann, by: made.ben)])
        #expect(foreign.damage(at: made.source, keys: keys, using: made.suite) != nil)
        let other = try made.record([
            made.word(of: made.ann, by: made.provider, about: made.suite.digest([1]))
        ])
        #expect(other.damage(at: made.source, keys: keys, using: made.suite) != nil)
        // Approvals that are gone are no damage, and nothing is honoured without them.
        let bare = try made.record([])
        #expect(bare.damage(at: made.source, keys: keys, using: made.suite) == nil)
        #expect(bare.terms.standing == .unapproved)
    }

    @Test("a node starts without it, honours the others, and says so with its digest in the audit and status")
    func start() throws {
        var state = StoredState()
        var changed = row
        // A character of the payload: what is agreed reads otherwise.
        changed.document[20] =
            changed.document[20] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        let other = try SignedAgreement(approvals: nil)
        state.agreements = [changed, try StoredNode.row(of: other.record([]), at: SignedAgreement.wall)]
        let restored = try StoredNode.restored(from: state)
        var node = Node(
            me: OwnIdentity(
                node: made.source, key: made.provider.publicKey,
                inception: try Signer(made.provider).signed(
                    Inception(key: made.provider.publicKey, nextKeyDigest: .zero), using: made.suite),
                name: NodeName("here")!, boot: BootID(number: 7, random: 7)),
            restored: restored, configuration: NodeConfiguration(), suite: made.suite,
            generator: SeededGenerator(seed: 1))
        let now = Moment(instant: Instant(nanoseconds: 1), wall: SignedAgreement.wall)
        var effects = Outbox<NodeEffect>()
        node.start(at: now, into: &effects)
        // The other one is between other nodes than this.
        #expect(node.agreements.records.isEmpty && node.agreements.damaged.count == 2)
        let damaged = try #require(node.agreements.damaged.first { $0.contentID == made.contentID })
        #expect(damaged.refusal.code == .documentInvalid)
        #expect(damaged.refusal.facts.contains(Fact("content id", made.contentID)))
        _ = effects.drain()
        node.handle(.roomMeasured(bytes: 1 << 30), at: now, into: &effects)
        let told = effects.drain().compactMap { effect -> [AuditRecord]? in
            guard case .record(let records, _) = effect else { return nil }
            return records
        }
        #expect(String(describing: told).contains("agreement set aside as damaged"))
        let circumstances = ReportWriter<SystemSuite>.Circumstances(
            started: now.wall,
            listening: ListeningReport(link: [], gateway: nil, gatewaySocket: nil, control: ""),
            discovery: [], breakers: [], storeTrouble: nil)
        let attention = ReportWriter(node, using: made.suite, at: now).status(circumstances).attention
        #expect(attention.contains { $0.what.contains("\(made.contentID.description.prefix(12))") })
        #expect(attention.contains { $0.what.hasPrefix("the store ") })
    }
}
