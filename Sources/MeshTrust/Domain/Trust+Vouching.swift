import MeshBase

/// What proves that a node is a member of a domain to who has not met it: its key, and the chain that names
/// it. The holder's own link proves the key in a handshake; here the credential's pin does.
public struct MemberProof: Codable, Equatable, Sendable {
    /// The node's key.
    public let key: PublicKey
    /// The evidence.
    public let chain: CredentialChain

    init(key: PublicKey, chain: CredentialChain) {
        self.key = key
        self.chain = chain
    }

    /// What the documents in one take at most, as they were signed: three with sixteen long roles take four
    /// and a half kibibytes. A proof stands beside a head in one frame.
    static let payloadMax = 6 * 1024

    var isShort: Bool {
        let certificates = [chain.issuer, chain.authority].compactMap { $0?.payload.bytes.count }
        return certificates.reduce(chain.credential.payload.bytes.count, +) <= Self.payloadMax
    }
}

/// A member of this node's domain that it has not met: it is believed to be one by its domain's word alone.
/// What it signs for the domain counts. It is no peer: nothing is sent to it, no call goes there, and a
/// handshake must still prove that somebody holds the key.
public struct VouchedMember: Equatable, Sendable {
    /// Verifies what it signs.
    public let key: PublicKey
    /// What its credential says while it counts.
    public let held: HeldCredential
}

// Members of this node's domain of whom others tell. At most `Limits.peers`; kept in memory only, for who
// told once tells again.
extension Trust {
    /// What this node shows of `node` to other members of its domain; nil when it cannot prove it to be one.
    public func proof(of node: NodeID) -> MemberProof? {
        evidence(of: node).flatMap { $0.isShort ? $0 : nil }
    }

    private func evidence(of node: NodeID) -> MemberProof? {
        if node == me.node { return domains.own.map { MemberProof(key: me.key, chain: $0.chain) } }
        if let member = domains.vouched[node] {
            return MemberProof(key: member.key, chain: member.held.chain)
        }
        guard let peer = pins[node], peer.state == .trusted, let held = domains.members[node] else {
            return nil
        }
        return MemberProof(key: peer.key, chain: held.chain)
    }

    /// A member of this node's domain passes on what proves another one. What does not count here may count
    /// there: it is held against nobody.
    mutating func hear(
        _ proof: MemberProof, from teller: NodeID, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard pins.isTrusted(teller), let own = domains.own,
            domains.members[teller]?.membership.domain == own.membership.domain,
            let peer = known(proof, in: own.membership.domain)
        else { return }
        let node = proof.chain.credential.body.node
        guard mayCheckProof(of: teller, at: now) else {
            let limit = Fact("signatures checked a second", Limits.signatureChecksPerSecond)
            return effects.post(.record(.credentialRefused(teller, Refusal(.limitReached, [limit]))))
        }
        switch ruling(on: proof.chain, of: node, proof.key, at: now) {
        case .allowed(let held):
            guard !peer.isTrusted else { return learn(held, of: node, at: now, into: &effects) }
            guard domains.vouched[node] != nil || domains.vouched.count < Limits.peers else {
                let facts = [Fact("members not met", domains.vouched.count), Fact("limit", Limits.peers)]
                return effects.post(.record(.credentialRefused(teller, Refusal(.limitReached, facts))))
            }
            domains.vouched[node] = VouchedMember(key: proof.key, held: held)
            effects.post(.vouched(node, proof.key, held.membership))
            scheduleDomains(at: now)
        case .refused(let refusal): effects.post(.record(.credentialRefused(teller, refusal)))
        }
    }

    /// Whether a proof is of a trusted peer or of somebody not met; nil when it is not worth a look: of this
    /// node, of another domain, of who does not count here whatever it shows, or no later than what is held.
    private func known(_ proof: MemberProof, in domain: DomainID) -> (isTrusted: Bool, Void)? {
        let credential = proof.chain.credential.body
        let node = credential.node
        let pin = suite.pin(of: proof.key)
        // A node is named by its first key: an issuer's word for another one would be a word against it.
        guard node != me.node, credential.domain == domain, credential.pin == pin,
            node.digest == pin.digest, proof.isShort, pins.revocation(of: pin) == nil,
            domains.convictions[node] == nil
        else { return nil }
        var held = domains.vouched[node]?.held
        if let peer = pins[node] {
            guard peer.key == proof.key, peer.state != .suspended, peer.state != .revoked else { return nil }
            if peer.state == .trusted { held = domains.members[node] }
        }
        if let held, held.membership.domain == domain,
            held.chain.credential.body.issued >= credential.issued
        {
            return nil
        }
        return (pins.isTrusted(node), ())
    }

    private mutating func mayCheckProof(of teller: NodeID, at now: Moment) -> Bool {
        let perSecond = Limits.signatureChecksPerSecond
        // A chain has three at most.
        return proofChecks[teller].take(3, of: perSecond, every: .seconds(1) / perSecond, at: now.instant)
    }

    /// What others prove of `node` counts no more, or is not needed: trust begins, or it is barred.
    mutating func unvouch(_ node: NodeID, into effects: inout Outbox<TrustEffect>) {
        guard let member = domains.vouched.remove(node) else { return }
        effects.post(.vouched(node, member.key, nil))
    }

    /// Nobody is vouched for under another domain than this node's.
    mutating func unvouchAll(into effects: inout Outbox<TrustEffect>) {
        for node in domains.vouched.keys { unvouch(node, into: &effects) }
    }

    /// Looks again at those whose time has come; with `all`, at every one.
    mutating func reassessVouched(all: Bool, at now: Moment, into effects: inout Outbox<TrustEffect>) {
        for (node, member) in domains.vouched where all || now.wall >= member.held.nextEnd {
            guard case .allowed(let held) = ruling(on: member.held.chain, of: node, member.key, at: now)
            else {
                unvouch(node, into: &effects)
                continue
            }
            domains.vouched[node] = VouchedMember(key: member.key, held: held)
            guard held.membership != member.held.membership else { continue }
            effects.post(.vouched(node, member.key, held.membership))
        }
    }
}
