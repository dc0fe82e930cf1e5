import MeshAgreements
import MeshBase
import MeshGossip
import MeshTrust

// What trust and agreements believe about this node and one peer, held against what the peer believes.
extension Node {
    /// What `node` and this one believe differently about the two; nil: nothing that lasted.
    public func drift(with node: NodeID) -> Drift? { drifts.drift(with: node) }

    /// What this node says with a ping of `node`; nil when it does not trust it.
    mutating func mark(about node: NodeID, at wall: WallTime) -> BeliefMark? {
        guard let peer = trust.pins[node], peer.state == .trusted else { return nil }
        let known = openAgreements[node].flatMap { $0.counts(at: wall) ? $0 : nil }
        let open = known ?? OpenAgreements(agreements.records(with: node), at: wall, using: suite)
        openAgreements[node] = open
        return BeliefMark(
            of: me.node, suite.pin(of: me.key), and: node, peer.pin,
            domain: sharedDomain(with: node, at: wall),
            open: open.digest, using: suite)
    }

    /// A ping came, with what the peer believes.
    mutating func compare(
        _ theirs: BeliefMark?, over connection: ConnectionID, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        guard let theirs, let node = gossip.node(on: connection), let mine = mark(about: node, at: now.wall)
        else { return }
        let steps = drifts.pinged(
            by: node, mine: mine, theirs: theirs, isAtRest: agreements.isAtRest(with: node), at: now.instant)
        perform(steps, with: node, at: now, into: &effects)
    }

    /// A peer says what it believes about the two.
    mutating func hear(
        _ report: BeliefReport, from node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        let steps = drifts.reported(by: node, report, at: now.instant)
        perform(steps, with: node, at: now, into: &effects)
    }

    private mutating func perform(
        _ steps: [DriftWatch.Step], with node: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        for step in steps {
            switch step {
            case .tell(let mark):
                guard let beliefs = beliefs(about: node, at: now.wall) else { continue }
                for part in BeliefReport.parts(of: beliefs, mark) {
                    send(.beliefs(part), to: node, into: &effects)
                }
            case .compare(let theirs):
                guard let beliefs = beliefs(about: node, at: now.wall) else { continue }
                let differences = beliefs.differences(from: theirs, at: now.wall)
                let found = drifts.found(with: node, differences, at: now)
                if found != nil { isViewStale = true }
                switch found {
                case .drift(let drift):
                    let event = words.event(of: drift, with: node, called: nameOf(node))
                    record(event, at: now, into: &effects)
                case .over(let drift):
                    record(words.event(ofEndOf: drift, with: node, at: now.wall), at: now, into: &effects)
                case nil: break
                }
            case .over(let drift):
                isViewStale = true
                record(words.event(ofEndOf: drift, with: node, at: now.wall), at: now, into: &effects)
            }
        }
    }

    /// All that this node believes about itself and a trusted peer.
    private func beliefs(about node: NodeID, at wall: WallTime) -> Beliefs? {
        guard let peer = trust.pins[node], peer.state == .trusted else { return nil }
        // What ended long ago may be forgotten at the other side, and explains nothing.
        let kept = agreements.records(with: node).map(BelievedAgreement.init).filter {
            $0.standing.isOpen || wall < $0.until
        }
        let damaged = agreements.damaged.filter { $0.peer == node }.compactMap { BelievedAgreement($0) }
        return Beliefs(
            mine: suite.pin(of: me.key), yours: peer.pin, domain: sharedDomain(with: node, at: wall),
            agreements: kept + damaged)
    }

    private func sharedDomain(with node: NodeID, at wall: WallTime) -> DomainID? {
        guard let own = agreements.membership(of: me.node),
            own.isShared(with: agreements.membership(of: node), at: wall)
        else { return nil }
        return own.domain
    }
}
