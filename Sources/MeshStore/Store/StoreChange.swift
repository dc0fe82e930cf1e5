import GRDB
import MeshBase

/// One change of a row. A put makes the row or replaces it; to remove what is not there changes nothing.
public enum StoreChange: Equatable, Sendable {
    case putSetting(SettingRow)
    case removeSetting(key: String)
    case putPeer(PeerRow)
    /// Its endpoints go with it; its keys stay known for ever.
    case removePeer(NodeID)
    /// The peer must be there.
    case putEndpoint(PeerEndpointRow)
    case removeEndpoint(NodeID, Endpoint, witness: String)
    /// A revoked key stays revoked, whatever is put. No key is ever removed.
    case putKey(PinnedKeyRow)
    case putInvite(InviteRow)
    case removeInvite(id: [UInt8])
    case putResource(ResourceRow)
    case removeResource(ResourceName)
    case putRoute(RouteRow)
    case removeRoute(ResourceName)
    case putAgreement(AgreementRow)
    /// Houses are never removed: who joins again must not be told an older one.
    case putHouse(HouseRow)
    /// With the last version of an agreement its meter goes.
    case removeAgreement(contentID: Digest)
    case putDomainAgreement(DomainAgreementRow)
    /// With the last version of an agreement its meter goes.
    case removeDomainAgreement(contentID: Digest)
    case putPerson(PersonRow)
    case removePerson(NodeName)
    case putMeter(MeterRow)
    /// Its records stay as they are: the turn that changes a head also puts and removes its records.
    case putHead(HeadRow)
    /// Its records go with it.
    case removeHead(owner: NodeID, audience: String)
    /// The head must be there.
    case putRecord(RecordRow)
    case removeRecord(owner: NodeID, audience: String, key: String)
    case putCredential(CredentialRow)
    case removeCredential(NodeID)
    case putConviction(ConvictionRow)
    case removeConviction(NodeID)
    case putTokenUse(TokenUseRow)
    case removeTokenUse(token: Pin)
    case putPaper(PaperRow)
    case removePaper(PaperRow.Kind, DomainID)
    case putIdempotency(IdempotencyRow)
    case removeIdempotency(caller: NodeID, key: String)

    func apply(to database: Database) throws {
        switch self {
        case .putSetting(let row): try row.put(in: database)
        case .putPeer(let row): try row.put(in: database)
        case .putEndpoint(let row): try row.put(in: database)
        case .putKey(let row): try row.put(in: database)
        case .putInvite(let row): try row.put(in: database)
        case .putResource(let row): try row.put(in: database)
        case .putRoute(let row): try row.put(in: database)
        case .putAgreement(let row): try row.put(in: database)
        case .putHouse(let row): try row.put(in: database)
        case .putDomainAgreement(let row): try row.put(in: database)
        case .putPerson(let row): try row.put(in: database)
        case .removePerson(let name):
            try remove("people WHERE name = ?", [name.description], from: database)
        case .putMeter(let row): try row.put(in: database)
        case .putHead(let row): try row.put(in: database)
        case .putRecord(let row): try row.put(in: database)
        case .putIdempotency(let row): try row.put(in: database)
        case .putCredential(let row): try row.put(in: database)
        case .putConviction(let row): try row.put(in: database)
        case .removeConviction(let node):
            try remove("convictions WHERE node_id = ?", [node.description], from: database)
        case .putTokenUse(let row): try row.put(in: database)
        case .putPaper(let row): try row.put(in: database)
        case .removePaper(let kind, let domain):
            try remove(
                "domain_papers WHERE kind = ? AND domain = ?", [kind.rawValue, domain.description],
                from: database)
        case .removeCredential(let node):
            try remove("credentials WHERE node_id = ?", [node.description], from: database)
        case .removeTokenUse(let token):
            try remove("token_uses WHERE token = ?", [token.digest.bytes.blob], from: database)
        case .removeSetting(let key): try remove("settings WHERE key = ?", [key], from: database)
        case .removePeer(let node): try remove("peers WHERE node_id = ?", [node.description], from: database)
        case .removeEndpoint(let node, let endpoint, let witness):
            try remove(
                "peer_endpoints WHERE node_id = ? AND endpoint = ? AND witness = ?",
                [node.description, endpoint.description, witness], from: database)
        case .removeInvite(let id): try remove("invites WHERE id = ?", [id.blob], from: database)
        case .removeResource(let name):
            try remove("resources WHERE name = ?", [name.description], from: database)
        case .removeRoute(let name):
            try remove("routes WHERE resource = ?", [name.description], from: database)
        case .removeAgreement(let id):
            try remove("agreements WHERE content_id = ?", [id.bytes.blob], from: database)
            try removeMeters(from: database)
        case .removeDomainAgreement(let id):
            try remove("domain_agreements WHERE content_id = ?", [id.bytes.blob], from: database)
            try removeMeters(from: database)
        case .removeHead(let owner, let audience):
            try remove(
                "heads WHERE owner = ? AND audience = ?", [owner.description, audience], from: database)
        case .removeRecord(let owner, let audience, let key):
            try remove(
                "records WHERE owner = ? AND audience = ? AND key = ?", [owner.description, audience, key],
                from: database)
        case .removeIdempotency(let caller, let key):
            try remove("idempotency WHERE caller = ? AND key = ?", [caller.description, key], from: database)
        }
    }

    /// Of agreements that are gone.
    private func removeMeters(from database: Database) throws {
        try remove(
            """
            meters WHERE agreement_id NOT IN
                (SELECT agreement_id FROM agreements UNION SELECT agreement_id FROM domain_agreements)
            """, [], from: database)
    }

    private func remove(_ what: String, _ arguments: StatementArguments, from database: Database) throws {
        try database.cachedStatement(sql: "DELETE FROM " + what).execute(arguments: arguments)
    }
}
