import MeshAgreements
import MeshBase

extension CallView {
    /// This view less what a later one takes away, and with nothing of what that one gives: what may count
    /// while the later one is not durable (protocol section 3: downward is immediate, upward is not).
    ///
    /// Taken away are agreements that ended (one that another version replaced stands, for neither is that
    /// durable), the trust of peers, links that fell, what memberships are worth, and resources and
    /// capabilities that are provided no more, or not to so many.
    public func lessened(by later: CallView) -> CallView {
        var agreements = agreements
        for (peer, index) in agreements {
            agreements[peer] = index.lessened(by: later.agreements[peer] ?? [])
        }
        return CallView(
            me: me, name: name, peers: peers.lessened(by: later.peers) { $0.lessened(by: $1) },
            agreements: agreements, domainAgreements: domainAgreements.lessened(by: later.domainAgreements),
            resources: resources.lessened(by: later.resources) { $0.lessened(by: $1) },
            descriptions: descriptions, routes: routes,
            domain: later.domain.flatMap { domain?.lessened(by: $0) },
            damaged: damaged, configuration: configuration)
    }
}

extension OrderedTable {
    /// The entries that are in both, each less what the later one takes away; nil: it is gone.
    fileprivate func lessened(by later: Self, _ lessen: (Value, Value) -> Value?) -> Self {
        var left = Self()
        for (key, value) in self { left[key] = later[key].flatMap { lessen(value, $0) } }
        return left
    }
}

extension CallPeer {
    fileprivate func lessened(by later: CallPeer) -> CallPeer {
        CallPeer(
            name: name, trust: later.trust == .trusted ? trust : later.trust,
            link: later.link == .up ? link : later.link, address: origin.address, relay: origin.relay,
            membership: later.membership.flatMap { membership?.lessened(by: $0) }, encryption: encryption,
            catalog: catalog)
    }
}

extension Membership {
    fileprivate func lessened(by later: Membership) -> Membership? {
        guard domain == later.domain else { return nil }
        return Membership(
            domain: domain, roles: roles.filter(later.roles.contains), until: min(until, later.until))
    }
}

extension CallDomain {
    fileprivate func lessened(by later: CallDomain) -> CallDomain? {
        membership.lessened(by: later.membership).map { left in
            let members = members.lessened(by: later.members) { member, now in
                member.membership.lessened(by: now.membership).map {
                    CallMember(membership: $0, offers: member.offers.keys)
                }
            }
            return CallDomain(membership: left, house: house, members: members)
        }
    }
}

extension OfferedResource {
    fileprivate func lessened(by later: OfferedResource) -> OfferedResource? {
        if self == later { return self }
        let (before, now) = (resource.description, later.resource.description)
        let capabilities = before.capabilities.filter(Set(now.capabilities).contains)
        // One whose last capability went, or that is another thing now.
        guard !capabilities.isEmpty, before.protocol == now.protocol else { return nil }
        let description = ResourceDescription(
            name: before.name, protocol: before.protocol, capabilities: capabilities, labels: before.labels)
        return OfferedResource(
            resource: LocalResource(
                description: description, url: resource.url,
                timeoutInMilliseconds: resource.timeoutInMilliseconds, kept: resource.kept),
            offeredTo: offeredTo.filter(later.offeredTo.contains),
            toDomain: later.toDomain == .offered ? toDomain : .withheld)
    }
}

extension AgreementIndex {
    /// What is in force in both, or gave way to another version that is, stays in force; what else is in
    /// force only here stands as it does later, or is gone.
    fileprivate func lessened(by later: AgreementIndex) -> AgreementIndex {
        var standing: [Digest: AgreementTerms] = [:]
        for terms in later.terms { standing[terms.contentID] = terms }
        let left = terms.compactMap { terms in
            guard terms.standing == .active else { return terms }
            let now = standing[terms.contentID]
            if now?.standing == .active || later.hasVersionInForce(of: terms.agreement) { return terms }
            return now
        }
        // What cuts off calls does so, whatever of it was known before: it permits nothing.
        let kept = Set(left.map(\.contentID))
        let cutting = later.terms.filter { $0.callsUnderWay == .cut && !kept.contains($0.contentID) }
        return left == terms && cutting.isEmpty ? self : AgreementIndex(left + cutting)
    }
}
