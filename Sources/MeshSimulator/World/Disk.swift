import MeshAgreements
import MeshAudit
import MeshBase
import MeshGossip
import MeshNode
import MeshRouting
import MeshTrust

/// What a host keeps when its agent ends: the store, whose commits are synced when they return, and the
/// journal, whose records are written first and synced later.
struct Disk: Sendable {
    private(set) var peers = OrderedTable<NodeID, PeerRecord>()
    private(set) var revokedPins = OrderedTable<Pin, NodeID>()
    private(set) var invites = OrderedTable<InviteName, InviteRecord>()
    private(set) var agreements = OrderedTable<Digest, AgreementRecord>()
    private(set) var people = OrderedTable<NodeName, VouchingRecord>()
    private(set) var heads = OrderedTable<HeadKey, StoredHead>()
    private(set) var resources = OrderedTable<ResourceName, LocalResource>()
    private(set) var offeredToDomain = OrderedTable<ResourceName, DomainOffer>()
    private(set) var houses = OrderedTable<DomainID, HouseDocument>()
    private(set) var domainAgreements = OrderedTable<Digest, DomainAgreementRecord<CredentialChain>>()
    private(set) var routes = OrderedTable<ResourceName, RouteRule>()
    private(set) var endpoints = OrderedTable<NodeID, [Endpoint]>()
    private(set) var home: HomeDomain?
    private(set) var credentials = OrderedTable<NodeID, StoredCredential>()
    private(set) var partners = StoredPartners()
    private(set) var convictions = OrderedTable<NodeID, Conviction>()
    private(set) var tokenUses = OrderedTable<Pin, TokenUse>()
    /// The keys for sealed payloads, without their private parts: a file of its own.
    var encryption: HeldEncryptionKeys?
    private(set) var keys = OrderedTable<IdempotencyBook.Key, IdempotencyBook.Entry>()
    private(set) var meters = OrderedTable<MeterKey, MeterRecord>()
    private(set) var journal: [AuditRecord] = []
    /// How many records of the journal would survive the loss of power.
    private(set) var syncedCount = 0
    /// Whether it was put back from a backup, as `comity restore` does.
    private(set) var origin = HomeOrigin.own
    /// The highest boot number given out.
    private(set) var boot: Int64 = 0

    /// Whose head, for whom.
    struct HeadKey: Comparable, Sendable {
        let owner: NodeID
        let audience: Audience
        static func < (left: Self, right: Self) -> Bool {
            (left.owner, left.audience) < (right.owner, right.audience)
        }
    }

    /// The number of the next run.
    mutating func nextBoot(at wall: WallTime) -> Int64 {
        boot = max(boot + 1, wall.milliseconds)
        return boot
    }

    /// As a restored home is: marked, and without invites, which somebody may have used since.
    var restoredFromBackup: Disk {
        var disk = self
        disk.origin = .backup
        // In no backup: what was recorded of calls must not open with one.
        disk.encryption = nil
        disk.invites = OrderedTable()
        return disk
    }

    mutating func commit(_ change: NodeChange) {
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
        case .trust(.ownBoot(let new)): boot = max(boot, new.number)
        case .gossip(.head(let stored)):
            let body = stored.head.body
            heads[HeadKey(owner: body.owner, audience: body.audience)] = stored
        case .gossip(.headGone(let owner, let audience)):
            heads[HeadKey(owner: owner, audience: audience)] = nil
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
            endpoints[node] = [endpoint] + (endpoints[node] ?? []).filter { $0 != endpoint }.prefix(7)
        case .endpointForgotten(let node, let endpoint): endpoints[node]?.removeAll { $0 == endpoint }
        }
    }

    mutating func commit(_ entry: IdempotencyBook.Entry) {
        keys[entry.key] = entry.until.milliseconds == 0 ? nil : entry
    }

    mutating func commit(_ record: MeterRecord) { meters[record.key] = record }

    mutating func append(_ records: [AuditRecord]) { journal += records }

    mutating func sync(upTo count: Int) { syncedCount = max(syncedCount, min(count, journal.count)) }

    /// Power is gone: of what was not synced a beginning of any length is left, for the system may have
    /// written it.
    mutating func losePower(using generator: inout SeededGenerator) {
        let unsynced = journal.count - syncedCount
        let kept = syncedCount + Int(generator.number(below: UInt64(unsynced) + 1))
        journal.removeLast(journal.count - kept)
    }

    // MARK: What a lying disk forgets, in tests of the checkers

    mutating func forget(_ tampering: Tampering?) {
        switch tampering {
        case .oneAgreementForgotten:
            for peer in peers.keys {
                guard let record = agreements.values.first(where: { $0.peer == peer && $0.state.isActive })
                else { continue }
                agreements[record.contentID] = nil
            }
        case .revocationsForgotten:
            revokedPins = OrderedTable()
            for peer in peers.values where peer.state == .revoked { peers[peer.node] = peer.trustedAgain }
        case .recordsForgotten: journal.removeLast(min(journal.count, 20))
        case .headsForgotten: heads = OrderedTable()
        case .invitesForgotten: for invite in invites.values { invites[invite.name] = invite.unused }
        case .bootsForgotten: for peer in peers.values { peers[peer.node] = peer.withoutBoot }
        case .tokenUsesForgotten: tokenUses = OrderedTable()
        case .metersForgotten: meters = OrderedTable()
        case .keysForgotten, .catalogUnkept, .agreementsUnkept, .answersDoubled, .headsMisdelivered,
            .neverHealed, .bothKeysStolen, .alarmsUnheard, .closesIgnored, .contradictionsLost,
            .enginesOverheard, .listsForged, .greetingsForged, .keptMixedUp, .payloadsClear, .decisionsUnkept,
            .rolesUntold, .relaysOpen,
            .anchorsStolen, .drainsCut, .credentialsUnkept, .seedsStolen, .daysUnseen, .approvalsUnkept,
            .acceptancesUnkept,
            .cutsIgnored,
            nil:
            break
        }
    }

    /// What a node finds at start.
    var restored: RestoredNode {
        var node = RestoredNode()
        node.encryption = encryption
        node.peers = peers.values
        node.revokedPins = revokedPins.map { RevokedPin(pin: $0.0, node: $0.1) }
        node.invites = invites.values
        node.agreements = agreements.values
        node.people = people.values
        node.heads = heads.values
        node.resources = resources.values
        node.origin = origin
        node.offeredToDomain = offeredToDomain.keys
        node.houseAgreements = houses.values
        node.domainAgreements = domainAgreements.values
        node.routes = routes.map { StoredRoute(resource: $0.0, rule: $0.1) }
        node.home = home
        node.credentials = credentials.values
        node.convictions = convictions.values
        node.tokenUses = tokenUses.values
        node.partners = partners
        node.endpoints = endpoints.flatMap { node, list in
            list.map { ProvenEndpoint(node: node, endpoint: $0) }
        }
        return node
    }

    /// The journal's whole events, and what is unfinished.
    var fold: (events: [AuditEvent], unfinished: UnfinishedCalls, orphans: [AuditSettlement]) {
        var fold = AuditFold()
        let events = journal.compactMap { fold.add($0) }
        return (events, fold.unfinished, fold.orphans)
    }
}

extension PeerRecord {
    fileprivate var trustedAgain: PeerRecord {
        PeerRecord(
            node: node, key: key, pin: pin, inception: inception, name: name, state: .trusted, since: since,
            evidence: evidence, boot: boot, domain: domain)
    }
}

extension PeerRecord {
    fileprivate var withoutBoot: PeerRecord {
        PeerRecord(
            node: node, key: key, pin: pin, inception: inception, name: name, state: state, since: since,
            evidence: evidence, boot: nil, domain: domain)
    }
}

extension InviteRecord {
    fileprivate var unused: InviteRecord {
        InviteRecord(
            name: name, secret: secret, expires: expires, confirmation: .none, usedBy: nil,
            wrongProofs: wrongProofs)
    }
}

extension AgreementState {
    fileprivate var isActive: Bool {
        switch self {
        case .active: true
        case .offered, .signed, .ended: false
        }
    }
}
