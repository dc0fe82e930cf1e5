import MeshBase

/// What two parties say to each other about an agreement, over a trusted link.
public enum AgreementMessage: Equatable, Sendable {
    /// One party has signed; will the other?
    case offer(Signed<Agreement>)
    /// Both have signed: the offer's bytes with two signatures.
    case accepted(Signed<Agreement>)
    /// The offer of this content id is refused, with every reason.
    case rejected(Digest, [Refusal])
    /// The sender revokes an agreement of the two.
    case revoked(Signed<AgreementRevocation>)
    /// The sender has the revocation of this content id.
    case revocationHeard(Digest)
    /// A person of the sender's has said yes or no.
    case approval(VouchedApproval)
    /// The sender has the approval of this content id.
    case approvalHeard(Digest)
    /// The sender does not take the approval of this content id, with every reason.
    case approvalRefused(Digest, [Refusal])
    /// The sender holds the house agreement of this content id of the domain that the two share; nil: none.
    case houseHeld(Digest?)
    /// The newest house agreement that the sender holds of that domain.
    case house(HouseDocument)
}

extension AgreementMessage: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, agreement, contentID, refusals, revocation, house, approval
    }
    private enum Kind: String, Codable {
        case offer, accepted, rejected, revoked, house, approval
        case approvalHeard = "approval-heard"
        case approvalRefused = "approval-refused"
        case revocationHeard = "revocation-heard"
        case houseHeld = "house-held"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        switch try container.decode(Kind.self, forKey: .kind) {
        case .offer: self = .offer(try container.decode(Signed<Agreement>.self, forKey: .agreement))
        case .accepted: self = .accepted(try container.decode(Signed<Agreement>.self, forKey: .agreement))
        case .rejected:
            self = .rejected(
                try container.decode(Digest.self, forKey: .contentID),
                try container.decode([Refusal].self, forKey: .refusals))
        case .revoked:
            self = .revoked(try container.decode(Signed<AgreementRevocation>.self, forKey: .revocation))
        case .revocationHeard:
            self = .revocationHeard(try container.decode(Digest.self, forKey: .contentID))
        case .approval:
            self = .approval(try container.decode(VouchedApproval.self, forKey: .approval))
        case .approvalHeard: self = .approvalHeard(try container.decode(Digest.self, forKey: .contentID))
        case .approvalRefused:
            self = .approvalRefused(
                try container.decode(Digest.self, forKey: .contentID),
                try container.decode([Refusal].self, forKey: .refusals))
        case .houseHeld: self = .houseHeld(try container.decodeIfPresent(Digest.self, forKey: .contentID))
        case .house: self = .house(try container.decode(HouseDocument.self, forKey: .house))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .offer(let document):
            try container.encode(Kind.offer, forKey: .kind)
            try container.encode(document, forKey: .agreement)
        case .accepted(let document):
            try container.encode(Kind.accepted, forKey: .kind)
            try container.encode(document, forKey: .agreement)
        case .rejected(let contentID, let refusals):
            try container.encode(Kind.rejected, forKey: .kind)
            try container.encode(contentID, forKey: .contentID)
            try container.encode(refusals, forKey: .refusals)
        case .revoked(let document):
            try container.encode(Kind.revoked, forKey: .kind)
            try container.encode(document, forKey: .revocation)
        case .revocationHeard(let contentID):
            try container.encode(Kind.revocationHeard, forKey: .kind)
            try container.encode(contentID, forKey: .contentID)
        case .approval(let evidence):
            try container.encode(Kind.approval, forKey: .kind)
            try container.encode(evidence, forKey: .approval)
        case .approvalHeard(let contentID):
            try container.encode(Kind.approvalHeard, forKey: .kind)
            try container.encode(contentID, forKey: .contentID)
        case .approvalRefused(let contentID, let refusals):
            try container.encode(Kind.approvalRefused, forKey: .kind)
            try container.encode(contentID, forKey: .contentID)
            try container.encode(refusals, forKey: .refusals)
        case .houseHeld(let contentID):
            try container.encode(Kind.houseHeld, forKey: .kind)
            try container.encodeIfPresent(contentID, forKey: .contentID)
        case .house(let document):
            try container.encode(Kind.house, forKey: .kind)
            try container.encode(document, forKey: .house)
        }
    }
}
