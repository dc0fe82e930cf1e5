import MeshAgreements
import MeshBase
import MeshGossip
import MeshNode
import MeshRouting
import MeshStore
import MeshTrust
import MeshWire

/// Translates between what the node keeps and the store's rows. Signed documents are stored as they were
/// signed.
enum StoredNode {
    private static let limit = 256 * 1024
    private static let textLimit = 4 * 1024
    /// How a resource's row says that it is offered to the domain.
    private static let domainWord = "domain"

    /// What the node knew when it stopped.
    static func restored(from stored: StoredState) throws -> RestoredNode {
        var node = RestoredNode()
        node.peers = try stored.peers.map(peer)
        node.revokedPins = stored.keys.filter { $0.state == .revoked }.map {
            RevokedPin(pin: $0.pin, node: $0.node)
        }
        node.invites = try stored.invites.map(invite)
        for row in stored.agreements {
            // One row that cannot be read takes nothing else with it.
            do {
                node.agreements.append(try agreement(row))
            } catch {
                node.damagedAgreements.append(damaged(row, String(describing: error)))
            }
        }
        node.heads = try stored.heads.map { head in
            StoredHead(
                head: try read(head.document),
                records: try stored.records.filter { $0.owner == head.owner && $0.audience == head.audience }
                    .map { try read($0.body) })
        }
        node.resources = stored.resources.map(\.resource)
        node.offeredToDomain = stored.resources.filter { $0.offeredTo.contains(domainWord) }.map(\.name)
        node.houseAgreements = try stored.houses.map { row in
            HouseDocument(anchor: PublicKey(info: row.anchor), agreement: try read(row.document))
        }
        for row in stored.domainAgreements {
            do {
                node.domainAgreements.append(
                    DomainAgreementRecord(contentID: row.contentID, content: try read(row.document)))
            } catch {
                // Members show again what is lost so.
                node.unreadableDomainAgreements.append(row.contentID)
            }
        }
        for row in stored.people {
            do {
                node.people.append(try person(row))
            } catch {
                node.damagedPeople.append(damaged(row, String(describing: error)))
            }
        }
        node.routes = stored.routes.map { route in
            StoredRoute(
                resource: route.resource,
                rule: RouteRule(
                    providers: route.via.map { RouteProvider($0.node, weight: $0.weight) },
                    preferences: route.choice.preferences, preferred: route.choice.preferred,
                    order: route.choice.order, hedge: route.choice.hedge))
        }
        node.origin = stored.settings.contains { $0.key == RestoredHome.setting } ? .backup : .own
        node.credentials = try stored.credentials.map {
            StoredCredential(node: $0.node, chain: try read($0.chain))
        }
        node.convictions = stored.convictions.map {
            Conviction(node: $0.node, evidence: $0.evidence, since: $0.since)
        }
        node.tokenUses = stored.tokenUses.map {
            TokenUse(token: $0.token, until: $0.until, usedBy: $0.usedBy)
        }
        node.home = try stored.settings.first { $0.key == homeSetting }.map { try home($0.value) }
        for row in stored.papers {
            switch row.kind {
            case .partnerships: node.partners.decided = try read(row.document)
            case .bundle: node.partners.keep(try read(row.document))
            }
        }
        node.endpoints = stored.endpoints.map { ProvenEndpoint(node: $0.node, endpoint: $0.endpoint) }
        return node
    }

    /// The rows that a change writes, in order.
    static func changes(for change: NodeChange, at now: WallTime) throws(WireError) -> [StoreChange] {
        switch change {
        case .trust(.peer(let peer)): try rows(of: peer, at: now)
        case .trust(.peerForgotten(let node)): [.removePeer(node)]
        case .trust(.invite(let invite)): [.putInvite(row(of: invite, at: now))]
        case .trust(.home(let home)): [.putSetting(try row(of: home))]
        case .trust(.credential(let credential)):
            [
                .putCredential(
                    CredentialRow(node: credential.node, chain: try Document.encode(credential.chain)))
            ]
        case .trust(.credentialGone(let node)): [.removeCredential(node)]
        case .trust(.conviction(let conviction)):
            [
                .putConviction(
                    ConvictionRow(
                        node: conviction.node, evidence: conviction.evidence, since: conviction.since))
            ]
        case .trust(.convictionGone(let node)): [.removeConviction(node)]
        case .trust(.tokenUse(let use)):
            [.putTokenUse(TokenUseRow(token: use.token, until: use.until, usedBy: use.usedBy))]
        case .trust(.tokenForgotten(let token)): [.removeTokenUse(token: token)]
        case .trust(.partnerships(let decision)):
            [.putPaper(try row(of: decision, .partnerships, decision.body.domain, at: now))]
        case .trust(.bundle(let bundle)):
            [.putPaper(try row(of: bundle, .bundle, bundle.body.domain, at: now))]
        case .trust(.bundleGone(let domain)): [.removePaper(.bundle, domain)]
        case .trust(.inviteGone(let name)): [.removeInvite(id: name.octets.bytes)]
        case .trust(.ownBoot(let boot)): [.putSetting(NodeIdentity.row(of: boot))]
        case .gossip(.head(let stored)): try rows(of: stored)
        case .gossip(.headGone(let owner, let audience)):
            [.removeHead(owner: owner, audience: audience.description)]
        case .agreement(let record): [.putAgreement(try row(of: record, at: now))]
        case .agreementForgotten(let contentID): [.removeAgreement(contentID: contentID)]
        case .domainAgreement(let record):
            [
                .putDomainAgreement(
                    DomainAgreementRow(
                        contentID: record.contentID, agreement: record.agreement.id.description,
                        document: try Document.encode(record.content), updated: now))
            ]
        case .domainAgreementForgotten(let contentID): [.removeDomainAgreement(contentID: contentID)]
        case .person(let person):
            [
                .putPerson(
                    PersonRow(
                        name: person.body.name, document: try Document.encode(person.document),
                        ended: person.ended, updated: now))
            ]
        case .personForgotten(let name): [.removePerson(name)]
        case .houseAgreement(let document): [.putHouse(try row(of: document, at: now))]
        case .resource(let resource, let offer):
            [
                .putResource(
                    ResourceRow(
                        name: resource.name, resource: resource,
                        offeredTo: offer == .offered ? [domainWord] : []))
            ]
        case .resourceRemoved(let name): [.removeResource(name)]
        case .route(let resource, let rule):
            [rule.isEmpty ? .removeRoute(resource) : .putRoute(row(resource, rule))]
        case .endpointForgotten(let node, let endpoint): [.removeEndpoint(node, endpoint, witness: "link")]
        case .endpoint(let node, let endpoint):
            [.putEndpoint(PeerEndpointRow(node: node, endpoint: endpoint, witness: "link", lastSuccess: now))]
        }
    }

    private static func row(_ resource: ResourceName, _ rule: RouteRule) -> RouteRow {
        RouteRow(
            resource: resource,
            via: rule.providers.map { RouteRow.Provider(node: $0.node, weight: $0.weight) },
            choice: RouteRow.Choice(
                preferences: rule.preferences, preferred: rule.preferred, order: rule.order,
                hedge: rule.hedge))
    }

    // MARK: Peers and invites

    private static func rows(of peer: PeerRecord, at now: WallTime) throws(WireError) -> [StoreChange] {
        let evidence = String(
            decoding: try Document.encode(peer.evidence, textLimit: textLimit), as: UTF8.self)
        let row = PeerRow(
            node: peer.node, name: peer.name, state: peer.state.rawValue, identityKey: peer.key.info.bytes,
            pin: peer.pin,
            inception: try Document.encode(peer.inception), boot: peer.boot,
            trustedSince: peer.since, evidence: evidence, domain: peer.domain, updated: now)
        let key = PinnedKeyRow(
            pin: peer.pin, node: peer.node, state: peer.state == .revoked ? .revoked : .pinned)
        return [.putPeer(row), .putKey(key)]
    }

    private static func peer(_ row: PeerRow) throws -> PeerRecord {
        guard let name = row.name, let key = row.identityKey, let pin = row.pin,
            let inception = row.inception,
            let state = TrustState(rawValue: row.state), let since = row.trustedSince
        else { throw AgentFailure.storeUnreadable(what: "peer \(row.node)") }
        let evidence = try Document.decode(
            TrustEvidence.self, from: Array(row.evidence.utf8), limit: limit, textLimit: textLimit)
        return PeerRecord(
            node: row.node, key: PublicKey(info: key), pin: pin, inception: try read(inception), name: name,
            state: state,
            since: since, evidence: evidence, boot: row.boot, domain: row.domain)
    }

    private static func row(of invite: InviteRecord, at now: WallTime) -> InviteRow {
        InviteRow(
            id: invite.name.octets.bytes, secret: invite.secret.bytes, expires: invite.expires,
            usedBy: invite.usedBy,
            wrongProofs: Int64(invite.wrongProofs), asksFirst: invite.confirmation == .asked, created: now)
    }

    private static func invite(_ row: InviteRow) throws -> InviteRecord {
        guard let name = InviteName(Octets(row.id)) else {
            throw AgentFailure.storeUnreadable(what: "an invite")
        }
        let confirmation: InviteConfirmation = row.asksFirst ? .asked : row.usedBy == nil ? .none : .given
        return InviteRecord(
            name: name, secret: Octets(row.secret), expires: row.expires, confirmation: confirmation,
            usedBy: row.usedBy,
            wrongProofs: Int(row.wrongProofs))
    }

    // MARK: The node's own domain

    private static let homeSetting = "domain"

    /// The setting's form.
    private struct StoredHome: Codable {
        let domain: DomainID
        let label: NodeName
        let chain: CredentialChain
    }

    private static func row(of home: HomeDomain) throws(WireError) -> SettingRow {
        let stored = StoredHome(domain: home.domain, label: home.label, chain: home.chain)
        return SettingRow(
            key: homeSetting, value: String(decoding: try Document.encode(stored), as: UTF8.self))
    }

    private static func home(_ text: String) throws(WireError) -> HomeDomain {
        let stored: StoredHome = try read(Array(text.utf8))
        return HomeDomain(domain: stored.domain, label: stored.label, chain: stored.chain)
    }

    private static func row(
        of document: some Encodable, _ kind: PaperRow.Kind, _ domain: DomainID, at now: WallTime
    ) throws(WireError) -> PaperRow {
        PaperRow(kind: kind, domain: domain, document: try Document.encode(document), updated: now)
    }

    // MARK: Agreements and heads

    private static func row(of document: HouseDocument, at now: WallTime) throws(WireError) -> HouseRow {
        HouseRow(
            domain: document.body.domain, version: document.body.version, anchor: document.anchor.info.bytes,
            document: try Document.encode(document.agreement), updated: now)
    }

    static func row(of record: AgreementRecord, at now: WallTime) throws(WireError) -> AgreementRow {
        AgreementRow(
            contentID: record.contentID, agreement: record.agreement.id.description,
            version: record.agreement.version,
            peer: record.peer, role: record.origin.rawValue,
            state: String(decoding: try Document.encode(record.state, textLimit: textLimit), as: UTF8.self),
            document: try Document.encode(record.document),
            approvals: record.approvals.isEmpty ? nil : try Document.encode(record.approvals),
            validUntil: record.agreement.validUntil,
            warned: record.warned, updated: now)
    }

    static func agreement(_ row: AgreementRow) throws -> AgreementRecord {
        guard let origin = AgreementOrigin(rawValue: row.role) else {
            throw AgentFailure.storeUnreadable(what: "agreement \(row.agreement)")
        }
        let state = try Document.decode(
            AgreementState.self, from: Array(row.state.utf8), limit: limit, textLimit: textLimit)
        let document: Signed<Agreement> = try read(row.document)
        guard document.body.id.description == row.agreement, document.body.version == row.version else {
            throw AgentFailure.storeUnreadable(
                what: "agreement \(row.agreement) under an id or version that is not its own")
        }
        return AgreementRecord(
            contentID: row.contentID, peer: row.peer, document: document, state: state,
            origin: origin, approvals: try row.approvals.map { try read($0) } ?? [],
            warned: row.warned)
    }

    private static func rows(of stored: StoredHead) throws(WireError) -> [StoreChange] {
        let head = stored.head.body
        let audience = head.audience.description
        var changes: [StoreChange] = [
            .removeHead(owner: head.owner, audience: audience),
            .putHead(
                HeadRow(
                    owner: head.owner, audience: audience, epoch: head.epoch, sequence: head.sequence,
                    root: head.root,
                    document: try Document.encode(stored.head))),
        ]
        for record in stored.records {
            changes.append(
                .putRecord(
                    RecordRow(
                        owner: head.owner, audience: audience, key: record.key.description,
                        body: try Document.encode(record))))
        }
        return changes
    }

    static func read<Value: Decodable>(_ bytes: [UInt8]) throws(WireError) -> Value {
        try Document.decode(Value.self, from: bytes, limit: limit)
    }
}
