import MeshAgreements
import MeshBase
import MeshNode
import MeshTrust

// What operators do whose nodes may sign for their domains: an offer of what any member provides, the yes of
// the other domain, and now and then an end. No chance is drawn: what is done follows from what there is.
extension World {
    /// One thing, and again later until nothing is done any more.
    mutating func signForDomains() {
        guard !isCalm else { return }
        schedule(.operate(.signForDomains), after: .seconds(10))
        script.signings += 1
        let signers = hosts.indices.filter { maySign($0) }
        if let (host, offer) = offerToAnswer(among: signers) {
            // Every fifth is told no.
            command(host, script.signings % 5 == 0 ? .reject(offer) : .accept(offer))
            return
        }
        guard !signers.isEmpty else { return }
        let host = signers[script.signings % signers.count]
        if script.signings % 4 == 0, let contentID = agreementToEnd(at: host) {
            command(
                host, .revoke(RevocationOrder(contentID: contentID, orderedBy: .local, reason: "a whim")))
        } else if let request = offerToMake(at: host) {
            command(host, .offerForDomain(request))
        }
    }

    /// Whether a host's node holds the role `agree` of its domain, by its own disk.
    private func maySign(_ host: Int) -> Bool {
        guard hosts[host].agent != nil, let chain = hosts[host].disk.home?.chain else { return false }
        return chain.credential.body.roles.contains(.agree)
    }

    private func offerToAnswer(among signers: [Int]) -> (Int, Digest)? {
        for host in signers {
            let own = hosts[host].disk.home?.domain
            for record in hosts[host].agent?.node.domainAgreements.records ?? []
            where record.content.stage == .offered && record.isOpen && record.agreement.target.domain == own {
                return (host, record.contentID)
            }
        }
        return nil
    }

    private func agreementToEnd(at host: Int) -> Digest? {
        hosts[host].agent?.node.domainAgreements.records
            .first { $0.content.stage == .active && $0.isOpen }?.contentID
    }

    /// At most three are open: what operators of two domains can oversee.
    private func offerToMake(at host: Int) -> DomainOfferRequest? {
        guard let node = hosts[host].agent?.node, let own = hosts[host].disk.home?.domain,
            node.domainAgreements.records.count(where: \.isOpen) < 3,
            let other = hosts[host].disk.partners.decided?.body.partners.first?.domain
        else { return nil }
        return DomainOfferRequest(
            provider: .domain(own), consumer: .domain(other),
            grants: [Grant(resource: Self.orders, capabilities: nil)],
            limits: script.signings % 2 == 0 ? UsageLimits(callsPerDay: 3) : .none,
            callsAtEnd: script.signings % 3 == 0 ? .cut : .finish, life: .seconds(3_600))
    }
}

extension DomainAgreementRecord<CredentialChain> {
    /// The same without the signature of who accepted it.
    var halfSigned: DomainAgreementRecord<CredentialChain> {
        let document = content.document
        return DomainAgreementRecord(
            contentID: contentID,
            content: DomainAgreement(
                document: Signed(
                    body: document.body, payload: document.payload,
                    signatures: Array(document.signatures.prefix(1))),
                signatories: Array(content.signatories.prefix(1)), ending: content.ending))
    }
}
