import MeshAgreements
import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

// Domains, held against what the world knows of them.
extension World {
    // MARK: Memberships

    /// The domain in which `host` has, by its own store and clock, proof that both it and `peer` are members
    /// now; nil when there is none.
    func sharedDomain(_ host: Int, _ peer: NodeID) -> DomainID? {
        let me = hosts[host].node
        guard let mine = hosts[host].disk.home?.chain, let theirs = hosts[host].disk.credentials[peer]?.chain,
            counts(mine, of: me, at: host), counts(theirs, of: peer, at: host),
            mine.credential.body.domain == theirs.credential.body.domain
        else { return nil }
        return mine.credential.body.domain
    }

    /// Whether `chain` makes `node` a member, by this host's clock and what it has revoked.
    func counts(_ chain: CredentialChain, of node: NodeID, at host: Int) -> Bool {
        let wall = moment(of: host).wall
        let isRevoked = chain.issuer.map {
            hosts[host].disk.revokedPins[suite.pin(of: $0.body.key)] != nil
        }
        return isRevoked != true && wall < chain.until
            && checks.domains.flaw(of: chain, for: node, using: suite) == nil
    }

    /// The same, and its date is not ahead: then it counts at nobody who sees it for the first time, until a
    /// clock that was wrong is caught up with.
    func countsAnywhere(_ chain: CredentialChain, of node: NodeID, at host: Int) -> Bool {
        let isAhead = chain.credential.body.issued > moment(of: host).wall + Limits.clockSkewRefused
        return !isAhead && counts(chain, of: node, at: host)
    }

    // MARK: As it is written

    mutating func checkWriting(_ change: TrustChange, of run: RunID) {
        checkPaper(change, of: run)
        guard hosts[run.host].isHonest else { return }
        switch change {
        case .home(let home): checkChain(home.chain, of: hosts[run.host].node, kept: run)
        case .credential(let stored): checkChain(stored.chain, of: stored.node, kept: run)
        case .peer(let peer) where peer.state == .trusted && peer.evidence.kind == .domain:
            schedule(.inspect(.membership(run, peer.node)), after: .zero)
        case .peer, .peerForgotten, .invite, .inviteGone, .ownBoot, .credentialGone, .tokenUse,
            .conviction, .convictionGone, .tokenForgotten, .partnerships, .bundle, .bundleGone:
            break
        }
    }

    private mutating func checkChain(_ chain: CredentialChain, of node: NodeID, kept run: RunID) {
        if let flaw = checks.domains.flaw(of: chain, for: node, using: suite) {
            breach(.credentialsGrounded, "host \(run.host) takes a credential of \(node.brief): \(flaw)")
        }
    }

    /// Who is trusted as a member is one, by what the same turn wrote.
    mutating func inspectMembership(of node: NodeID, by run: RunID) {
        guard isAlive(run), let peer = hosts[run.host].disk.peers[node], peer.state == .trusted,
            let domain = peer.domain
        else { return }
        let chain = hosts[run.host].disk.credentials[node]?.chain
        guard let chain, chain.credential.body.domain == domain,
            checks.domains.flaw(of: chain, for: node, using: suite) == nil
        else {
            return breach(
                .credentialsGrounded, "host \(run.host) trusts \(node.brief) as a member of \(domain.brief)")
        }
        note(.partnersAsDecided, partnerFlaw(of: node, in: domain, at: run.host))
    }

    // MARK: As it is sent

    /// A newcomer's token, as it reaches an issuer.
    mutating func watchToken(_ document: LinkDocument, at run: RunID, _ connection: ConnectionID) {
        guard case .handshake(.finish(let finish)) = document, let token = finish.token else { return }
        checks.domains.presents(token.record.body, to: run, on: connection, using: suite)
    }

    /// Credentials are shown to members of their domain, and to who holds a token of it; nobody else learns
    /// of them.
    mutating func checkShowing(_ document: LinkDocument, on connection: ConnectionID, of run: RunID) {
        switch document {
        case .handshake(.answer(let answer)): checkShown(answer.chain, on: connection, of: run)
        case .handshake(.finish(let finish)): checkShown(finish.chain, on: connection, of: run)
        case .handshake(.accept(let accept)):
            guard let granted = accept.granted?.credential.body else { return }
            checkShown(accept.granted, on: connection, of: run)
            let wall = moment(of: run.host).wall
            note(
                .tokenServesFew,
                checks.domains.enrols(granted.pin, in: granted.domain, at: run, on: connection, wall))
        case .beliefs: break
        case .domain(.shown(let chain)), .domain(.renewalWanted(let chain)), .domain(.renewed(let chain)):
            checkShown(chain, on: connection, of: run)
        case .handshake, .domain, .trust, .listening, .need, .goodbye, .gossip, .agreement, .domainAgreement,
            .reachRequest, .reachAnswer, .traceRequest, .traceAnswer:
            break
        case .relay(let relay):
            for passed in relay.heads { checkShown(passed.proof?.chain, on: connection, of: run) }
        }
    }

    private mutating func checkShown(
        _ chain: CredentialChain?, on connection: ConnectionID, of run: RunID
    ) {
        guard let domain = chain?.credential.body.domain, place(connection, of: run) != nil,
            hosts[run.host].isHonest
        else { return }
        // Who has stolen a member's TLS key can say what it heard that member say.
        var far = truth(behind: connection, of: run).flatMap { hostOfNode[$0] }
        if far == nil, let (id, end) = place(connection, of: run),
            case .wellFormed(let stolen) = presented(by: id, end.other),
            isStolen(stolen)
        {
            far = hostOfNode[stolen.statement.node]
        }
        if let far, mayLearn(far, of: domain, from: run.host) { return }
        let whom = far.map { "host \($0)" } ?? "the intruder"
        breach(.audienceKept, "host \(run.host) shows \(whom) a credential of \(domain.brief)")
    }

    /// Whether a host may be shown credentials of a domain: it belongs there, holds a token, or its home has
    /// accepted that domain; or the home of who shows them has accepted its own, which it showed first.
    private func mayLearn(_ far: Int, of domain: DomainID, from host: Int) -> Bool {
        let home = hosts[far].disk.home?.domain
        if checks.domains.isLetIn(hosts[far].node, to: domain) || home == domain { return true }
        if hosts[far].token?.token.domain == domain { return true }
        if checks.domains.hasKnown(domain, at: far) { return true }
        return home.map { checks.domains.hasKnown($0, at: host) } ?? false
    }

    /// Whether a host shows this very certificate now.
    private func isStolen(_ certificate: CertificateFacts) -> Bool {
        hosts.contains { $0.agent?.leaf.certificateDigest == certificate.certificateDigest }
    }

    /// Whether both of a pair have been members long enough to have told each other.
    func areOldMembers(_ one: Int, _ other: Int) -> Bool {
        [one, other].allSatisfy { host in
            guard let issued = hosts[host].disk.home?.chain.credential.body.issued else { return false }
            let age = moment(of: host).wall - issued
            return age < .zero || age > .seconds(10)
        }
    }

    // MARK: In time

    /// Nobody is trusted long by a credential that is over; a clock that jumped is looked at once a minute.
    mutating func inspectCredentials() {
        for number in hosts.indices {
            let run = RunID(host: number, number: hosts[number].running)
            guard run.number > 0, hosts[number].pausedUntil <= time, !hosts[number].isFull, isHonest(number)
            else { continue }
            let wall = moment(of: number).wall
            if plan.domain == .partners { inspectPartners(of: number) }
            for (node, peer) in hosts[number].disk.peers where peer.state == .trusted && peer.domain != nil {
                let until = hosts[number].disk.credentials[node]?.chain.until
                let isOver = until.map { wall >= $0 } ?? true
                let late = checks.domains.trusts(node, by: run, isOver: isOver, at: time)
                if late > .seconds(75) {
                    breach(.credentialsEnd, "host \(number) trusts \(peer.name), whose credential is over")
                }
            }
        }
    }

    private func isHonest(_ host: Int) -> Bool { hosts[host].isHonest }

    /// What must be at the end: members know one another, hold the same, and have what they need.
    mutating func inspectDomains() {
        statistics.members =
            hosts.indices.filter { number in
                hosts[number].disk.home.map { counts($0.chain, of: hosts[number].node, at: number) } ?? false
            }.count
        inspectMesh()
        for one in hosts.indices {
            inspectRenewal(of: one)
            for other in hosts.indices where other != one {
                inspectMembers(one, other)
                if plan.domain == .partners { inspectPartners(one, other) }
            }
        }
    }

    /// The links that are kept reach from each member to each other: what one tells, all can hear.
    private mutating func inspectMesh() {
        let members = hosts.indices.filter { hosts[$0].disk.home != nil }
        var trust = Islands(hosts.count)
        var links = Islands(hosts.count)
        for one in members {
            for other in members where other > one {
                let (node, far) = (hosts[one].node, hosts[other].node)
                // Who is no honest member passes on what it is told all the same, most of the time.
                if hosts[one].agent?.node.gossip.link(with: far) != nil { links.join(one, other) }
                guard isMember(other, for: one), isMember(one, for: other),
                    hosts[one].agent?.node.trust.pins.isTrusted(far) == true,
                    hosts[other].agent?.node.trust.pins.isTrusted(node) == true
                else { continue }
                trust.join(one, other)
            }
        }
        for one in members where links.land(of: one) != links.land(of: trust.land(of: one)) {
            breach(.meshHolds, "no way over links leads from host \(one) to host \(trust.land(of: one))")
        }
    }

    /// Whether each of the two, by what it knows, must take the other for a member of its own domain.
    private func isMember(_ other: Int, for one: Int) -> Bool {
        guard hosts[one].agent != nil, hosts[other].agent != nil, isHonest(one), isHonest(other),
            let mine = hosts[one].disk.home, let theirs = hosts[other].disk.home,
            mine.domain == theirs.domain
        else { return false }
        let state = hosts[one].disk.peers[hosts[other].node]?.state
        return countsAnywhere(mine.chain, of: hosts[one].node, at: one)
            && countsAnywhere(theirs.chain, of: hosts[other].node, at: one)
            && state != .suspended && state != .revoked
            && hosts[one].disk.revokedPins[suite.pin(of: hosts[other].key.publicKey)] == nil
    }

    private mutating func inspectMembers(_ one: Int, _ other: Int) {
        guard isMember(other, for: one), isMember(one, for: other), let home = hosts[one].disk.home else {
            return
        }
        let node = hosts[other].node
        guard hosts[one].agent?.node.trust.pins.isTrusted(node) == true,
            !isKept(one, other) || hosts[one].agent?.node.gossip.link(with: node) != nil
        else {
            return breach(.membersConverge, "host \(one) has no link with member \(other)")
        }
        guard sharedDomain(one, node) == home.domain else {
            return breach(.membersConverge, "host \(one) does not know that \(other) is a member")
        }
        let houses = [one, other].map { hosts[$0].disk.houses[home.domain] }
        guard houses[0] == houses[1] else {
            return breach(
                .membersConverge,
                "hosts \(one), \(other) hold house agreements \(houses.map { $0?.body.version ?? 0 })")
        }
        if one < other, plan.domain == .partners { inspectPapers(one, other) }
        let audience = Audience.domain(home.domain)
        guard hosts[other].disk.heads[Disk.HeadKey(owner: node, audience: audience)] != nil else {
            return breach(.membersConverge, "host \(other) tells its domain nothing")
        }
    }

    /// Where the anchor's key lies, the domain never ends, however long the machine slept.
    private mutating func inspectFounder(_ host: Int) {
        guard let anchor = hosts[host].anchor, anchor.key.publicKey == anchor.name, hosts[host].agent != nil,
            isHonest(host), let home = hosts[host].disk.home,
            !countsAnywhere(home.chain, of: hosts[host].node, at: host)
        else { return }
        breach(.membersConverge, "host \(host), where the anchor is, has no credential that counts")
    }

    /// A member whose credential is due has a later one when an issuer is there.
    private mutating func inspectRenewal(of host: Int) {
        inspectFounder(host)
        guard let home = hosts[host].disk.home, hosts[host].agent != nil, isHonest(host),
            counts(home.chain, of: hosts[host].node, at: host)
        else { return }
        let body = home.chain.credential.body
        let due = body.issued + (body.until - body.issued) * 2 / 3
        let issuers = hosts.indices.filter { other in
            guard other != host, let authority = hosts[other].disk.home?.chain.authority else { return false }
            return isMember(other, for: host) && isMember(host, for: other)
                && moment(of: other).wall < authority.body.until
        }
        guard due < moment(of: host).wall, !issuers.isEmpty else { return }
        breach(.membersConverge, "host \(host) has not renewed its credential by \(issuers)")
    }
}
