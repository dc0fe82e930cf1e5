import MeshBase

/// A member of this node's domain that it has not met signed two things under one name. Who was met is
/// suspended in the pin book instead.
public struct Conviction: Equatable, Sendable {
    /// Whom nobody can vouch for here any more.
    public let node: NodeID
    /// What it signed, in words: both documents by their digests.
    public let evidence: String
    /// When both were seen here together.
    public let since: WallTime

    public init(node: NodeID, evidence: String, since: WallTime) {
        self.node = node
        self.evidence = evidence
        self.since = since
    }
}

// Convictions outlive a restart: who was caught must not be believed again because the judge slept. At most
// `Limits.peers`; where one more comes, the oldest goes.
extension Trust {
    /// It is nobody here until the operator resumes or forgets it, whoever vouches for it, and is refused
    /// when it comes.
    mutating func convictVouched(
        _ node: NodeID, evidence: String, at now: Moment, into effects: inout Outbox<TrustEffect>
    ) {
        guard domains.vouched[node] != nil else { return }
        if domains.convictions.count >= Limits.peers,
            let oldest = domains.convictions.values.min(by: { $0.since < $1.since })
        {
            acquit(oldest.node, into: &effects)
        }
        let conviction = Conviction(node: node, evidence: evidence, since: now.wall)
        domains.convictions[node] = conviction
        effects.post(.persist(.conviction(conviction)))
        unvouch(node, into: &effects)
        effects.post(.record(.domain(node, "member convicted", [Fact("evidence", evidence)])))
    }

    /// Why no trust is made with a member; nil when nothing speaks against it.
    func refusal(ofConvicted node: NodeID) -> Refusal? {
        domains.convictions[node].map {
            Refusal(.peerSuspended, [Fact("peer", node.brief), Fact("because", $0.evidence)])
        }
    }

    /// The operator decides about somebody who was never met: only who was convicted has anything to lose.
    mutating func decide(
        _ decision: PeerDecision, ofConvicted node: NodeID, into effects: inout Outbox<TrustEffect>
    ) -> TrustAnswer {
        guard domains.convictions[node] != nil else {
            return .refused(Refusal(.peerNotFound, [Fact("peer", node)]))
        }
        switch decision {
        case .suspend: break
        case .revoke:
            return .refused(Refusal(.peerNotTrusted, [Fact("peer", node), Fact("trust", "never met")]))
        case .resume, .forget:
            acquit(node, into: &effects)
            effects.post(.record(.domain(node, "conviction ended", [Fact("by", "this node's operator")])))
        }
        return .done
    }

    private mutating func acquit(_ node: NodeID, into effects: inout Outbox<TrustEffect>) {
        domains.convictions[node] = nil
        effects.post(.persist(.convictionGone(node)))
    }
}
