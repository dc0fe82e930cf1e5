import MeshAgreements
import MeshAudit
import MeshBase
import MeshNode
import MeshTrust

@testable import MeshAgent
@testable import MeshCredentials

/// A node of the tests with real keys, and the peers that it is given.
struct ReportRig {
    static let now = Moment(
        instant: Instant(nanoseconds: 1_000_000_000_000), wall: WallTime(milliseconds: 1_795_000_000_000))
    static let day: Duration = .seconds(24 * 3_600)

    /// Somebody with a key.
    struct Person {
        let name: NodeName
        let key = IdentityKey.ephemeral()
        var node: NodeID { NodeID(key.pin.digest) }

        init(_ name: String) { self.name = NodeName(name)! }

        func inception() throws -> Signed<Inception> {
            try Signer(key).signed(
                Inception(key: key.publicKey, nextKeyDigest: .zero), using: SystemSuite())
        }
    }

    let me = Person("here")
    var restored = RestoredNode()
    var meters = MeterBook()

    var writer: ReportWriter<SystemSuite> {
        get throws {
            let own = OwnIdentity(
                node: me.node, key: me.key.publicKey, inception: try me.inception(), name: me.name,
                boot: BootID(number: 7, random: 7))
            var node = Node(
                me: own, restored: restored, configuration: NodeConfiguration(), suite: SystemSuite(),
                generator: SeededGenerator(seed: 1))
            var effects = Outbox<NodeEffect>()
            node.start(at: Self.now, into: &effects)
            return ReportWriter(node, meters, using: SystemSuite(), at: Self.now)
        }
    }

    mutating func add(
        _ person: Person, _ state: TrustState = .trusted, by kind: TrustEvidence.Kind = .invite,
        note: String = "it joined"
    ) throws {
        restored.peers.append(
            PeerRecord(
                node: person.node, key: person.key.publicKey, pin: person.key.pin,
                inception: try person.inception(),
                name: person.name, state: state, since: Self.now.wall - Self.day,
                evidence: TrustEvidence(kind: kind, transcript: nil, note: note), boot: nil))
    }

    /// This node provides `resource` to `person`.
    mutating func provide(
        _ resource: String, to person: Person, state: AgreementState = .active(acceptance: .byPeer),
        offered: Duration = .zero, life: Duration, from: Duration = .seconds(-300),
        origin: AgreementOrigin = .byOperator, limits: UsageLimits = .none
    ) throws {
        let created = Self.now.wall - offered
        let agreement = Agreement(
            id: AgreementID(
                "01938f7e-0000-7000-8000-\(String(100_000_000_000 + restored.agreements.count))")!,
            version: 1,
            source: me.node, target: person.node,
            grants: [Grant(resource: ResourceName(resource)!, capabilities: nil)], limits: limits,
            validFrom: created + from,
            validUntil: created + life, createdBy: me.node, created: created)
        var document = try Signer(me.key).signed(agreement, using: SystemSuite())
        if case .active = state {
            let second = try Signer(person.key).signed(agreement, using: SystemSuite())
            document = Signed(
                body: agreement, payload: document.payload,
                signatures: document.signatures + second.signatures)
        }
        restored.agreements.append(
            AgreementRecord(
                contentID: document.contentID(using: SystemSuite()), peer: person.node, document: document,
                state: state, origin: origin))
    }

    /// An event of one attempt at a call of `source` to `target`, or of the end of the call.
    static func event(
        _ type: AuditEventType, from source: Person, to target: Person, attempt: UInt8 = 1, at: Int64 = 0,
        status: UInt16? = 200, refusals: [Refusal] = []
    ) -> AuditEvent {
        AuditEvent(
            id: CorrelationID(high: UInt64(1_000 + at), low: UInt64(attempt)),
            time: now.wall + .milliseconds(at),
            type: type, correlation: call, source: source.node, target: target.node, principal: .local,
            resource: ResourceName("orders"), capability: ResourceName("list"), action: "invoke",
            success: refusals.isEmpty, refusals: refusals, status: status,
            attempt: type == .call ? 0 : attempt)
    }

    static let call = CorrelationID(high: 5, low: 5)

    static func memory(_ own: [AuditEvent], halves: [TraceHalf] = []) -> CallMemory {
        CallMemory(correlation: call, own: own.map { AuditEntry(event: $0, stage: .ended) }, halves: halves)
    }
}
