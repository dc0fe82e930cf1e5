import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// What the members of this node's domain may do with one another.
extension ReportWriter {
    /// The house agreement of this node's domain; nil while it is in none.
    var house: HouseReport? {
        guard let own = node.agreements.membership(of: me) else { return nil }
        let document = node.agreements.house
        let members = node.trust.pins.peers.values.compactMap { peer -> HouseReport.HouseMember? in
            guard peer.state == .trusted, let membership = node.agreements.membership(of: peer.node),
                membership.domain == own.domain
            else { return nil }
            return HouseReport.HouseMember(
                node: reference(peer.node), until: Timestamp(membership.until),
                offered: node.gossip.resourcesOfferedToDomain(by: peer.node, at: now.wall))
        }
        return HouseReport(
            id: document?.agreement.contentID(using: suite).description, domain: own.domain,
            state: state(of: document, own), agreementVersion: document?.body.version,
            issued: document.map { Timestamp($0.body.issued) },
            until: document.map { Timestamp($0.body.until) }, memberUntil: Timestamp(own.until),
            offered: node.offeredToDomain.keys, members: members.sorted { $0.node.title < $1.node.title })
    }

    private func state(of document: HouseDocument?, _ own: Membership) -> AgreementReport.State {
        guard let document else { return .offered }
        let end = now.wall + AgreementLimits.clockMargin
        return end <= document.body.until && end <= own.until ? .active : .expired
    }

    /// Until when the house agreement lets this node call `resource` at `peer`; nil where it does not.
    func housePermit(for resource: ResourceName, at peer: NodeID) -> (agreement: String, until: WallTime)? {
        guard let own = node.agreements.membership(of: me),
            let theirs = node.agreements.membership(of: peer),
            let document = node.agreements.house
        else { return nil }
        let standing = HouseStanding(
            terms: document.terms(using: suite), caller: own, callee: theirs,
            isOffered: isOfferedToDomain(resource, by: peer))
        let question = PolicyQuestion(
            side: .consumer, caller: me, callee: peer, resource: resource, capability: resource,
            principal: .local, now: now.wall)
        guard case .permitted(let id) = PolicyEvaluator.decide(question, over: [], house: standing) else {
            return nil
        }
        return (id.description, min(own.until, theirs.until, document.body.until))
    }

    /// Whether `peer` offers `resource` to the domain of both now.
    func isOfferedToDomain(_ resource: ResourceName, by peer: NodeID) -> Bool {
        node.gossip.resourcesOfferedToDomain(by: peer, at: now.wall).contains(resource)
    }

    /// Whether `id` is the house agreement that counts here now.
    func isHouse(_ id: Digest) -> Bool {
        node.agreements.house?.agreement.contentID(using: suite) == id
    }
}
