import MeshAgreements
import MeshBase
import MeshNode
import MeshRouting
import MeshTrust

// Agreements in which a domain is a party: who knows of them, and on whose signatures they stand.
extension World {
    /// Whether `node` is a party of `agreement` or belongs to one, by the credential that `host` holds of it.
    func isOf(_ agreement: Agreement, _ node: NodeID, at host: Int) -> Bool {
        [agreement.source, agreement.target].contains { party in
            party == node || party.domain.map { isMember(node, of: $0, at: host) } ?? false
        }
    }

    /// Whether `host` holds a credential of `node`, or of itself, for `domain` that counts by its clock.
    func isMember(_ node: NodeID, of domain: DomainID, at host: Int) -> Bool {
        let disk = hosts[host].disk
        let chain = node == hosts[host].node ? disk.home?.chain : disk.credentials[node]?.chain
        guard let chain, chain.credential.body.domain == domain, checks.domains.isLetIn(node, to: domain)
        else { return false }
        return moment(of: host).wall < chain.credential.body.until
    }

    /// A call under it: signed by both, not over, and caller and callee proved to be of its two parties for
    /// as long as clocks may differ. In a turn of its node the desk has not yet been told what was written,
    /// and no link is left to whom the turn ended one with (seed 58).
    mutating func checkDomainAgreement(
        _ record: DomainAgreementRecord<CredentialChain>, of invocation: Invocation, from caller: NodeID,
        to callee: NodeID, _ subject: UsageCheck.Subject, of run: RunID
    ) {
        statistics.domainAgreementCalls += 1
        guard turn != run else { return }
        let agreement = record.agreement
        let end = moment(of: run.host).wall + .seconds(5)
        func isOne(_ node: NodeID, of party: AgreementParty) -> Bool {
            guard let domain = party.domain else { return party == node }
            return isMember(node, of: domain, at: run.host)
                && lasts(node, until: end, at: run.host)
        }
        let isCallees = isOne(callee, of: agreement.source)
        let isCallers = isOne(caller, of: agreement.target)
        guard record.content.stage == .active, isCallees, isCallers else {
            return breach(
                .agreementHonoured,
                """
                host \(run.host), \(invocation.resource) for \(caller.brief) under \(agreement.id), which is \
                \(record.content.stage); callee \(isCallees ? "of the source" : "not of the source"), caller \
                \(isCallers ? "of the target" : "not of the target")
                """
            )
        }
        check(agreement, of: invocation, to: callee, subject, of: run)
    }

    /// Whether what `host` holds of `node`'s credential lasts so long.
    private func lasts(_ node: NodeID, until end: WallTime, at host: Int) -> Bool {
        let disk = hosts[host].disk
        let chain = node == hosts[host].node ? disk.home?.chain : disk.credentials[node]?.chain
        return chain.map { end <= $0.credential.body.until } ?? false
    }

    /// What is wrong with one that a host writes; nil: nothing. Each signature is by a node that its domain
    /// let in, with a credential of who may give it that names the role.
    func flaw(in record: DomainAgreementRecord<CredentialChain>, at host: Int) -> String? {
        let content = record.content
        let parties = [content.agreement.source, content.agreement.target]
        for (party, signatory) in zip(parties, content.signatories) {
            let node = NodeID(suite.pin(of: signatory.key).digest)
            guard content.document.isSigned(by: signatory.key, using: suite) else {
                return "host \(host) keeps \(content.agreement.id) without the signature of \(node.brief)"
            }
            guard let domain = party.domain else {
                if party == node { continue }
                return
                    "host \(host) keeps \(content.agreement.id), signed by \(node.brief) for \(party.brief)"
            }
            guard let chain = signatory.chain, chain.credential.body.domain == domain,
                chain.credential.body.roles.contains(.agree),
                checks.domains.flaw(of: chain, for: node, using: suite) == nil
            else {
                return "host \(host) keeps \(content.agreement.id), signed by \(node.brief) without the role"
            }
        }
        return nil
    }
}
