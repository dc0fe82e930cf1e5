import MeshBase
import MeshRouting

/// Whether a peer's sealed head is worth an agreement of keys, which costs more than all else of a call that
/// is then refused: asked before anything is opened (Docs/Protocol.md, Sealed payloads).
extension CallDesk {
    /// Why nothing of `peer` is opened now: this node takes nothing more, does not trust it, has let pass as
    /// many of its calls as it may, or has opened too much of its that was no seal. Nil: it may be opened. It
    /// changes nothing.
    public func refusalBeforeOpening(from peer: NodeID, at now: Instant) -> Refusal? {
        if let refusal = shedding(peer) ?? trustRefusal(peer) ?? wouldBeTooSoon(peer, at: now) {
            return refusal
        }
        guard var broken = brokenSeals[peer] else { return nil }
        let wait = broken.wait(at: now)
        guard wait > .zero else { return nil }
        return Refusal(
            .overloaded,
            [
                Fact("seals that did not open at most", Limits.brokenSeals),
                Fact("free again in ms", wait.wholeMilliseconds),
            ])
    }

    /// As `refusalBeforeOpening`; where that is nil, the opening counts for the rate of its partner, whatever
    /// becomes of the call.
    public mutating func takeOpening(from peer: NodeID, at now: Instant) -> Refusal? {
        if let refusal = refusalBeforeOpening(from: peer, at: now) { return refusal }
        let partner = partner(peer)
        return rates?.takeOpening(of: partner, at: now)
    }

    /// What `peer` sent, and `refusalBeforeOpening` let pass, was not sealed for this node. Told at once and
    /// not with the call, so that heads that came in one read are counted one by one.
    public mutating func sealBroke(from peer: NodeID, at now: Instant) {
        guard view.peers[peer]?.trust == .trusted else { return }
        _ = brokenSeals[peer].take(of: Limits.brokenSeals, every: Limits.brokenSealInterval, at: now)
    }

    /// Why a sealed call cannot even be looked at; nil when it was opened, or is clear.
    func openingRefusal(_ inbound: InboundInvocation) -> Refusal? {
        var key: Fact { Fact("sealed to", inbound.invocation.sealedTo?.description ?? "none") }
        switch inbound.opening {
        case .whole: return nil
        case .keyUnknown: return Refusal(.encryptionKeyUnknown, [key])
        case .broken: return Refusal(.sealBroken, [key, Fact("part", "head")])
        case .refused(let refusal): return refusal
        }
    }
}
