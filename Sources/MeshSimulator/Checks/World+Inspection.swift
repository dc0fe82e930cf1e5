import MeshAgreements
import MeshAudit
import MeshBase
import MeshDiscovery
import MeshGossip
import MeshNode
import MeshTrust

// What must have come right by a certain time.
extension World {
    mutating func inspect(_ inspection: Inspection) {
        switch inspection {
        case .routine:
            inspectTables()
            inspectCredentials()
            inspectUnderWay()
            // A host that stood still answers when it goes on.
            let hasPaused = plan.faults.contains(.pauses) && time < .zero + plan.duration + .seconds(15)
            let patience: Duration = hasPaused ? .seconds(15) : .seconds(1)
            for text in checks.calls.overdue(at: time, patience: patience) { breach(.answeredOnce, text) }
            schedule(.inspect(.routine), after: .seconds(5))
        case .underWay: inspectUnderWay()
        case .cut(let run, let node): inspectCut(run, node)
        case .conviction(let run, let node): inspectConviction(run, node)
        case .membership(let run, let node): inspectMembership(of: node, by: run)
        case .links: inspectLinks()
        case .heads: inspectHeads()
        case .end:
            inspectAllTables()
            for number in hosts.indices { inspectJournal(of: number) }
            inspectJournals()
            inspectDomains()
            inspectBeliefs()
            if plan.domain.isAny {
                inspectLinks()
                inspectHeads()
            }
            statistics.pairsTrusted = pairs().count
        }
    }

    /// Pairs of hosts that trust one another.
    private func pairs() -> [(Int, Int)] {
        var found: [(Int, Int)] = []
        for one in hosts.indices {
            guard let peers = hosts[one].agent?.node.trust.pins.peers else { continue }
            for (node, peer) in peers where peer.state == .trusted {
                guard let other = hostOfNode[node], other > one,
                    hosts[other].agent?.node.trust.pins.isTrusted(hosts[one].node) == true
                else { continue }
                found.append((one, other))
            }
        }
        return found
    }

    /// What was under way under a revoked agreement that cuts calls has ended, and no answer is awaited.
    private mutating func inspectUnderWay() {
        for number in hosts.indices {
            guard let agent = hosts[number].agent, let desk = agent.desk, agent.line.waitingCount == 0,
                hosts[number].pausedUntil <= time, !hosts[number].isFull
            else { continue }
            let cut = hosts[number].disk.agreements.values.filter { record in
                guard case .ended(.revoked) = record.state else { return false }
                return record.agreement.callsAtEnd == .cut
            }
            for record in cut where desk.isUnderWay(record.contentID) {
                breach(.cutEnds, "host \(number) goes on under \(record.agreement.id), which was revoked")
            }
        }
    }

    /// Nothing is open any more to whom a host does not trust.
    private mutating func inspectCut(_ run: RunID, _ node: NodeID) {
        guard isAlive(run), hosts[run.host].pausedUntil <= time, !hosts[run.host].isFull,
            hosts[run.host].agent?.node.trust.pins.isTrusted(node) == false
        else { return }
        for (connection, id) in hosts[run.host].agent?.pipes ?? OrderedTable() {
            guard let end = pipes[id]?.end(of: run, connection), pipes[id]?[end].admitted == node,
                pipes[id]?[end].isOpen == true
            else { continue }
            breach(.cutAtOnce, "host \(run.host) has a link with \(node.brief) still")
        }
    }

    private mutating func inspectConviction(_ run: RunID, _ node: NodeID) {
        guard isAlive(run), hosts[run.host].pausedUntil <= time, !hosts[run.host].isFull,
            hosts[run.host].agent?.node.trust.pins.isTrusted(node) == true
        else { return }
        breach(.equivocationConvicts, "host \(run.host) trusts \(node.brief), which told it two things")
    }

    private mutating func inspectLinks() {
        for (one, other) in pairs() where hasMet(one, other) && isOld(one, other) && isKept(one, other) {
            for (here, there) in [(one, other), (other, one)]
            where hosts[here].agent?.node.gossip.link(with: hosts[there].node) == nil {
                breach(.linksReturn, "host \(here) has no link with host \(there)")
            }
        }
    }

    /// Whether either of the two keeps a link with the other whether or not it is used.
    func isKept(_ one: Int, _ other: Int) -> Bool {
        [(one, other), (other, one)].contains { here, there in
            hosts[here].agent?.node.overlay.isKept(hosts[there].node) == true
        }
    }

    /// Whether either of the two keeps where the other was; those that never linked must first hear an
    /// announcement.
    private func hasMet(_ one: Int, _ other: Int) -> Bool {
        hosts[one].disk.endpoints[hosts[other].node] != nil
            || hosts[other].disk.endpoints[hosts[one].node] != nil
    }

    /// Whether trust between the two is older than a link may take: credentials make trust whenever two meet.
    private func isOld(_ one: Int, _ other: Int) -> Bool {
        [(one, other), (other, one)].allSatisfy { here, there in
            guard let since = hosts[here].disk.peers[hosts[there].node]?.since else { return false }
            let age = moment(of: here).wall - since
            return age < .zero || age > .seconds(20)
        }
    }

    /// Whether a link that they have, if any, is no new one.
    private func isSettled(_ one: Int, _ other: Int) -> Bool {
        [(one, other), (other, one)].allSatisfy { here, there in
            guard let link = hosts[here].agent?.node.gossip.link(with: hosts[there].node) else {
                return isOld(one, other)
            }
            return moment(of: here).instant - link.since > .seconds(10)
        }
    }

    private mutating func inspectHeads() {
        for (one, other) in pairs() where hasMet(one, other) && isSettled(one, other) {
            for (owner, holder) in [(one, other), (other, one)] where !checks.gossip.owesWait.contains(owner)
            {
                let (mine, theirs) = (hosts[owner].node, hosts[holder].node)
                // What is of two alone is told over their link, and over no other.
                if isKept(one, other) { inspectHead(of: owner, at: holder, in: .pair(mine, theirs)) }
                if let domain = sharedDomain(owner, theirs), domain == sharedDomain(holder, mine),
                    areOldMembers(owner, holder)
                {
                    inspectHead(of: owner, at: holder, in: .domain(domain))
                }
            }
        }
    }

    private mutating func inspectHead(of owner: Int, at holder: Int, in audience: Audience) {
        let key = Disk.HeadKey(owner: hosts[owner].node, audience: audience)
        guard let own = hosts[owner].disk.heads[key] else { return }
        let held = hosts[holder].disk.heads[key]
        guard held?.head.body.epoch != own.head.body.epoch || held?.head.body.root != own.head.body.root
        else { return }
        breach(
            .headsConverge,
            "host \(holder) holds \(describe(held)) of host \(owner), which is at \(describe(own))")
    }

    private func describe(_ stored: StoredHead?) -> String {
        guard let body = stored?.head.body else { return "nothing" }
        return "(\(body.epoch), \(body.sequence), \(body.root.description.prefix(6)))"
    }

    /// Who dated heads ahead by 300 s to 10 minutes waits until its clock is there, as the design says
    /// (protocol section 6).
    mutating func noteWaits() {
        for number in hosts.indices {
            let me = hosts[number].node
            let limit = moment(of: number).wall + Limits.clockSkewRefused
            let isAhead = hosts[number].disk.heads.contains { key, stored in
                key.owner == me && WallTime(milliseconds: stored.head.body.sequence >> 10) > limit
            }
            if isAhead { checks.gossip.owesWait.insert(number) }
        }
    }

    private mutating func inspectTables() {
        for number in hosts.indices {
            guard let agent = hosts[number].agent else { continue }
            let sizes = [
                ("peers", agent.node.trust.pins.peers.count, Limits.peers),
                ("invites", agent.node.trust.invites.invites.count, Limits.openInvites),
                ("own calls", agent.desk?.load.calls ?? 0, 4_096),
                ("peers' calls", agent.desk?.load.services ?? 0, 4_096),
                ("agreements", hosts[number].disk.agreements.count, plan.nodes * Limits.agreementsPerPeer),
            ]
            for (name, size, limit) in sizes where size > limit {
                breach(.bounded, "host \(number) holds \(size) \(name), at most \(limit)")
            }
        }
    }

    /// Everything that a node and its desk hold, known here or not: what the bounds of a table are, its own
    /// tests say; here none grows with how long or how loudly others talk.
    mutating func inspectAllTables() {
        for number in hosts.indices {
            guard let agent = hosts[number].agent else { continue }
            var census = TableCensus()
            census.count(agent.node, at: "node")
            if let desk = agent.desk { census.count(desk, at: "desk") }
            for (place, count) in census.beyond(Self.tableMax) {
                breach(.bounded, "host \(number) holds \(count) at \(place)")
            }
        }
    }

    /// More than any table of a run of minutes has reason to hold.
    private static let tableMax = 1_024

    /// A journal loses nothing while its agent runs, so it is looked through at each start and at the end.
    mutating func inspectJournal(of number: Int) {
        for text in checks.audit.missing(in: hosts[number].disk.journal, of: number) {
            breach(.nothingLost, text)
        }
    }

    /// Each attempt is told once on each side that it reached, each call closed once.
    private mutating func inspectJournals() {
        let folds = hosts.map(\.disk.fold)
        var served = Set<String>()
        for (number, fold) in folds.enumerated() {
            for text in AuditCheck.repeated(in: fold.events, of: number) { breach(.toldOnce, text) }
            for event in fold.events where event.type == .service { served.insert(Self.name(of: event)) }
        }
        for (number, fold) in folds.enumerated() where !hosts[number].isGone {
            for event in fold.events
            where event.type == .attempt && event.success && event.target != event.source {
                guard let target = hostOfNode[event.target], !checks.audit.powerless.contains(target),
                    !served.contains(Self.name(of: event))
                else { continue }
                breach(.toldOnce, "host \(number) was answered by host \(target), which does not tell it")
            }
            for correlation in AuditCheck.unclosed(in: fold.events) {
                breach(.toldOnce, "host \(number) tells an attempt and does not close \(correlation)")
            }
            for event in fold.unfinished.underWay + fold.unfinished.unclosed {
                breach(.toldOnce, "host \(number) leaves \(event.correlation?.description ?? "") open")
            }
            for settlement in fold.orphans {
                breach(.toldOnce, "host \(number) settles \(settlement.id), which nothing admits")
            }
            let closed = Set(fold.events.filter { $0.type == .call }.compactMap(\.correlation))
            guard !checks.audit.powerless.contains(number) else { continue }
            for correlation in checks.audit.answered[number] ?? [] where !closed.contains(correlation) {
                breach(.toldOnce, "host \(number) does not close \(correlation)")
            }
        }
    }

    private static func name(of event: AuditEvent) -> String {
        "\(event.correlation?.description ?? "") \(event.attempt) \(event.source) \(event.target)"
    }
}
