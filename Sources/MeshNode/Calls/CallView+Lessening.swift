import MeshAgreements
import MeshBase

extension CallView {
    /// This view less what a later one takes away, and with nothing of what that one gives: what may count
    /// while the later one is not durable (protocol section 3: downward is immediate, upward is not).
    ///
    /// Taken away are agreements that are in force no more, the trust of peers, their and this node's
    /// memberships, and resources that are no longer provided.
    public func lessened(by later: CallView) -> CallView {
        var (peers, agreements, resources) = (peers, agreements, resources)
        for (node, peer) in peers {
            guard let now = later.peers[node] else {
                peers[node] = nil
                continue
            }
            peers[node] = peer.lessened(by: now)
        }
        for (node, index) in agreements {
            agreements[node] = index.lessened(by: later.agreements[node] ?? [])
        }
        for name in resources.keys where later.resources[name] == nil { resources[name] = nil }
        return CallView(
            me: me, name: name, peers: peers, agreements: agreements,
            domainAgreements: domainAgreements.lessened(by: later.domainAgreements), resources: resources,
            descriptions: descriptions, routes: routes, domain: later.domain == nil ? nil : domain,
            damaged: damaged, configuration: configuration)
    }
}

extension CallPeer {
    fileprivate func lessened(by later: CallPeer) -> CallPeer {
        CallPeer(
            name: name, trust: later.trust == .trusted ? trust : later.trust, link: link,
            address: origin.address, relay: origin.relay,
            membership: later.membership == nil ? nil : membership, encryption: encryption,
            catalog: catalog)
    }
}

extension AgreementIndex {
    /// What is in force in both stays so; what is in force only here stands as it does later, or is gone.
    fileprivate func lessened(by later: AgreementIndex) -> AgreementIndex {
        var standing: [Digest: AgreementTerms] = [:]
        for terms in later.terms { standing[terms.contentID] = terms }
        let left = terms.compactMap { terms in
            guard terms.standing == .active else { return terms }
            guard let now = standing[terms.contentID] else { return nil }
            return now.standing == .active ? terms : now
        }
        return left == terms ? self : AgreementIndex(left)
    }
}
