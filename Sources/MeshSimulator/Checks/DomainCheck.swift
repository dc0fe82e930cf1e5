import MeshBase
import MeshTrust

/// Who belongs to which domain, by what the world knows and no node says: which keys are anchors, which nodes
/// were given tokens, and which key signed which document.
struct DomainCheck: Sendable {
    /// What a token promises.
    private struct Token: Sendable {
        let domain: DomainID
        let uses: Int
        let until: WallTime
    }

    private struct Use: Comparable, Sendable {
        let host: Int
        let token: Pin
        static func < (left: Self, right: Self) -> Bool {
            (left.host, left.token) < (right.host, right.token)
        }
    }

    /// A connection of one run.
    private struct Door: Comparable, Sendable {
        let host: Int
        let run: Int
        let connection: UInt64
        init(_ run: RunID, _ connection: ConnectionID) {
            (host, self.run, self.connection) = (run.host, run.number, connection.number)
        }
        static func < (left: Self, right: Self) -> Bool {
            (left.host, left.run, left.connection) < (right.host, right.run, right.connection)
        }
    }

    private struct Acquaintance: Comparable, Sendable {
        let host: Int
        let run: Int
        let node: NodeID
        static func < (left: Self, right: Self) -> Bool {
            (left.host, left.run, left.node) < (right.host, right.run, right.node)
        }
    }

    private(set) var anchors = OrderedTable<DomainID, Pin>()
    /// Founders, and who was given a token with its seed.
    private var letIn = OrderedTable<DomainID, Set<NodeID>>()
    private var tokens = OrderedTable<Pin, Token>()
    /// By the digest of what was signed: whose key signed it.
    private var signers = OrderedTable<Digest, Set<Pin>>()
    private var presented = OrderedTable<Door, Pin>()
    private var served = OrderedTable<Use, Set<Pin>>()
    /// Since when a host has trusted whose credential is over.
    private var over = OrderedTable<Acquaintance, Instant>()
    /// Whom operators accepted, ever.
    var terms: Set<Terms> = []
    /// Which domains each host's home accepted, ever.
    var known: Set<Place> = []
    /// The highest decision, and of each domain the highest bundle, that a host kept.
    var decisions = OrderedTable<Place, Int64>()
    var bundles = OrderedTable<Place, Int64>()

    // MARK: What the world does

    mutating func founded(_ domain: DomainID, by anchor: PublicKey) {
        anchors[domain] = SimulatedSuite().pin(of: anchor)
    }

    mutating func letIn(_ node: NodeID, to domain: DomainID) {
        letIn[domain] = (letIn[domain] ?? []).union([node])
    }

    mutating func made(_ token: TokenRecord, using suite: SimulatedSuite) {
        tokens[suite.pin(of: token.key)] = Token(domain: token.domain, uses: token.uses, until: token.until)
    }

    mutating func signed(
        _ kind: DocumentKind, _ payload: Octets, by key: PublicKey, using suite: SimulatedSuite
    ) {
        guard [.credential, .issuerCertificate, .bundle, .partnerships].contains(kind) else { return }
        let document = suite.digest(payload.bytes)
        signers[document] = (signers[document] ?? []).union([suite.pin(of: key)])
    }

    /// A host has lost its memory: whom its tokens served it cannot know, nor what it held of partners.
    mutating func forget(_ host: Int) {
        served.removeAll { use, _ in use.host == host }
        decisions.removeAll { place, _ in place.host == host }
        bundles.removeAll { place, _ in place.host == host }
    }

    /// Whether `node` may belong to `domain`.
    func isLetIn(_ node: NodeID, to domain: DomainID) -> Bool { letIn[domain]?.contains(node) ?? false }

    // MARK: What nodes do

    /// What is wrong with a chain as evidence that `node` belongs to a domain, whatever the time.
    func flaw(of chain: CredentialChain, for node: NodeID, using suite: SimulatedSuite) -> String? {
        let credential = chain.credential.body
        let anchor = suite.pin(of: chain.anchor)
        guard anchors[credential.domain] == anchor else {
            return "its anchor is none of \(credential.domain)"
        }
        guard credential.node == node, isLetIn(node, to: credential.domain) else {
            return "\(node.brief) was not let in"
        }
        let signer = chain.issuer.map { suite.pin(of: $0.body.key) } ?? anchor
        guard isSigned(chain.credential.payload, by: signer, using: suite) else {
            return "\(signer) did not sign it"
        }
        for issuer in [chain.issuer, chain.authority].compactMap({ $0 }) {
            guard issuer.body.domain == credential.domain,
                isSigned(issuer.payload, by: anchor, using: suite)
            else { return "the anchor made \(issuer.body.node.brief) no issuer" }
        }
        let beyond = credential.roles.roles.filter { chain.issuer?.body.roles.contains($0) == false }
        return beyond.isEmpty ? nil : "its issuer may not give \(beyond)"
    }

    func isSigned(_ payload: Octets, by signer: Pin, using suite: SimulatedSuite) -> Bool {
        signers[suite.digest(payload.bytes)]?.contains(signer) ?? false
    }

    /// A newcomer's token reaches an issuer, at this time of its clock. What that will break if it is let in.
    mutating func presents(
        _ record: TokenRecord, to run: RunID, on connection: ConnectionID, using suite: SimulatedSuite
    ) {
        presented[Door(run, connection)] = suite.pin(of: record.key)
    }

    /// An issuer lets a newcomer in. Answers what that breaks.
    mutating func enrols(
        _ pin: Pin, in domain: DomainID, at run: RunID, on connection: ConnectionID, _ wall: WallTime
    ) -> String? {
        guard let name = presented.remove(Door(run, connection)), let token = tokens[name] else {
            return "host \(run.host) enrols \(pin) under no token that the anchor made"
        }
        guard token.domain == domain else {
            return "host \(run.host) enrols \(pin) under a token of \(token.domain.brief)"
        }
        // It may stand still between the check and the signature.
        guard wall < token.until + .seconds(10) else {
            return "host \(run.host) enrols \(pin) under a token that was over at \(token.until)"
        }
        let use = Use(host: run.host, token: name)
        served[use] = (served[use] ?? []).union([pin])
        let count = served[use]?.count ?? 0
        return count <= token.uses ? nil : "host \(run.host) enrols key \(count) of \(token.uses)"
    }

    /// A host is seen to trust a peer by a credential, which is over or not. How long it has done so though
    /// it is.
    mutating func trusts(
        _ node: NodeID, by run: RunID, isOver: Bool, at now: Instant
    ) -> Duration {
        let acquaintance = Acquaintance(host: run.host, run: run.number, node: node)
        guard isOver else {
            over[acquaintance] = nil
            return .zero
        }
        let since = over[acquaintance] ?? now
        over[acquaintance] = since
        return now - since
    }
}

extension CredentialChain {
    /// When what it says of its holder is over.
    var until: WallTime {
        issuer.map { min(credential.body.until, $0.body.until) } ?? credential.body.until
    }

    /// Whose word it is; nil: the anchor's.
    var issuerNode: NodeID? { issuer?.body.node }
}
