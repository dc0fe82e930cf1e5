import MeshAgreements
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

// What calls are decided by, made from what the machines hold.
extension Node {
    /// The view as it is now, for a desk that begins.
    public func callView(at now: Moment) -> CallView {
        var peers = OrderedTable<NodeID, CallPeer>()
        var terms = OrderedTable<NodeID, AgreementIndex>()
        var descriptions = OrderedTable<NodeID, OrderedTable<ResourceName, ResourceDescription>>()
        var offeredTo = OrderedTable<ResourceName, [NodeID]>()
        for peer in trust.pins.peers.values {
            // Others may vouch for one that is known and not trusted: no call rests on what they bring of it.
            let isTrusted = peer.state == .trusted
            let link = gossip.link(with: peer.node)
            peers[peer.node] = CallPeer(
                name: peer.name, trust: CallTrust(peer.state), link: linkState(of: peer),
                address: link?.address, relay: link?.relay,
                membership: agreements.membership(of: peer.node),
                encryption: isTrusted ? gossip.encryptionKey(of: peer.node, at: now.wall) : nil,
                catalog: catalogState(of: peer.node, at: now))
            terms[peer.node] = agreements.terms(with: peer.node)
            for resource in resourcesOffered(to: peer.node, at: now.wall) {
                if offeredTo.update(resource, { $0.append(peer.node) }) == nil {
                    offeredTo[resource] = [peer.node]
                }
            }
            var described = OrderedTable<ResourceName, ResourceDescription>()
            for resource in isTrusted ? gossip.resources(of: peer.node, at: now.wall) : [] {
                described[resource.name] = resource
            }
            if !described.isEmpty { descriptions[peer.node] = described }
        }
        var offered = OrderedTable<ResourceName, OfferedResource>()
        for resource in resources.values {
            offered[resource.name] = OfferedResource(
                resource: resource, offeredTo: offeredTo[resource.name] ?? [],
                toDomain: offeredToDomain[resource.name] ?? .withheld)
        }
        return CallView(
            me: me.node, name: me.name, peers: peers, agreements: terms,
            domainAgreements: domainAgreements.index, resources: offered,
            descriptions: descriptions, routes: routes, domain: callDomain(at: now),
            damaged: damagedAgreements, configuration: configuration.calls)
    }

    /// What a refusal says of agreements that the store holds otherwise than they were signed, this node's or
    /// the peer's: two of a peer's are enough to look for the others.
    private var damagedAgreements: OrderedTable<NodeID, [Refusal]> {
        var damaged = OrderedTable<NodeID, [Refusal]>()
        for agreement in agreements.damaged {
            let known = damaged[agreement.peer] ?? []
            if known.count < 2 { damaged[agreement.peer] = known + [agreement.refusal] }
        }
        for (peer, drift) in drifts.known {
            for difference in drift.differences where difference.isDamagedThere {
                let known = damaged[peer] ?? []
                guard known.count < 2, let id = difference.agreement else { continue }
                let facts = [
                    Fact("agreement", id), Fact("here", difference.here), Fact("there", difference.there),
                ]
                damaged[peer] = known + [Refusal(.documentInvalid, facts)]
            }
        }
        return damaged
    }

    /// This node's domain and its other members, with what each offers to all of them; nil while this node is
    /// in none.
    private func callDomain(at now: Moment) -> CallDomain? {
        guard let own = agreements.membership(of: me.node) else { return nil }
        var members = OrderedTable<NodeID, CallMember>()
        for peer in trust.pins.peers.values where peer.state == .trusted {
            guard let membership = agreements.membership(of: peer.node), membership.domain == own.domain
            else { continue }
            members[peer.node] = CallMember(
                membership: membership,
                offers: gossip.resourcesOfferedToDomain(by: peer.node, at: now.wall))
        }
        return CallDomain(
            membership: own, house: agreements.house?.terms(using: suite), members: members)
    }

    /// A trusted peer without a link is redialled for ever, or dialled when a call comes: its calls may wait.
    private func linkState(of peer: PeerRecord) -> CallLink {
        guard peer.state == .trusted else { return .down }
        guard gossip.link(with: peer.node) != nil else {
            return overlay.isKept(peer.node) ? .dialling : .atRest
        }
        return overlay.isInUse(peer.node) ? .up : .atRest
    }

    /// What a peer offers to this node alone is told over their link, and is over soon after it.
    private func catalogState(of node: NodeID, at now: Moment) -> CallCatalog {
        let isAwaited = overlay.isCatalogAwaited(of: node, at: now.instant)
        return isAwaited && !gossip.isCatalogCurrent(of: node, at: now.wall) ? .awaited : .known
    }
}

extension CallTrust {
    init(_ state: TrustState) {
        switch state {
        case .trusted: self = .trusted
        case .pending, .verified: self = .untrusted
        case .suspended: self = .suspended
        case .revoked: self = .revoked
        }
    }
}

extension Node {
    /// What of this node's `peer` may know of: what is offered to it or agreed with it, by itself or as one
    /// of a domain; each once, by name.
    func resourcesOffered(to peer: NodeID, at wall: WallTime) -> [ResourceName] {
        let own = agreements.resourcesOffered(to: peer, by: me.node)
        let granted = domainAgreements.resourcesGranted(to: peer, at: wall).filter { resources[$0] != nil }
        return granted.isEmpty ? own : Array(Set(own + granted)).sorted()
    }
}

extension AgreementBook {
    /// What stands offered to `node` or agreed with it, with `me` as provider; each once, by name.
    func resourcesOffered(to node: NodeID, by me: NodeID) -> [ResourceName] {
        var names = OrderedTable<ResourceName, Bool>()
        for terms in terms(with: node).terms where terms.agreement.source == me && terms.standing != .ended {
            for grant in terms.agreement.grants { names[grant.resource] = true }
        }
        return names.keys
    }
}
