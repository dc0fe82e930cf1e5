import MeshAgreements
import MeshAudit
import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

// What a node orders, held against what must hold, before it is performed.
extension World {
    /// Notes a breach when there is one.
    mutating func note(_ invariant: Invariant, _ text: String?) {
        if let text { breach(invariant, text) }
    }

    mutating func checkBefore(_ effect: NodeEffect, of run: RunID) {
        checkQuiet(effect, of: run)
        switch effect {
        case .send(let connection, let document): checkSending(document, on: connection, of: run)
        case .admit(let connection, let node, _): checkAdmission(of: node, on: connection, of: run)
        case .publish(let view): checkView(view, of: run)
        case .record(let records, _): checkRecords(records, of: run)
        case .dial, .dialThrough, .awaitPeople, .ping, .close, .drain, .sign, .linkUp, .linkDown, .linkAtRest,
            .pairing,
            .renewSessions, .answer,
            .confirmationWanted, .lookUp, .repeatHandshake, .persist, .makeEncryptionKey, .dropEncryptionKey:
            break
        }
    }

    /// Who is really at the other end; nil for the intruder, and where there is no connection.
    func truth(behind connection: ConnectionID, of run: RunID) -> NodeID? {
        guard let (id, end) = place(connection, of: run),
            case .agent(let far, _)? = pipes[id]?[end.other].party
        else { return nil }
        return hosts[far.host].node
    }

    /// Whether a peer's home was restored from before a run that a clock far ahead had numbered, and that was
    /// accepted. It cannot tell that from a lie of whom it does not know: people look at the alarm
    /// (Docs/Operating/files-and-backup.md; seed 17).
    private func isBehindItsPast(_ peer: PeerRecord) -> Bool {
        guard let host = hostOfNode[peer.node], hosts[host].disk.origin == .backup, let boot = peer.boot
        else { return false }
        let reached = HostClock.epoch + (time + Limits.bootNumberByStrangers - .zero).wholeMilliseconds
        return Int64(boot.number) > reached
    }

    private func isHonest(_ node: NodeID) -> Bool { hostOfNode[node].map { hosts[$0].isHonest } ?? false }

    private mutating func checkSending(_ document: LinkDocument, on connection: ConnectionID, of run: RunID) {
        let me = hosts[run.host].node
        checkShowing(document, on: connection, of: run)
        switch document {
        case .beliefs: checkReport(on: connection, of: run)
        case .handshake(.finish(let finish)) where finish.proof.body.grants.trust:
            checks.trust.granted(finish.proof.body.transcript, by: me)
            return
        case .handshake(.accept(let accept)) where accept.proof.body.grants.trust:
            checks.trust.granted(accept.proof.body.transcript, by: me)
            return
        case .handshake: return
        case .trust, .listening, .need, .domain, .goodbye, .gossip, .relay, .agreement, .domainAgreement,
            .reachRequest, .reachAnswer, .traceRequest, .traceAnswer:
            break
        }
        guard let (id, end) = place(connection, of: run) else { return }
        guard pipes[id]?[end].admitted != nil, let far = truth(behind: connection, of: run) else {
            return breach(.audienceKept, "host \(run.host) sends a document over a link that is none")
        }
        note(
            .audienceKept, leak(in: document, from: run.host, to: far).map { "host \(run.host) sends \($0)" })
    }

    private func leak(in document: LinkDocument, from host: Int, to far: NodeID) -> String? {
        let me = hosts[host].node
        switch document {
        case .beliefs(let report): return leak(in: report.beliefs, from: host, to: far)
        case .gossip(let message):
            return GossipCheck.leak(
                in: message, from: me, to: far, sharing: sharedDomain(host, far), using: suite)
        case .relay(let relay):
            return relay.heads.lazy.compactMap { leak(in: $0.push, from: host, to: far) }.first
        case .agreement(.house(let document)):
            return document.body.domain == sharedDomain(host, far) ? nil : "the house agreement of others"
        case .agreement(.houseHeld):
            return sharedDomain(host, far) != nil ? nil : "that it holds a house agreement"
        case .agreement(.offer(let document)), .agreement(.accepted(let document)):
            return document.body.party(besides: me) == far ? nil : "an agreement of others"
        case .agreement(.revoked(let document)):
            return document.body.revokedBy == me ? nil : "a revocation of others"
        case .agreement(.approval(let evidence)):
            let record = hosts[host].disk.agreements[evidence.approval.body.contentID]
            return evidence.party == me && record?.peer == far ? nil : "an approval of others"
        case .domainAgreement(.shown(let content)):
            return isOf(content.agreement, far, at: host) ? nil : "an agreement of other domains"
        case .domainAgreement(.held(let list)):
            let foreign = list.marks.contains { mark in
                hosts[host].disk.domainAgreements[mark.contentID].map {
                    !isOf($0.agreement, far, at: host)
                } ?? true
            }
            return foreign ? "that it holds an agreement of other domains" : nil
        case .traceAnswer(let answer):
            return answer.events.allSatisfy { $0.isVisible(to: far) } ? nil : "an event of others"
        case .domain(.paper(.partnerships(let decision))):
            return decision.body.domain == sharedDomain(host, far) ? nil : "a decision of others"
        case .agreement(.rejected), .agreement(.revocationHeard), .agreement(.approvalHeard),
            .agreement(.approvalRefused), .handshake, .trust, .listening, .domain,
            .need, .goodbye, .reachRequest, .reachAnswer, .traceRequest:
            return nil
        }
    }

    /// What is passed on is of the domain of both, by who is a member of it and by no pretender.
    private func leak(in push: HeadPush, from host: Int, to far: NodeID) -> String? {
        let head = push.head.body
        guard let domain = sharedDomain(host, far), head.audience == .domain(domain),
            push.records.allSatisfy({ $0.audience == head.audience && $0.owner == head.owner })
        else { return "a head of others in \(head.audience)" }
        guard let owner = hostOfNode[head.owner], checks.domains.isLetIn(head.owner, to: domain),
            push.head.isSigned(by: hosts[owner].key.publicKey, using: suite)
        else { return "a head of \(head.owner.brief), which is no member or did not sign it" }
        guard moment(of: host).wall < head.expires else { return "a head of others that is over" }
        return nil
    }

    private mutating func checkAdmission(of node: NodeID, on connection: ConnectionID, of run: RunID) {
        // A connection that has ended meanwhile leads to nobody; who hears of that late admits in vain.
        guard place(connection, of: run) != nil else { return }
        let far = truth(behind: connection, of: run)
        if far != node {
            breach(
                .linkProved, "host \(run.host) admits \(node.brief), there is \(far?.brief ?? "an intruder")")
        }
        if far == node, let (id, end) = place(connection, of: run),
            case .agent(let farRun, _)? = pipes[id]?[end.other].party,
            let boot = hosts[farRun.host].boots[farRun.number]
        {
            note(.bootsRise, checks.trust.admitted(boot, of: node, by: run.host))
        }
        guard let peer = hosts[run.host].agent?.node.trust.pins[node] else { return }
        if peer.state != .trusted || checks.trust.isRevoked(peer.pin, by: run.host) {
            breach(.revokedIsFinal, "host \(run.host) admits \(peer.name), which is \(peer.state.rawValue)")
        }
    }

    /// What is held against a change is held once it is written: what a torn write lost was never so.
    mutating func checkWriting(_ change: NodeChange, of run: RunID) {
        let me = hosts[run.host].node
        noteCause(change, of: run.host)
        switch change {
        case .trust(.peer(let peer)):
            let isPeerHonest = isHonest(peer.node) && !isBehindItsPast(peer)
            let found = checks.trust.wrote(peer, by: me, host: run.host, isPeerHonest: isPeerHonest)
            for (invariant, text) in found { breach(invariant, text) }
            if peer.state != .trusted { schedule(.inspect(.cut(run, peer.node)), after: .seconds(1)) }
            checkWriting(.peer(peer), of: run)
        case .trust(.peerForgotten(let node)):
            checks.trust.forgot(node, by: run.host)
            schedule(.inspect(.cut(run, node)), after: .seconds(1))
        case .trust(.invite(let invite)): note(.inviteServesOne, checks.trust.wrote(invite, by: run.host))
        case .gossip(.head(let stored)):
            for (invariant, text) in checks.gossip.wrote(stored, by: run.host, at: moment(of: run.host)) {
                breach(invariant, text)
            }
        case .gossip(.headGone): break
        case .trust(let other): checkWriting(other, of: run)
        case .agreement(let record):
            if case .active = record.state {
                note(.agreementHonoured, flaw(inApprovalsOf: record, at: run.host))
            }
        case .domainAgreement(let record):
            note(.agreementHonoured, flaw(in: record, at: run.host))
        case .agreementForgotten, .domainAgreementForgotten, .houseAgreement, .person, .personForgotten,
            .resource, .resourceRemoved,
            .route,
            .endpoint, .endpointForgotten:
            break
        }
    }

    /// What calls are decided by is under a head that is not over.
    private mutating func checkView(_ view: CallView, of run: RunID) {
        let wall = moment(of: run.host).wall
        let me = hosts[run.host].node
        for (peer, descriptions) in view.descriptions where !descriptions.isEmpty {
            let shared = sharedDomain(run.host, peer).map { [Audience.domain($0)] } ?? []
            let heads = ([.pair(me, peer)] + shared).compactMap { audience in
                hosts[run.host].disk.heads[Disk.HeadKey(owner: peer, audience: audience)]
            }.filter { wall < $0.head.body.expires }
            guard !heads.isEmpty else {
                breach(.nothingExpired, "host \(run.host) shows what \(peer.brief) no longer says")
                continue
            }
            let told = Set(heads.flatMap { $0.records.map(\.key) })
            for name in descriptions.keys where !told.contains(name) {
                breach(.nothingExpired, "host \(run.host) shows \(name), which \(peer.brief) does not tell")
            }
        }
    }

    private mutating func checkRecords(_ records: [AuditRecord], of run: RunID) {
        for case .event(let event) in records
        where event.action == "document refused" && isHonest(event.source) {
            let why = event.refusals.map { "\($0)" }.joined()
            breach(.honestUnconvicted, "host \(run.host) refused what \(event.source.brief) sent: \(why)")
        }
    }
}
