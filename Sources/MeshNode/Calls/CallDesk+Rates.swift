import MeshBase
import MeshRouting

/// Rates that this node's operator set, of each partner and of each principal, beside those that are agreed.
extension CallDesk {
    /// Why a peer's call comes too soon; nil when it does not, and is counted.
    mutating func tooSoon(_ inbound: InboundInvocation, at now: Instant) -> Refusal? {
        let caller = RateBook.Caller.partner(partner(inbound.peer))
        return rates?.take(caller, inbound.invocation.principal, isOpened: inbound.isOpened, at: now)
    }

    /// Why an application's call comes too soon; nil when it does not, and is counted.
    mutating func tooSoon(_ request: LocalRequest, at now: Instant) -> Refusal? {
        rates?.take(.own, request.principal, at: now)
    }

    /// Why an application's call would come too soon now. It changes nothing.
    func wouldBeTooSoon(_ request: LocalRequest, at now: Instant) -> Refusal? {
        rates?.refusal(of: .own, request.principal, at: now)
    }

    /// Why a call of `peer` in this name would come too soon now. It changes nothing.
    func wouldBeTooSoon(_ peer: NodeID, _ principal: Principal, at now: Instant) -> Refusal? {
        rates?.refusal(of: .partner(partner(peer)), principal, at: now)
    }

    /// Why any call of `peer` would come too soon now. It changes nothing.
    func wouldBeTooSoon(_ peer: NodeID, at now: Instant) -> Refusal? {
        rates?.refusal(of: partner(peer), at: now)
    }

    /// New rates begin with full buckets, the same ones go on with theirs; who is no peer is forgotten.
    mutating func followRates(since before: CallView) {
        if view.configuration.rates != before.configuration.rates {
            rates = RateBook(view.configuration.rates)
        }
        guard let count = rates?.count, count > view.peers.count else { return }
        let partners = Set(view.peers.keys.map { partner($0) })
        rates?.forget { partners.contains($0) }
    }
}
