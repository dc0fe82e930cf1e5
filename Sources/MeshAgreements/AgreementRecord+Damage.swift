import MeshBase

// What a store gives back is believed no more than what a peer sends.
extension AgreementRecord {
    /// What is wrong with a record that was kept, with its digest; nil when all of it is as it was signed.
    ///
    /// The state itself nobody signed: who can write this node's store can end or revive what both signed,
    /// and the other party decides for itself. What was signed nobody can change unseen.
    /// - Parameter keys: identity keys by node, this node's among them. A signature whose key is not held
    ///   cannot be checked; nothing is honoured of a party that is not trusted.
    public func damage(
        at me: NodeID, keys: OrderedTable<NodeID, PublicKey>, using suite: some SignatureSuite
    ) -> Refusal? {
        func damaged(_ problem: String, _ facts: [Fact] = []) -> Refusal {
            Refusal(
                .documentInvalid,
                [
                    Fact("agreement", agreement.id), Fact("version", agreement.version),
                    Fact("content id", contentID), Fact("problem", problem),
                ] + facts)
        }
        let digest = document.contentID(using: suite)
        guard digest == contentID else {
            return damaged("its digest is another", [Fact("digest", digest)])
        }
        guard agreement.isWellFormed, agreement.party(besides: me) == peer else {
            return damaged("it is not between this node and its peer")
        }
        if let problem = flawInSignatures(keys, using: suite) { return damaged(problem) }
        for approval in approvals {
            if let refusal = flaw(in: approval, keys, using: suite) {
                return damaged("an approval does not count", refusal.facts)
            }
        }
        if case .ended(.revoked(let word, _)) = state, let key = keys[word.body.revokedBy],
            !word.isSigned(by: key, using: suite)
        {
            return damaged("its revocation is not signed by who revoked it")
        }
        return nil
    }

    /// The offerer's signature is there, both are where it says so, and there is none but theirs.
    private func flawInSignatures(
        _ keys: OrderedTable<NodeID, PublicKey>, using suite: some SignatureSuite
    ) -> String? {
        let parties = [agreement.source, agreement.target].compactMap(\.node).map {
            (node: $0, key: keys[$0])
        }
        for party in parties {
            guard let key = party.key else { continue }
            let isThere = document.signatures.contains { $0.signer == suite.pin(of: key) }
            if isThere, !document.isSigned(by: key, using: suite) { return "a signature is not valid" }
            let isNeeded: Bool =
                switch state {
                case .signed, .active: true
                case .offered, .ended: party.node == agreement.createdBy
                }
            if isNeeded, !isThere { return "a signature is missing" }
        }
        let known = parties.compactMap { $0.key.map { suite.pin(of: $0) } }
        let foreign = document.signatures.count { !known.contains($0.signer) }
        return foreign > parties.count { $0.key == nil } ? "a signature is of neither party" : nil
    }

    private func flaw(
        in approval: ApprovalRecord, _ keys: OrderedTable<NodeID, PublicKey>, using suite: some SignatureSuite
    ) -> Refusal? {
        let party = approval.evidence.party
        guard agreement.source == party || agreement.target == party,
            approval.body.contentID == contentID
        else {
            return Refusal(.approvalInvalid, [Fact("because", "it is about another agreement")])
        }
        return approval.evidence.objection(
            ofPeopleOf: party, key: keys[party], at: approval.body.given, using: suite)
    }
}

/// An agreement that the store kept and that is not as it was signed: nothing is honoured of it.
public struct DamagedAgreement: Equatable, Sendable {
    /// Under which content id it was kept.
    public let contentID: Digest
    /// With whom, as far as the store says.
    public let peer: NodeID
    /// Which agreement it is, as far as can be told; nil: what is kept does not say that it is with `peer`.
    public let id: AgreementID?
    /// Which version, 0 ... `AgreementLimits.versionMax`.
    public let version: Int64
    /// Until when it was good, as far as the store says.
    public let until: WallTime
    /// What was found.
    public let refusal: Refusal

    public init(
        contentID: Digest, peer: NodeID, id: AgreementID?, version: Int64, until: WallTime, refusal: Refusal
    ) {
        self.contentID = contentID
        self.peer = peer
        self.id = id
        self.version = min(max(0, version), AgreementLimits.versionMax)
        self.until = until
        self.refusal = refusal
    }

    /// A record that was read, and is not what was signed.
    public init(_ record: AgreementRecord, at me: NodeID, refusal: Refusal) {
        let isOfThePeer = record.agreement.party(besides: me) == record.peer
        self.init(
            contentID: record.contentID, peer: record.peer, id: isOfThePeer ? record.agreement.id : nil,
            version: record.agreement.version, until: record.agreement.validUntil, refusal: refusal)
    }

    /// For the audit.
    public var notice: AgreementNotice {
        AgreementNotice(peer: peer, action: .setAside, contentID: contentID, refusals: [refusal])
    }
}
