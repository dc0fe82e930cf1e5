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

    /// A house agreement that is over, or will be within a month: only where its anchor's key lies is the
    /// next one made, when that agent starts.
    var houseAttention: [AttentionReport] {
        guard let house, let until = house.until,
            until.time < now.wall + .seconds(30 * 24 * 3_600)
        else { return [] }
        let verb = until.time > now.wall ? "ends" : "ended"
        return [
            AttentionReport(
                what: "the house agreement of \(house.domain.brief) \(verb) at \(RFC3339.text(until.time)): "
                    + "start the agent in whose home the anchor's key lies",
                next: "comity agreement show house")
        ]
    }

    private func state(of document: HouseDocument?, _ own: Membership) -> AgreementReport.State {
        guard let document else { return .offered }
        let end = now.wall + AgreementLimits.clockMargin
        return end <= document.body.until && end <= own.until ? .active : .expired
    }

    /// What the house agreement permits between this node and `peer` now; empty where that is nothing.
    func houseFacts(about peer: NodeID, asProvider: Bool) -> [Fact] {
        let names =
            asProvider
            ? node.offeredToDomain.keys : node.gossip.resourcesOfferedToDomain(by: peer, at: now.wall)
        guard let house, house.state == .active, let until = house.until, !names.isEmpty,
            let membership = node.agreements.membership(of: peer), membership.domain == house.domain,
            now.wall + AgreementLimits.clockMargin <= membership.until
        else { return [] }
        let end = min(until.time, house.memberUntil.time, membership.until)
        return [
            Fact(
                names.map(\.description).joined(separator: ", "),
                "offered to the domain, under its house agreement, until \(RFC3339.text(end))")
        ]
    }

    /// What the house agreement lacks to permit anything between this node and `peer`; empty where it lacks
    /// nothing but an offer, and where the two were never in one domain.
    func houseReasons(about peer: NodeID, asProvider: Bool) -> [Refusal] {
        guard let own = node.agreements.membership(of: me) else { return [] }
        let theirs = node.agreements.membership(of: peer)
        guard theirs?.domain == own.domain || node.trust.pins[peer]?.domain == own.domain else { return [] }
        let standing = HouseStanding(
            terms: node.agreements.house?.terms(using: suite), caller: asProvider ? theirs : own,
            callee: asProvider ? own : theirs, isOffered: true)
        let question = PolicyQuestion(
            side: asProvider ? .provider : .consumer, caller: asProvider ? peer : me,
            callee: asProvider ? me : peer, resource: .echo, capability: .echo, safety: .safe,
            method: "POST", principal: .local, now: now.wall)
        guard case .refused(let reasons) = PolicyEvaluator.decide(question, over: [], house: standing) else {
            return []
        }
        return reasons.filter { $0.code != .agreementMissing }
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
            safety: .safe, method: "GET", principal: .local, now: now.wall)
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
