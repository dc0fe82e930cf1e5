import MeshAgreements
import MeshBase
import MeshGossip
import MeshNode
import MeshRouting
import MeshSimulator
import MeshTrust

/// What a place at the table keeps when its node ends.
struct NodeShelf {
    var peers = OrderedTable<NodeID, PeerRecord>()
    var revokedPins = OrderedTable<Pin, NodeID>()
    var invites = OrderedTable<InviteName, InviteRecord>()
    var agreements = OrderedTable<Digest, AgreementRecord>()
    var domainAgreements = OrderedTable<Digest, DomainAgreementRecord<CredentialChain>>()
    var heads: [StoredHead] = []
    var resources = OrderedTable<ResourceName, LocalResource>()
    var offeredToDomain = OrderedTable<ResourceName, DomainOffer>()
    var houses = OrderedTable<DomainID, HouseDocument>()
    var routes = OrderedTable<ResourceName, RouteRule>()
    var endpoints: [ProvenEndpoint] = []
    var home: HomeDomain?
    var people = OrderedTable<NodeName, VouchingRecord>()
    var credentials = OrderedTable<NodeID, StoredCredential>()
    var partners = StoredPartners()
    var convictions = OrderedTable<NodeID, Conviction>()
    var tokenUses = OrderedTable<Pin, TokenUse>()
    /// The key of the anchor that lies in this home, if one does.
    var anchor: SimulatedKey?

    mutating func keep(_ change: NodeChange) {
        switch change {
        case .trust(.peer(let peer)):
            peers[peer.node] = peer
            if peer.state == .revoked { revokedPins[peer.pin] = peer.node }
        case .trust(.peerForgotten(let node)): peers[node] = nil
        case .trust(.home(let domain)): home = domain
        case .trust(.credential(let credential)): credentials[credential.node] = credential
        case .trust(.credentialGone(let node)): credentials[node] = nil
        case .trust(.conviction(let conviction)): convictions[conviction.node] = conviction
        case .trust(.convictionGone(let node)): convictions[node] = nil
        case .trust(.tokenUse(let use)): tokenUses[use.token] = use
        case .trust(.tokenForgotten(let token)): tokenUses[token] = nil
        case .trust(.partnerships(let decision)): partners.decided = decision
        case .trust(.bundle(let bundle)): partners.keep(bundle)
        case .trust(.bundleGone(let domain)): partners.drop(domain)
        case .trust(.invite(let invite)): invites[invite.name] = invite
        case .trust(.inviteGone(let name)): invites[name] = nil
        case .trust(.ownBoot): break
        case .gossip(.headGone(let owner, let audience)):
            heads.removeAll { $0.head.body.owner == owner && $0.head.body.audience == audience }
        case .gossip(.head(let stored)):
            let body = stored.head.body
            heads.removeAll { $0.head.body.owner == body.owner && $0.head.body.audience == body.audience }
            heads.append(stored)
        case .agreement(let record): agreements[record.contentID] = record
        case .agreementForgotten(let contentID): agreements[contentID] = nil
        case .domainAgreement(let record): domainAgreements[record.contentID] = record
        case .domainAgreementForgotten(let contentID): domainAgreements[contentID] = nil
        case .person(let person): people[person.body.name] = person
        case .personForgotten(let name): people[name] = nil
        case .resource(let resource, let offer):
            resources[resource.name] = resource
            offeredToDomain[resource.name] = offer == .offered ? offer : nil
        case .houseAgreement(let document): houses[document.body.domain] = document
        case .resourceRemoved(let name):
            resources[name] = nil
            offeredToDomain[name] = nil
        case .route(let resource, let rule): routes[resource] = rule.isEmpty ? nil : rule
        case .endpoint(let node, let endpoint):
            endpoints.append(ProvenEndpoint(node: node, endpoint: endpoint))
        case .endpointForgotten(let node, let endpoint):
            endpoints.removeAll { $0 == ProvenEndpoint(node: node, endpoint: endpoint) }
        }
    }

    var restored: RestoredNode {
        var node = RestoredNode()
        node.peers = peers.values
        node.revokedPins = revokedPins.map { RevokedPin(pin: $0.0, node: $0.1) }
        node.invites = invites.values
        node.agreements = agreements.values
        node.people = people.values
        node.domainAgreements = domainAgreements.values
        node.heads = heads
        node.resources = resources.values
        node.offeredToDomain = offeredToDomain.keys
        node.houseAgreements = houses.values
        node.routes = routes.map { StoredRoute(resource: $0.0, rule: $0.1) }
        node.endpoints = endpoints
        node.home = home
        node.credentials = credentials.values
        node.convictions = convictions.values
        node.tokenUses = tokenUses.values
        node.partners = partners
        node.anchor = anchor?.publicKey
        return node
    }
}
