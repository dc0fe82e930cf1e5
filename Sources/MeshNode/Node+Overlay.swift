import MeshAgreements
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

// Links that are kept, and links that are opened when something needs them (protocol section 5).
extension Node {
    mutating func tell(_ input: OverlayInput, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        var outbox = Outbox<OverlayEffect>()
        overlay.handle(input, at: now.instant, into: &outbox)
        for effect in outbox.drain() {
            if case .tell = effect {} else { isViewStale = true }
            switch effect {
            case .seek(let peer):
                tell(DiscoveryInput.peerTrusted(peer, .sought), at: now, into: &effects)
                circuits.seek(peer, at: now.instant)
                if gossip.link(with: peer) != nil { circuits.linkUp(peer) }
            case .leave(let peer):
                tell(DiscoveryInput.peerTrusted(peer, .leftAlone), at: now, into: &effects)
                circuits.leave(peer)
            case .tell(let peer, let need): send(.need(NeedNotice(need: need)), to: peer, into: &effects)
            case .stop(let peer): effects.post(.linkAtRest(peer))
            case .resume(let peer):
                guard let link = gossip.link(with: peer) else { continue }
                effects.post(.linkUp(peer, link.connection))
            case .drain(let peer): tell(GossipInput.linkAtRest(peer), at: now, into: &effects)
            case .settled: break
            }
        }
    }

    /// Sends what must reach a peer: over its link, or over the one that is opened for it. What waits is told
    /// anew when that is up, by the machine that ordered it.
    mutating func sendSurely(
        _ document: LinkDocument, to node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        tell(OverlayInput.wanted(node, .document), at: now, into: &effects)
        send(document, to: node, into: &effects)
    }

    /// What waits for `node` in the books asks for a link where there is none: after a start, and after a
    /// link that broke before all was heard. Over one that was put to rest it was said.
    mutating func seekUnheard(_ node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        guard trust.pins.isTrusted(node), gossip.link(with: node) == nil,
            agreements.hasUnheard(for: node, at: now.wall)
                || domainAgreements.hasUnheard(for: node, signedBy: me.key, at: now.wall)
        else { return }
        tell(OverlayInput.wanted(node, .document), at: now, into: &effects)
    }

    /// The same after what is known of `node`, which may be this one, has changed.
    mutating func seekUnheard(after node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        guard node == me.node else { return seekUnheard(node, at: now, into: &effects) }
        for peer in trust.pins.peers.keys { seekUnheard(peer, at: now, into: &effects) }
    }

    /// Whether `node` is a member of this node's domain, for the choice of gossip's links.
    mutating func tellShare(of node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        let own = agreements.membership(of: me.node)?.domain
        let isShared = own != nil && agreements.membership(of: node)?.domain == own
        tell(OverlayInput.membership(node, isShared ? .shared : .apart), at: now, into: &effects)
    }

    /// The same after what is known of `node`, which may be this one, has changed.
    mutating func tellShares(after node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        guard node == me.node else { return tellShare(of: node, at: now, into: &effects) }
        for peer in trust.pins.peers.values where peer.state == .trusted {
            tellShare(of: peer.node, at: now, into: &effects)
        }
    }
}

extension AgreementMessage {
    /// Whether it is for this peer alone: of the house agreement any member tells any other.
    var isForOne: Bool {
        switch self {
        case .house, .houseHeld: false
        default: true
        }
    }
}

extension DomainMessage {
    /// Whether it must reach this peer: what is shown and named is, whenever a link comes up.
    var isForOne: Bool {
        switch self {
        case .renewalWanted, .bundleWanted: true
        default: false
        }
    }
}
