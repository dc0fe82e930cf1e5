import MeshBase

/// What a chain proves of who signed a document in its domain's name.
public struct SigningRight: Equatable, Sendable {
    /// For which domain.
    public let domain: DomainID
    /// Whether it holds now; else it held at some moment since the document was made.
    public let isPresent: Bool
}

// Who signs for a domain is judged like who is a member of it, but for two things: of a partner it is not
// asked whether the operator accepts its node as a peer, and a right that is over may have been one once.
extension Trust {
    /// Whether `key` may sign in its domain's name now, or might at some moment since `made`.
    public func signing(
        _ key: PublicKey, _ chain: CredentialChain, since made: WallTime, at now: WallTime
    ) -> Ruling<SigningRight> {
        let domains = domains.accepted(using: suite).map {
            AcceptedDomain(domain: $0.domain, keys: $0.keys, roles: nil)
        }
        switch right(key, chain, domains, pins: pins, at: now) {
        case .allowed(let domain): return .allowed(SigningRight(domain: domain, isPresent: true))
        case .refused(let refusal):
            // At the last moment at which it can have counted, and whatever was revoked here since.
            let moment = min(now, chain.end - .milliseconds(1))
            guard moment + Limits.clockSkewRefused >= made,
                case .allowed(let domain) = right(key, chain, domains, pins: PinBook(), at: moment)
            else { return .refused(refusal) }
            return .allowed(SigningRight(domain: domain, isPresent: false))
        }
    }

    /// What the chain says of itself, at the last moment at which it can have counted: for what was judged
    /// before it came into this node's store.
    public func claim(_ key: PublicKey, _ chain: CredentialChain) -> Ruling<SigningRight> {
        let named = AcceptedDomain(
            domain: chain.credential.body.domain, keys: [suite.pin(of: chain.anchor)], roles: nil)
        let ruling = right(key, chain, [named], pins: PinBook(), at: chain.end - .milliseconds(1))
        return switch ruling {
        case .allowed(let domain): .allowed(SigningRight(domain: domain, isPresent: false))
        case .refused(let refusal): .refused(refusal)
        }
    }

    /// Whether credentials of `domain` count here: it is this node's own, or a partner.
    public func accepts(_ domain: DomainID) -> Bool {
        domains.accepted(using: suite).contains { $0.domain == domain && !$0.keys.isEmpty }
    }

    /// Whether `key` is revoked here.
    public func isRevoked(_ key: PublicKey) -> Bool { pins.revocation(of: suite.pin(of: key)) != nil }

    /// This node's own chain while it counts.
    public var ownChain: CredentialChain? { domains.own?.chain }

    /// The newest chain of the holder of `key` that is known here and gives the role `agree`; nil: none.
    public func newestChain(of key: PublicKey) -> CredentialChain? {
        let node = NodeID(suite.pin(of: key).digest)
        return proof(of: node).flatMap { proof in
            proof.key == key && proof.chain.credential.body.roles.contains(.agree) ? proof.chain : nil
        }
    }

    private func right(
        _ key: PublicKey, _ chain: CredentialChain, _ domains: [AcceptedDomain], pins: PinBook,
        at now: WallTime
    ) -> Ruling<DomainID> {
        guard MemberProof(key: key, chain: chain).isShort else {
            return .refused(Refusal(.credentialInvalid, [Fact("problem", "it is too long")]))
        }
        let pin = suite.pin(of: key)
        if let refusal = pins.revocation(of: pin) { return .refused(refusal) }
        // A node is named by its first key.
        let node = NodeID(pin.digest)
        let ground = CredentialGround(node: node, key: key, domains: domains, pins: pins, now: now)
        switch chain.ruling(ground, using: suite) {
        case .refused(let refusal): return .refused(refusal)
        case .allowed(let held):
            guard held.membership.holds(.agree) else {
                return .refused(
                    Refusal(
                        .agreeRoleMissing,
                        [
                            Fact("node", node), Fact("party", held.membership.domain),
                            Fact("roles", held.membership.roles.text), Fact("wanted", DomainRole.agree),
                        ]))
            }
            return .allowed(held.membership.domain)
        }
    }
}

extension CredentialChain {
    /// When the first of what it rests on ends.
    fileprivate var end: WallTime {
        min(credential.body.until, issuer?.body.until ?? credential.body.until)
    }
}
