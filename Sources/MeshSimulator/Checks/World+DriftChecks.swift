import MeshAgreements
import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

// At the end, long after the last fault: the two of each link hold the same agreements, but for those that a
// disk had lost that was put back from a backup, or was lost whole. Where they do not both show it; where
// they do neither shows anything.
extension World {
    mutating func inspectBeliefs() {
        for (one, other) in linkedPairs() {
            guard !isEnding(one, other), !isEarly(one, other) else { continue }
            let alike = open(at: one, with: other) == open(at: other, with: one)
            let seesAlike = alike && seeOneDomain(one, other)
            for (here, there) in [(one, other), (other, one)] {
                let shown = hosts[here].agent?.node.drift(with: hosts[there].node)
                if seesAlike, let shown {
                    breach(.agreedAlike, "host \(here) shows \(shown.differences), and there is nothing")
                }
                if !alike, shown == nil {
                    breach(.agreedAlike, "host \(here) does not see what host \(there) holds otherwise")
                }
            }
            let lost = hosts[one].lostAgreements.union(hosts[other].lostAgreements)
            let (here, there) = (open(at: one, with: other), open(at: other, with: one))
            if here.filter({ !lost.contains($0.id) }) != there.filter({ !lost.contains($0.id) }) {
                let shown = hosts[one].agent?.node.drift(with: hosts[other].node)?.differences ?? []
                let words = shown.map { "\($0.subject): \($0.here) | \($0.there)" }.joined(separator: "; ")
                breach(.agreedAlike, "hosts \(one) and \(other) hold different agreements: \(words)")
            }
        }
    }

    /// Long after the last fault ordinary change makes no alarm: who tells what it believes to whom it is
    /// alike with was alarmed by nothing.
    mutating func checkReport(on connection: ConnectionID, of run: RunID) {
        guard isCalm, plan.end - time < .seconds(20), hosts[run.host].isHonest,
            let far = truth(behind: connection, of: run).flatMap({ hostOfNode[$0] }), hosts[far].isHonest,
            !isEnding(run.host, far), !isEarly(run.host, far), seeOneDomain(run.host, far),
            open(at: run.host, with: far) == open(at: far, with: run.host)
        else { return }
        breach(.agreedAlike, "host \(run.host) alarms host \(far), and both hold the same")
    }

    /// Whatever it tells of itself and another is no business of `far`.
    func leak(in beliefs: Beliefs, from host: Int, to far: NodeID) -> String? {
        if let domain = beliefs.domain, domain != sharedDomain(host, far) { return "a domain of others" }
        let told = Set(beliefs.agreements.map(\.contentID))
        let others = hosts[host].disk.agreements.values.contains {
            $0.peer != far && told.contains($0.contentID)
        }
        return others ? "an agreement of others" : nil
    }

    /// Honest hosts that have had a link with one another for a while, each of whose next ping is no news.
    private func linkedPairs() -> [(Int, Int)] {
        var found: [(Int, Int)] = []
        for one in hosts.indices where hosts[one].isHonest {
            for other in hosts.indices.dropFirst(one + 1) where hosts[other].isHonest {
                let isOld = [(one, other), (other, one)].allSatisfy { here, there in
                    guard let link = hosts[here].agent?.node.gossip.link(with: hosts[there].node) else {
                        return false
                    }
                    return moment(of: here).instant - link.since > .seconds(40)
                }
                if isOld { found.append((one, other)) }
            }
        }
        return found
    }

    /// Whether both take the other for a member of the same domain, or both for none.
    func seeOneDomain(_ one: Int, _ other: Int) -> Bool {
        sharedDomain(one, hosts[other].node) == sharedDomain(other, hosts[one].node)
    }

    /// Whether something that either holds is over about now: the two may see that at different times.
    private func isEnding(_ one: Int, _ other: Int) -> Bool {
        let margin = Limits.clockSkewRefused + .seconds(60)
        return [(one, other), (other, one)].contains { here, there in
            let wall = moment(of: here).wall
            return hosts[here].agent?.node.agreements.records(with: hosts[there].node).contains { record in
                wall - margin < record.agreement.validUntil && record.agreement.validUntil < wall + margin
            } ?? false
        }
    }

    /// Whether either holds a credential of theirs that is dated ahead of its clock: who took it while its
    /// clock ran ahead, too, counts by it on, and who has started since does not count by it yet. They do
    /// believe otherwise, and say so.
    private func isEarly(_ one: Int, _ other: Int) -> Bool {
        [(one, other), (other, one)].contains { here, there in
            let disk = hosts[here].disk
            let wall = moment(of: here).wall
            return [disk.home?.chain, disk.credentials[hosts[there].node]?.chain].compactMap(\.self)
                .contains {
                    max($0.credential.body.issued, $0.issuer?.body.issued ?? $0.credential.body.issued)
                        > wall + Limits.clockSkewRefused
                }
        }
    }

    /// What is open and not over by either clock, as the node holds it.
    private func open(at here: Int, with there: Int) -> [OpenVersion] {
        let wall = min(moment(of: here).wall, moment(of: there).wall)
        return hosts[here].agent?.node.agreements.records(with: hosts[there].node).compactMap { record in
            guard wall < record.agreement.validUntil else { return nil }
            let standing: String? =
                switch record.state {
                case .offered: "offered"
                case .signed: "signed"
                case .active: "active"
                case .ended: nil
                }
            guard let standing else { return nil }
            return OpenVersion(
                id: record.agreement.id, contentID: record.contentID, standing: standing)
        } ?? []
    }
}

/// One version of an agreement that a node holds as open.
private struct OpenVersion: Equatable {
    let id: AgreementID
    let contentID: Digest
    let standing: String
}
