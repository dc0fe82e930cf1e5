import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

// Partner domains, held against what their operators said and their anchors signed.
extension World {
    /// A decision or a bundle as a host writes it.
    mutating func checkPaper(_ change: TrustChange, of run: RunID) {
        switch change {
        case .partnerships(let decision):
            checks.domains.knows(run.host, decision.body.partners.map(\.domain))
            guard hosts[run.host].isHonest else { return }
            note(.partnersAsDecided, checks.domains.flaw(of: decision, at: run.host, using: suite))
        case .bundle(let bundle) where hosts[run.host].isHonest:
            note(.bundlesRise, checks.domains.wrote(bundle, at: run.host, using: suite))
        case .bundleGone(let domain): checks.domains.dropped(domain, at: run.host)
        case .bundle, .home, .credential, .peer, .peerForgotten, .invite, .inviteGone, .ownBoot,
            .credentialGone, .conviction, .convictionGone, .tokenUse, .tokenForgotten:
            break
        }
    }

    /// Why, by what its home decided, a host may not trust a member of `domain`; nil when it may.
    func partnerFlaw(of node: NodeID, in domain: DomainID, at host: Int) -> String? {
        let disk = hosts[host].disk
        guard let home = disk.home, domain != home.domain else { return nil }
        guard let partner = disk.partners.decided?.body.partner(domain) else {
            return "host \(host) trusts \(node.brief) of \(domain.brief), which is no partner"
        }
        guard let roles = partner.roles else { return nil }
        let held = disk.credentials[node]?.chain.roles ?? []
        return held.contains(where: roles.contains)
            ? nil : "host \(host) trusts \(node.brief), which holds none of \(roles)"
    }

    /// Who trusts across domains does so as its operator said, and no more.
    mutating func inspectPartners(of host: Int) {
        for (node, peer) in hosts[host].disk.peers where peer.state == .trusted {
            guard let domain = peer.domain else { continue }
            note(.partnersAsDecided, partnerFlaw(of: node, in: domain, at: host))
        }
    }

    /// Members of one domain hold the same decision and the same bundles.
    mutating func inspectPapers(_ one: Int, _ other: Int) {
        let (mine, theirs) = (hosts[one].disk.partners, hosts[other].disk.partners)
        guard mine.decided == theirs.decided else {
            let numbers = [mine, theirs].map { $0.decided?.body.sequence ?? 0 }
            return breach(.partnersConverge, "hosts \(one), \(other) hold decisions \(numbers)")
        }
        guard sequences(mine) == sequences(theirs) else {
            let texts = [mine, theirs].map { sequences($0).map { "\($0.0.brief) \($0.1)" } }
            return breach(.partnersConverge, "hosts \(one), \(other) hold bundles \(texts)")
        }
    }

    private func sequences(_ papers: StoredPartners) -> OrderedTable<DomainID, Int64> {
        var found = OrderedTable<DomainID, Int64>()
        for bundle in papers.bundles { found[bundle.body.domain] = bundle.body.sequence }
        return found
    }

    /// Who is accepted by both operators is trusted and linked, and both hold the same bundles of the two.
    mutating func inspectPartners(_ one: Int, _ other: Int) {
        guard areBothAccepted(one, other), let mine = hosts[one].disk.home?.domain,
            let theirs = hosts[other].disk.home?.domain
        else { return }
        let (node, far) = (hosts[one].node, hosts[other].node)
        guard hosts[one].agent?.node.trust.pins.isTrusted(far) == true,
            !isKept(one, other) || hosts[one].agent?.node.gossip.link(with: far) != nil,
            hosts[other].agent?.node.trust.pins.isTrusted(node) == true
        else {
            return breach(.partnersConverge, "host \(one) has no link with host \(other) of a partner domain")
        }
        statistics.partnerPairs += 1
        guard isKept(one, other) else { return }
        let (here, there) = (sequences(hosts[one].disk.partners), sequences(hosts[other].disk.partners))
        for domain in [mine, theirs] where here[domain] != there[domain] {
            let numbers = [here, there].map { $0[domain] ?? 0 }
            breach(.partnersConverge, "hosts \(one), \(other) hold bundles \(numbers) of \(domain.brief)")
        }
    }

    private func areBothAccepted(_ one: Int, _ other: Int) -> Bool {
        one < other
            && [(one, other), (other, one)].allSatisfy { here, there in
                guard hosts[here].agent != nil, hosts[here].isHonest, let home = hosts[here].disk.home,
                    let theirs = hosts[there].disk.home, theirs.domain != home.domain,
                    countsAnywhere(home.chain, of: hosts[here].node, at: here),
                    countsAnywhere(theirs.chain, of: hosts[there].node, at: here),
                    let partner = hosts[here].disk.partners.decided?.body.partner(theirs.domain)
                else { return false }
                let held = theirs.chain.roles
                let state = hosts[here].disk.peers[hosts[there].node]?.state
                return partner.roles.map { held.contains(where: $0.contains) } != false
                    && state != .suspended && state != .revoked
                    && hosts[here].disk.revokedPins[suite.pin(of: hosts[there].key.publicKey)] == nil
            }
    }
}

extension CredentialChain {
    /// What its holder may do: what the credential names, and to issue, by a certificate of the anchor's.
    fileprivate var roles: [DomainRole] {
        credential.body.roles.roles + (authority == nil ? [] : [.issue])
    }
}
