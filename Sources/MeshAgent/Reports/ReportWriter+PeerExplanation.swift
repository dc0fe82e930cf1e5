import MeshAgreements
import MeshAudit
import MeshBase
import MeshControl
import MeshDiscovery
import MeshGossip
import MeshNode
import MeshTrust

// Whether and why a peer is trusted, linked and callable; and why a handshake was refused.
extension ReportWriter {
    /// - Parameters:
    ///   - history: events of trust and links with this peer, newest first.
    ///   - breakers: those that are not at rest.
    func explanation(
        of id: NodeID, history: [AuditEvent], breakers: [BreakerReport] = []
    ) -> ExplainReport {
        let record = node.trust.pins[id]
        let link = node.gossip.link(with: id)
        let isTrusted = record?.state == .trusted
        let theirs = otherTrustBranch(id, link, history)
        let isRefused = !isTrusted || theirs.verdict == .refused
        let verdict: ExplainVerdict =
            isRefused ? .refused : link == nil && isLinkMissed(id) ? .unknown : .allowed
        return ExplainReport(
            subject: "peer \(title(id))", correlation: nil, verdict: verdict,
            branches: [
                witnessBranch(id), trustBranch(id, record), theirs,
                linkBranch(id, link, isTrusted: isTrusted, history),
                breakerBranch(id, link, breakers.filter { $0.peer.id == id }),
                agreementBranch(id, isTrusted: isTrusted, asProvider: false),
                agreementBranch(id, isTrusted: isTrusted, asProvider: true),
                driftBranch(id, isTrusted: isTrusted), clockBranch(link, history),
                certificateBranch(link),
            ])
    }

    /// A refused handshake, as the side that holds the event tells it.
    func explanation(ofHandshake event: AuditEvent) -> ExplainReport {
        let isOwn = event.target == me
        let address = event.metadata.first { $0.name == "address" }?.value ?? "an unknown address"
        let reference = event.metadata.first { $0.name == "reference" }?.value
        let other = isOwn ? event.source : event.target
        let who = other == me ? address : "\(title(other)) at \(address)"
        let code = event.refusals.first?.code
        let terms = Remedy.Terms(peer: other == me ? nil : title(other), reference: reference)
        var facts = event.metadata
        if code == .handshakeRefused { facts.append(Fact("to be given at", title(other))) }
        return ExplainReport(
            subject: "handshake with \(who) at \(RFC3339.text(event.time))", correlation: nil,
            verdict: .refused,
            branches: [
                ExplainBranch(
                    side: isOwn ? nil : self.reference(event.target),
                    question: isOwn ? "may \(who) have a link here?" : "may this node have a link there?",
                    verdict: .refused,
                    reasons: event.refusals, facts: facts,
                    next: code.flatMap { Remedy.command(after: $0, terms) })
            ])
    }

    // MARK: Branches

    /// Hints only: they say where to dial, never whom to trust.
    private func witnessBranch(_ id: NodeID) -> ExplainBranch {
        let facts = (peer(id)?.witnesses ?? []).map { witness in
            let age = "\(Int64(witness.ageSeconds)) s ago"
            return Fact(witness.witness, witness.endpoint.map { "\($0), \(age)" } ?? age)
        }
        return ExplainBranch(
            side: nil, question: "who says where \(title(id)) is?",
            verdict: facts.isEmpty ? .unknown : .allowed,
            facts: facts.isEmpty ? [Fact("witnesses", "none")] : facts)
    }

    /// A link that is down has opened its breaker: that the link is down says enough.
    private func breakerBranch(
        _ id: NodeID, _ link: LinkStatus?, _ breakers: [BreakerReport]
    ) -> ExplainBranch {
        let telling = breakers.filter { link != nil || $0.resource != nil }
        let reasons = telling.map { breaker in
            let probe = breaker.probeAt.map { [Fact("next probe", RFC3339.text($0.time))] } ?? []
            return Refusal(
                .breakerOpen,
                [
                    Fact("breaker", breaker.resource.map { "\(title(id))/\($0)" } ?? "link to \(title(id))"),
                    Fact("state", breaker.state.rawValue), Fact("since", RFC3339.text(breaker.since.time)),
                    Fact("because", breaker.why),
                ] + probe)
        }
        // The first call after a link's return is its probe: nothing stands in its way.
        let isOpen = telling.contains { $0.state == .open }
        return ExplainBranch(
            side: nil, question: "do the breakers let calls pass?",
            verdict: isOpen ? .refused : .allowed, reasons: isOpen ? reasons : [],
            facts: isOpen ? [] : reasons.flatMap(\.facts),
            next: isOpen ? Remedy.command(after: .breakerOpen) : nil)
    }

    private func certificateBranch(_ link: LinkStatus?) -> ExplainBranch {
        let question = "is its node certificate in time?"
        guard let link else {
            return ExplainBranch(
                side: nil, question: question, verdict: .unknown,
                facts: [Fact("because", "it is shown at the handshake")])
        }
        let left = link.certificateExpires - now.wall
        return ExplainBranch(
            side: nil, question: question, verdict: left > .zero ? .allowed : .unknown,
            facts: [
                Fact("until", RFC3339.text(link.certificateExpires)),
                Fact("hours left", max(0, left.wholeMilliseconds / 3_600_000)),
                Fact("shown at", RFC3339.text(date(of: link.since).time)),
            ])
    }

    private func trustBranch(_ id: NodeID, _ record: PeerRecord?) -> ExplainBranch {
        let question = "is \(title(id)) trusted?"
        guard let record else {
            return ExplainBranch(
                side: nil, question: question, verdict: .refused,
                reasons: [Refusal(.peerUnknown, [Fact("node", id)])],
                next: Remedy.command(after: .peerUnknown))
        }
        var facts = [
            Fact("state", record.state.rawValue), Fact("since", RFC3339.text(record.since)),
            Fact("by", record.evidence.kind.rawValue), Fact("because", record.evidence.note),
        ]
        if let transcript = record.evidence.transcript { facts.append(Fact("transcript", transcript)) }
        if let membership = membership(of: id) {
            facts.append(Fact("domain", DomainText.membership(membership)))
            if let fact = partnerFact(membership) { facts.append(fact) }
            facts.append(Fact("credential until", RFC3339.text(membership.until.time)))
        }
        let code: RefusalCode
        switch record.state {
        case .trusted: return ExplainBranch(side: nil, question: question, verdict: .allowed, facts: facts)
        case .suspended: code = .peerSuspended
        case .revoked: code = .peerRevoked
        case .pending, .verified: code = .peerNotTrusted
        }
        // The book's word for a revoked or half-trusted peer is this very explanation: what helps is a new
        // invite.
        let next =
            code == .peerSuspended ? Remedy.command(after: code, .init(peer: title(id))) : "comity invite"
        return ExplainBranch(
            side: nil, question: question, verdict: .refused, reasons: [Refusal(code, facts)], next: next)
    }

    /// What the peer thinks of this node, as far as it said so: by its link, its notice or its refusal.
    private func otherTrustBranch(
        _ id: NodeID, _ link: LinkStatus?, _ history: [AuditEvent]
    ) -> ExplainBranch {
        func branch(
            _ verdict: ExplainVerdict, _ facts: [Fact], _ reasons: [Refusal] = [], next: String? = nil
        ) -> ExplainBranch {
            ExplainBranch(
                side: reference(id), question: "does \(title(id)) trust this node?", verdict: verdict,
                reasons: reasons, facts: facts, next: next)
        }
        if link != nil { return branch(.allowed, [Fact("because", "it granted the link that is up")]) }
        let sayings = ["peer told its decision", "handshake denied by peer", "link up"]
        guard let latest = history.first(where: { sayings.contains($0.action) }) else {
            return branch(.unknown, [Fact("because", "it said nothing yet")])
        }
        let time = Fact("at", RFC3339.text(latest.time))
        guard let refusal = latest.refusals.first else {
            let said = [Fact("last said", latest.action), time] + latest.metadata
            let decision = latest.metadata.first { $0.name == "decision" }
                .flatMap { MeshTrust.PeerDecision(rawValue: $0.value) }
            switch decision {
            case .resume?, nil: return branch(.unknown, said)
            case .suspend?:
                let terms = Remedy.Terms(peer: node.me.name.description)
                return branch(
                    .refused, said + [Fact("to be given at", title(id))],
                    next: Remedy.command(after: .peerSuspended, terms))
            case .forget?, .revoke?: return branch(.refused, said, next: "comity invite")
            }
        }
        let mark = latest.metadata.first { $0.name == "reference" }?.value
        let place = refusal.code == .handshakeRefused ? [Fact("to be given at", title(id))] : []
        return branch(
            .refused, [time] + latest.metadata + place, latest.refusals,
            next: Remedy.command(
                after: refusal.code, .init(peer: node.me.name.description, reference: mark)))
    }

    private func linkBranch(
        _ id: NodeID, _ link: LinkStatus?, isTrusted: Bool, _ history: [AuditEvent]
    ) -> ExplainBranch {
        let question = "is there a link?"
        guard isTrusted else {
            return ExplainBranch(
                side: nil, question: question, verdict: .notAsked,
                facts: [Fact("because", "only trusted peers have links")])
        }
        if let link {
            var facts = [
                Fact("condition", link.condition.rawValue), place(of: link),
                Fact("since", RFC3339.text(date(of: link.since).time)),
            ]
            if let roundTrip = link.roundTrip {
                facts.append(Fact("round trip", "\(roundTrip.fractionalMilliseconds) ms"))
            }
            return ExplainBranch(side: nil, question: question, verdict: .allowed, facts: facts)
        }
        guard isLinkMissed(id) else {
            let why = Fact("because", "nothing needs it: a call or a document opens it")
            return ExplainBranch(
                side: nil, question: question, verdict: .notAsked, facts: [why] + dialling(of: id))
        }
        return ExplainBranch(
            side: nil, question: question, verdict: .refused,
            reasons: [Refusal(.peerUnreachable, dialling(of: id))], facts: lastLink(in: history),
            next: "comity peer show \(title(id))")
    }

    func dialling(of id: NodeID) -> [Fact] {
        guard let seen = node.discovery.peer(id, at: now.instant) else {
            return [Fact("known addresses", "none")]
        }
        let addresses = seen.endpoints.map(\.description).joined(separator: ", ")
        let progress: String
        switch seen.progress {
        case .resting: progress = "at rest: nobody is dialled"
        case .waiting(let left): progress = "the next dial is in \(left.wholeMilliseconds) ms"
        case .dialling(let endpoint): progress = "dialling \(endpoint)"
        case .linked: progress = "linked"
        }
        return [Fact("known addresses", addresses.isEmpty ? "none" : addresses), Fact("dialling", progress)]
    }

    private func lastLink(in history: [AuditEvent]) -> [Fact] {
        guard let down = history.first(where: { $0.action == "link down" }) else { return [] }
        return [Fact("last link ended", RFC3339.text(down.time))] + down.metadata
    }

    private func agreementBranch(_ peerID: NodeID, isTrusted: Bool, asProvider: Bool) -> ExplainBranch {
        let peer = title(peerID)
        let question = asProvider ? "may \(peer) call anything here?" : "may this node call anything there?"
        guard isTrusted else {
            return ExplainBranch(
                side: nil, question: question, verdict: .notAsked,
                facts: [Fact("because", "agreements rest on trust")])
        }
        let provider = asProvider ? me : peerID
        let records = living(with: peerID).filter { $0.agreement.source == provider }
        let facts = records.map { record in
            Fact(
                record.agreement.grants.map(\.resource.description).joined(separator: ", "),
                "\(state(of: record).rawValue), until \(RFC3339.text(record.agreement.validUntil))")
        }
        let house = houseFacts(about: peerID, asProvider: asProvider)
        if records.contains(where: { state(of: $0) == .active }) || !house.isEmpty {
            return ExplainBranch(side: nil, question: question, verdict: .allowed, facts: facts + house)
        }
        let code: RefusalCode =
            records.contains { $0.state == .offered }
            ? .agreementPending
            : records.contains { state(of: $0) == .signed } ? .approvalMissing : .agreementMissing
        let id = records.first.map { String($0.contentID.description.prefix(12)) }
        let terms = Remedy.Terms(peer: asProvider ? peer : node.me.name.description, agreement: id)
        let isThere = CodeBook.isForProvider(code) && !asProvider
        return ExplainBranch(
            side: nil, question: question, verdict: .refused,
            reasons: [Refusal(code, facts)] + houseReasons(about: peerID, asProvider: asProvider),
            facts: isThere ? [Fact("to be given at", peer)] : [], next: Remedy.command(after: code, terms))
    }

    /// By the link that is up, else by what was found when one was last tried, at either end.
    private func clockBranch(_ link: LinkStatus?, _ history: [AuditEvent]) -> ExplainBranch {
        let question = "do the clocks agree?"
        guard let link else {
            let latest = history.first { event in
                event.action == "link up" || event.refusals.contains { $0.code == .clockSkew }
            }
            if let latest, let refusal = latest.refusals.first(where: { $0.code == .clockSkew }) {
                return ExplainBranch(
                    side: nil, question: question, verdict: .refused, reasons: [refusal],
                    facts: [Fact("at", RFC3339.text(latest.time))], next: Remedy.command(after: .clockSkew))
            }
            return ExplainBranch(
                side: nil, question: question, verdict: .unknown,
                facts: [Fact("because", "they are compared at the handshake")])
        }
        let facts = [
            Fact("its clock less ours", "\(link.skew.wholeMilliseconds) ms"),
            Fact("worth a warning", "\(Limits.clockSkewWarned.wholeMilliseconds) ms"),
        ]
        let isFar = max(link.skew, .zero - link.skew) > Limits.clockSkewWarned
        return ExplainBranch(
            side: nil, question: question, verdict: isFar ? .refused : .allowed,
            reasons: isFar ? [Refusal(.clockSkew, facts)] : [], facts: isFar ? [] : facts,
            next: isFar ? Remedy.command(after: .clockSkew) : nil)
    }
}
