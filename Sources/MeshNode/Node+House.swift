import MeshAgreements
import MeshBase
import MeshTrust

// The house agreement: made where the anchor's key lies, named to newcomers by every issuer.
extension Node {
    /// This node's membership, or the place of the anchor's key, changed.
    mutating func keepHouse(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        if let home = trust.domains.home, trust.domains.anchor == home.chain.anchor {
            tell(AgreementInput.anchorHeld(home.chain.anchor), at: now, into: &effects)
        }
        nameHouse(at: now, into: &effects)
    }

    /// What newcomers say yes to.
    mutating func nameHouse(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        let contentID = agreements.house?.agreement.contentID(using: suite)
        tell(TrustInput.houseAgreementChanged(contentID), at: now, into: &effects)
    }
}
