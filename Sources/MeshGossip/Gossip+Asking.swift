import MeshBase

// By turns: those who told of a head that is missing here are asked for it, see `Asking`.
extension Gossip {
    mutating func scheduleTurn(in audience: Audience) {
        if let turn = registries[audience]?.nextTurn { deadlines.set(.turn(audience), at: turn) }
    }

    /// Who was asked did not answer in time: others that told are asked.
    mutating func takeTurns(in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        let owners = registries[audience]?.unanswered(at: now.instant) ?? []
        askNext(of: owners, in: audience, at: now, into: &effects)
        scheduleTurn(in: audience)
    }

    /// A peer says something new: in whichever audience, it is not idle.
    mutating func noteNovelty(of node: NodeID) {
        for audience in domainAudiences {
            registries.update(audience) { $0.update(node) { $0.noteNovelty() } }
        }
    }

    /// A peer has said something: where it says this and that in place of what it was asked for, others are
    /// asked.
    mutating func noteWord(of node: NodeID, at now: Moment, into effects: inout Outbox<GossipEffect>) {
        for audience in domainAudiences {
            let owners = registries.update(audience) { $0.noteWord(of: node) } ?? []
            guard !owners.isEmpty else { continue }
            askNext(of: owners, in: audience, at: now, into: &effects)
            scheduleTurn(in: audience)
        }
    }

    /// The next that told of each is asked for it, for all that fall to it at once, and for as many proofs as
    /// may be checked.
    mutating func askNext(
        of owners: [NodeID], in audience: Audience, at now: Moment, into effects: inout Outbox<GossipEffect>
    ) {
        var asked = OrderedTable<NodeID, [WantedHead]>()
        var over: Set<NodeID> = []
        for owner in owners {
            guard let next = nextTeller(of: owner, in: audience, at: now),
                let wanted = registries[audience].map({ want(owner, in: $0, at: now.wall) })
            else {
                over.insert(owner)
                continue
            }
            guard wanted.isProved || peers.update(next, { $0.mayAskForProof(at: now.instant) }) == true else {
                registries.update(audience) { $0.prolong(owner, at: now.instant) }
                continue
            }
            registries.update(audience) { $0.turn(to: next, of: owner, at: now.instant) }
            if asked.update(next, { $0.append(wanted) }) == nil { asked[next] = [wanted] }
        }
        registries.update(audience) { $0.endTurns(of: over) }
        for (next, wanted) in asked {
            guard let tag = tag(of: audience, with: next) else { continue }
            for start in stride(from: 0, to: wanted.count, by: HeadPage.most) {
                let part = Array(wanted[start..<min(start + HeadPage.most, wanted.count)])
                effects.post(.send(next, .ask(HeadRequest(audience: tag, wanted: part, after: nil))))
            }
        }
    }

    /// Who is asked for the head of `owner` now: the next that told and has a link.
    private func nextTeller(of owner: NodeID, in audience: Audience, at now: Moment) -> NodeID? {
        registries[audience]?.tellersBehind(owner).first { next in
            links.links[next] != nil && sharedDomain(with: next, at: now.wall) == audience
        }
    }
}
