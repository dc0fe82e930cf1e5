import MeshBase
import MeshRouting

// Links that are opened for calls, and kept while calls use them (protocol section 5).
extension CallDesk {
    /// As many links are opened for one call: the first that is up serves it.
    private static let wishesPerCall = 3

    /// A call waits: links that nobody dials without being asked are asked for, once for all who wait.
    mutating func wish(
        for assessments: [Assessment], of resource: ResourceName, at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        let atRest = assessments.filter { $0.isAwaited && routes.lines[$0.node]?.link == .atRest }
        guard !atRest.isEmpty else { return }
        // Beginning anywhere, so that not all calls of all nodes go to the same few.
        let first = Int(generator.number(below: UInt64(atRest.count)))
        var asked = Array(atRest[first...] + atRest[..<first])
        if let rule = view.rule(for: resource) {
            // Whom the operator prefers, then by weight.
            func rank(_ one: Assessment) -> (Int, RouteWeight) {
                (one.node == rule.preferred ? 1 : 0, one.weight)
            }
            asked.sort { rank($0) > rank($1) }
        }
        for assessment in asked.prefix(Self.wishesPerCall)
        where routes.wants(assessment.node, at: now.instant) {
            effects.post(.linkWanted(assessment.node))
        }
    }

    /// A call goes where a link is. Where it had gone to a provider at rest if that had one, by the picker's
    /// measure and by weight, the link is opened for those that follow.
    mutating func wish(
        beside ready: [Assessment], among assessments: [Assessment], for resource: ResourceName,
        at now: Moment,
        into effects: inout Outbox<CallEffect>
    ) {
        var atRest = assessments.filter { $0.isAwaited && routes.lines[$0.node]?.link == .atRest }
        guard !atRest.isEmpty else { return }
        let rule = view.rule(for: resource)
        if let preferred = rule?.preferred {
            // It takes every call: no other link is worth opening.
            if ready.contains(where: { $0.node == preferred }) { return }
            if atRest.contains(where: { $0.node == preferred }) {
                if routes.wants(preferred, at: now.instant) { effects.post(.linkWanted(preferred)) }
                return
            }
        }
        let order = rule?.order ?? .localFirst
        guard order == .spread || !ready.contains(where: \.isLocal) else { return }
        // What one without a link takes is not known: as long as the quickest of the others.
        let quickest = ready.map(\.microseconds).min() ?? 0
        for place in atRest.indices { atRest[place].microseconds = quickest }
        let all = ready + atRest
        guard let place = Picker.pick(all.map(\.candidate), order: order, using: &generator),
            place >= ready.count,
            routes.wants(all[place].node, at: now.instant)
        else { return }
        effects.post(.linkWanted(all[place].node))
    }

    /// A call of this node's uses the link of its attempt.
    mutating func noteUse(by id: RequestID, at now: Moment, into effects: inout Outbox<CallEffect>) {
        switch calls[id]?.phase {
        case .attempting(let attempt)?, .answering(let attempt)?:
            guard let open = attempts[attempt], !open.isLocal else { return }
            noteUse(of: open.way.node, at: now, into: &effects)
        // Of the two only what answers moves bytes, and then it is the only one.
        case .weighed?, .waiting?, .judging?, .hedged?, nil: break
        }
    }

    /// A call of either side uses the link with `peer`.
    mutating func noteUse(of peer: NodeID, at now: Moment, into effects: inout Outbox<CallEffect>) {
        guard routes.uses(peer, at: now.instant, every: view.configuration.linkUsePause) else { return }
        effects.post(.linkUsed(peer))
    }
}
