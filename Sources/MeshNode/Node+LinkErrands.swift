import MeshBase
import MeshDiscovery
import MeshGossip
import MeshTrust

/// An operator's order that needs a link, while one is opened for it.
///
///     ordered, no link, and none is kept ──> waiting (the link is wanted) ──linkUp──> obeyed
///                                               └──`patience` without a link──> refused
struct LinkErrand: Equatable, Sendable {
    /// What is done over the link.
    enum Order: Equatable, Sendable {
        case showBundle
        case proveReach
        case trace(CorrelationID)
    }

    let peer: NodeID
    let order: Order
    let deadline: Instant

    /// Connecting and the handshake take less where anybody answers.
    static let patience: Duration = .seconds(5)
    /// Orders that wait at once.
    static let most = 64
}

// Orders to speak with a peer whose link is opened when something needs it.
extension Node {
    /// Obeys `order` over the link with `peer`, or over the one that is opened for it; refuses it where a
    /// link is kept and is not there, for nothing more can be done for that one.
    mutating func overLink(
        with peer: NodeID, _ order: LinkErrand.Order, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        if gossip.link(with: peer) != nil {
            tell(OverlayInput.wanted(peer, .call), at: now, into: &effects)
            return obey(order, over: peer, ticket, at: now, into: &effects)
        }
        guard trust.pins.isTrusted(peer), !overlay.isKept(peer), linkErrands.count < LinkErrand.most else {
            return refuseUnlinked(peer, ticket, into: &effects)
        }
        linkErrands[ticket] = LinkErrand(
            peer: peer, order: order, deadline: now.instant + LinkErrand.patience)
        tell(OverlayInput.wanted(peer, .call), at: now, into: &effects)
    }

    private mutating func obey(
        _ order: LinkErrand.Order, over peer: NodeID, _ ticket: Ticket, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        switch order {
        case .showBundle: tell(.bundleRequested(ticket, peer), at: now, into: &effects)
        case .proveReach: proveReach(of: peer, ticket, at: now, into: &effects)
        case .trace(let correlation):
            traces[ticket] = AwaitedTrace(peer: peer, deadline: now.instant + .seconds(3))
            let request = TraceRequest(number: Int64(bitPattern: ticket.number), correlation: correlation)
            send(.traceRequest(request), to: peer, into: &effects)
        }
    }

    /// The link is there, for which some may wait.
    mutating func runLinkErrands(
        of peer: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        for (ticket, errand) in linkErrands where errand.peer == peer {
            linkErrands[ticket] = nil
            obey(errand.order, over: peer, ticket, at: now, into: &effects)
        }
    }

    /// No link came in time.
    mutating func endLateLinkErrands(at now: Instant, into effects: inout Outbox<NodeEffect>) {
        for (ticket, errand) in linkErrands where errand.deadline <= now {
            linkErrands[ticket] = nil
            refuseUnlinked(errand.peer, ticket, into: &effects)
        }
    }

    private func refuseUnlinked(_ peer: NodeID, _ ticket: Ticket, into effects: inout Outbox<NodeEffect>) {
        let facts = [Fact("peer", nameOf(peer)), Fact("link", "down")]
        effects.post(.answer(ticket, .refused([Refusal(.peerUnreachable, facts)])))
    }
}
