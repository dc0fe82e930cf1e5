import MeshAgreements
import MeshAudit
import MeshBase
import MeshNode
import MeshRouting
import MeshTrust

// What a desk orders, held against what must hold, when it is ordered.
extension World {
    /// An attempt that has answered, or is over, is no probe any more.
    mutating func hear(_ input: CallInput, _ run: RunID) {
        switch input {
        case .attemptAnswered(let id, _, _), .attemptRefused(let id, _, _), .attemptFailed(let id, _, _),
            .attemptEnded(let id, _, _), .resourceAnswered(.own(let id), _, _),
            .resourceFailed(.own(let id), _, _):
            checks.calls.settled(id, of: run)
        default: break
        }
    }

    mutating func checkOrders(_ effects: [CallEffect], of run: RunID) {
        var settledAs: AuditDurability?
        var memories: [AuditEvent] = []
        for effect in effects {
            switch effect {
            case .record(let records, let durability):
                memories += checkMemory(in: records, of: run)
                if records.contains(where: { if case .settled = $0 { true } else { false } }) {
                    settledAs = durability
                }
            case .answerAgain(let id, let end, let correlation):
                if let event = memories.first(where: { $0.correlation == correlation }) {
                    checkMemory(end, given: event, to: id, of: run)
                } else {
                    checkAcknowledgement(id, settledAs, of: run)
                }
            case .finish(let id): checkAcknowledgement(id, settledAs, of: run)
            case .send(let attempt, let node, let invocation):
                checkSending(attempt, to: node, invocation, of: run)
            case .serve(.own(let attempt), _, _):
                let way = CallCheck.Way(node: hosts[run.host].node, resource: resource(of: attempt, run))
                checkAttempt(attempt, [way], of: run)
            case .serve(.inbound(let key), _, let invocation): checkServing(key, invocation, of: run)
            case .abandon(let attempt), .stop(.own(let attempt)): checks.calls.settled(attempt, of: run)
            case .breakerChanged(let change):
                let way = CallCheck.Way(node: change.node, resource: change.resource)
                checks.calls.breakerChanged(way, to: change.to, of: run)
            case .remember, .reserve, .linkWanted, .linkUsed, .judge, .answer, .refuse, .breakOff,
                .stop(.inbound), .respond,
                .finishResponse,
                .breakOffResponse,
                .replay:
                break
            }
        }
    }

    /// Settled before the last frame, and synced for what may have changed something.
    private mutating func checkAcknowledgement(_ id: RequestID, _ durability: AuditDurability?, of run: RunID)
    {
        guard let request = checks.calls.request(id, of: run)?.request else { return }
        let isMutating =
            switch request.form {
            case .invoke(let capability?, _): capability != .named("list")
            case .invoke(nil, _): false
            case .mesh: true
            }
        if durability == nil || (isMutating && durability != .synced) {
            breach(
                .nothingLost,
                "host \(run.host) lets request \(id.number) go, settled: \(durability?.rawValue ?? "no")")
        }
    }

    private func resource(of attempt: AttemptID, _ run: RunID) -> ResourceName? {
        checks.calls.request(attempt.request, of: run)?.request.resource
    }

    private mutating func checkAttempt(_ attempt: AttemptID, _ ways: [CallCheck.Way], of run: RunID) {
        let up = moment(of: run.host).instant - .zero
        for (invariant, text) in checks.calls.left(attempt, along: ways, of: run, upFor: up) {
            breach(invariant, text)
        }
        guard let request = checks.calls.request(attempt.request, of: run), request.deadline < time else {
            return
        }
        breach(.withinDeadline, "host \(run.host) tries \(attempt) after its deadline")
    }

    private mutating func checkSending(
        _ attempt: AttemptID, to node: NodeID, _ invocation: Invocation, of run: RunID
    ) {
        let ways = [
            CallCheck.Way(node: node, resource: invocation.resource),
            CallCheck.Way(node: node, resource: nil),
        ]
        checkAttempt(attempt, ways, of: run)
        if let request = checks.calls.request(attempt.request, of: run) {
            let left = (request.deadline - time).wholeMilliseconds + 1
            if Int64(invocation.remainingMilliseconds) > left {
                breach(.withinDeadline, "host \(run.host) gives \(attempt) more time than there is")
            }
        }
        checkAgreement(
            of: invocation, from: hosts[run.host].node, to: node, with: node, .sent(run.host, attempt),
            of: run)
        checkEngine(invocation.correlation, .consumer, of: run)
    }

    private mutating func checkServing(_ key: InboundKey, _ invocation: Invocation, of run: RunID) {
        if let deadline = checks.calls.deadline(of: key, run: run), deadline < time {
            breach(.withinDeadline, "host \(run.host) serves \(key) after its deadline")
        }
        guard let peer = truth(behind: key.connection, of: run) else { return }
        checkAgreement(
            of: invocation, from: peer, to: hosts[run.host].node, with: peer, .served(run.host, key), of: run)
        checkEngine(invocation.correlation, .provider, of: run)
    }

    /// Nothing of a call leaves for, or is done for, who is not trusted now.
    mutating func checkTrust(in peer: NodeID, of run: RunID) {
        guard turn != run, hosts[run.host].agent?.node.trust.pins.isTrusted(peer) != true else { return }
        breach(.agreementHonoured, "host \(run.host) calls or serves \(peer.brief), which it does not trust")
    }

    /// The agreement that a call stands on: in force, of these two, for this.
    private mutating func checkAgreement(
        of invocation: Invocation, from caller: NodeID, to callee: NodeID, with peer: NodeID,
        _ subject: UsageCheck.Subject, of run: RunID
    ) {
        if let contentID = invocation.agreement,
            let house = hosts[run.host].disk.houses.values.first(where: { suite.names($0, contentID) })
        {
            return checkHouse(house, of: invocation, from: caller, to: callee, of: run)
        }
        if let contentID = invocation.agreement,
            let record = hosts[run.host].disk.domainAgreements[contentID]
        {
            return checkDomainAgreement(record, of: invocation, from: caller, to: callee, subject, of: run)
        }
        guard let contentID = invocation.agreement, let record = hosts[run.host].disk.agreements[contentID],
            case .active = record.state
        else {
            return breach(.agreementHonoured, "host \(run.host) acts with \(peer.brief) under no agreement")
        }
        note(.agreementHonoured, flaw(inApprovalsOf: record, at: run.host))
        guard record.agreement.source == callee, record.agreement.target == caller else {
            return breach(
                .agreementHonoured, "host \(run.host), \(invocation.capability) under another's agreement")
        }
        check(record.agreement, of: invocation, to: callee, subject, of: run)
    }

    /// The times and terms of what a call stands on, whoever its parties are.
    mutating func check(
        _ agreement: Agreement, of invocation: Invocation, to callee: NodeID,
        _ subject: UsageCheck.Subject, of run: RunID
    ) {
        checks.usage.ordered(subject, under: agreement, host: run.host, at: seen(by: run.host).wall)
        let wall = moment(of: run.host).wall
        let isDue = agreement.validFrom.map { wall - .seconds(5) >= $0 } ?? true
        let isCovered = agreement.grants.contains {
            $0.resource == invocation.resource && $0.covers(invocation.capability)
        }
        guard isDue, wall + .seconds(5) <= agreement.validUntil, isCovered else {
            return breach(
                .agreementHonoured, "host \(run.host), \(invocation.capability) under \(agreement.id)")
        }
        checkSeal(of: invocation, under: agreement, to: callee, of: run)
    }

    /// Held by both ends: at the caller before it leaves, at the callee before anything is done for it.
    private mutating func checkSeal(
        of invocation: Invocation, under agreement: Agreement, to callee: NodeID, of run: RunID
    ) {
        guard agreement.conditions?.encryption == .required else { return }
        guard let key = invocation.sealedTo else {
            return breach(.payloadSealed, "host \(run.host), in clear under \(agreement.id)")
        }
        if let host = hostOfNode[callee], !hosts[host].keysTold.contains(key) {
            breach(.payloadSealed, "host \(run.host) seals to \(key), which host \(host) never made")
        }
    }

    /// The house agreement: signed by the domain's anchor, in force, both in the domain, and the resource
    /// offered to it.
    private mutating func checkHouse(
        _ house: HouseDocument, of invocation: Invocation, from caller: NodeID, to callee: NodeID,
        of run: RunID
    ) {
        let isInTime = moment(of: run.host).wall + .seconds(5) <= house.body.until
        let isOffered =
            callee != hosts[run.host].node || invocation.resource == .echo
            || hosts[run.host].disk.offeredToDomain[invocation.resource] == .offered
        let peer = caller == hosts[run.host].node ? callee : caller
        statistics.houseCalls += 1
        guard turn != run else { return }
        guard house.flaw(using: suite) == nil, isInTime, isOffered,
            sharedDomain(run.host, peer) == house.body.domain, bothLast(.seconds(5), run.host, peer)
        else {
            return breach(
                .agreementHonoured, "host \(run.host), \(invocation.resource) under the \(house.body.name)")
        }
    }
}

extension World {
    /// Whether a host's own credential and the peer's both last so much longer.
    fileprivate func bothLast(_ margin: Duration, _ host: Int, _ peer: NodeID) -> Bool {
        guard let mine = hosts[host].disk.home?.chain, let theirs = hosts[host].disk.credentials[peer]?.chain
        else { return false }
        let end = moment(of: host).wall + margin
        return end <= mine.until && end <= theirs.until
    }
}

extension SimulatedSuite {
    /// Whether `contentID` names this house agreement.
    fileprivate func names(_ house: HouseDocument, _ contentID: Digest) -> Bool {
        house.agreement.contentID(using: self) == contentID
    }
}
