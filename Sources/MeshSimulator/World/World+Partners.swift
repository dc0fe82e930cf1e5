import MeshBase
import MeshGossip
import MeshNode
import MeshTrust

/// What an operator does about another domain.
enum PartnerDeed: Sendable, Equatable {
    /// Accepts it: all members, or who holds one of these roles.
    case accept(DomainID, RoleList?)
    /// Forgets it.
    case forget(DomainID)
    /// Is shown a bundle that the other domain's anchor did not sign, and says yes to it.
    case believe(DomainID)
}

// Two domains and their operators: bundles that are exchanged as files, later ones, older ones and those of
// a pretender, and operators who change their minds.
extension World {
    /// Two domains, each among its own half of the hosts.
    mutating func addPartners(among free: inout [Int]) {
        let half = (free.count + 1) / 2
        var (one, other) = (Array(free.prefix(half)), Array(free.dropFirst(half)))
        addRealm("acme", among: &one)
        addRealm("globex", among: &other)
        free = one + other
        for index in script.domains.realms.indices {
            let delay = plan.duration * Int64(15 + script.domains.drawPartner(below: 25)) / 100
            schedule(.operate(.domain(.partner(index))), after: delay)
        }
    }

    /// What lies beside the anchor's key, for other domains: nothing where there are none.
    func anchorCertificate(of host: Int) -> Octets? {
        guard plan.domain == .partners, let anchor = hosts[host].anchor, anchor.key.publicKey == anchor.name
        else { return nil }
        return certificate(of: anchor.name)
    }

    private func certificate(of key: PublicKey) -> Octets {
        Octets(Array("certificate".utf8) + key.info.bytes)
    }

    /// Something that the operator of a domain does about the other one, some day.
    mutating func tendPartner(of index: Int) {
        schedule(
            .operate(.domain(.partner(index))),
            after: .seconds(Int64(5 + script.domains.drawPartner(below: 12))))
        certifyAnchor(of: index)
        let other = 1 - index
        gatherBundle(of: other)
        let home = script.domains.realms[index]
        guard hosts[home.founder].disk.home?.domain == home.id,
            let newest = script.domains.realms[other].bundles.last,
            let oldest = script.domains.realms[other].bundles.first
        else { return }
        switch script.domains.drawPartner(below: 14) {
        case 0...5: accept(newest, at: index, drawRoles())
        case 6: accept(oldest, at: index, drawRoles())
        case 7: believe(other, at: index)
        case 8: forget(other, at: index)
        case 9, 10: signNext(of: index)
        case 11: tellOverSomeLink(forged(of: other))
        case 12: tellOverSomeLink(oldest)
        default: break
        }
    }

    /// The certificate that other domains' readers want is made with the anchor's key, and told of once.
    private mutating func certifyAnchor(of index: Int) {
        let founder = script.domains.realms[index].founder
        guard let certificate = anchorCertificate(of: founder), let agent = hosts[founder].agent,
            hosts[founder].disk.home != nil, hosts[founder].disk.partners.bundles.isEmpty
        else { return }
        schedule(.tell(agent.run, .anchorCertified(certificate)), after: .milliseconds(1))
    }

    /// The founder's operator exports what its domain says of itself.
    private mutating func gatherBundle(of index: Int) {
        let realm = script.domains.realms[index]
        guard
            let held = hosts[realm.founder].disk.partners.bundles.first(where: { $0.body.domain == realm.id }
            ),
            held.body.sequence > realm.bundles.last?.body.sequence ?? 0
        else { return }
        script.domains.realms[index].bundles.append(held)
    }

    /// The anchor signs a later bundle, as on a machine of its own: it comes home through the partners.
    private mutating func signNext(of index: Int) {
        let realm = script.domains.realms[index]
        guard let last = realm.bundles.last?.body else { return }
        let bundle = realm.anchor.sign(later(than: last, keys: [realm.anchor.publicKey]))
        checks.domains.signed(DomainBundle.kind, bundle.payload, by: realm.anchor.publicKey, using: suite)
        script.domains.realms[index].bundles.append(bundle)
    }

    private func later(than last: DomainBundle, keys: [PublicKey]) -> DomainBundle {
        DomainBundle(
            domain: last.domain, label: last.label, issued: last.issued, sequence: last.sequence + 1,
            keys: keys.map { BundleKey(key: $0, certificate: certificate(of: $0)) })
    }

    /// A bundle in the name of a domain with a pretender's key beside the anchor's. The anchor signed it only
    /// in a world that lies.
    private mutating func forged(of index: Int) -> Signed<DomainBundle> {
        let realm = script.domains.realms[index]
        guard let last = realm.bundles.last?.body else { preconditionFailure("nothing to forge") }
        let pretender = newKey()
        let body = later(than: last, keys: [realm.anchor.publicKey, pretender.publicKey])
        return (tampering == .anchorsStolen ? realm.anchor : pretender).sign(body)
    }

    private mutating func drawRoles() -> RoleList? {
        switch script.domains.drawPartner(below: 4) {
        case 0: RoleList([.agree])
        case 1: RoleList([.issue, .relay])
        default: nil
        }
    }

    // MARK: Orders

    private mutating func accept(_ bundle: Signed<DomainBundle>, at index: Int, _ roles: RoleList?) {
        let domain = bundle.body.domain
        checks.domains.ordered(domain, roles, by: script.domains.realms[index].id)
        let told = tampering == .rolesUntold ? nil : roles
        order(.accept(BundleOffer(bundle, using: suite), roles: told), .accept(domain, roles), at: index)
    }

    private mutating func believe(_ other: Int, at index: Int) {
        let bundle = forged(of: other)
        let offer = BundleOffer(bundle, using: suite)
        order(.accept(offer, roles: nil), .believe(bundle.body.domain), at: index)
    }

    private mutating func forget(_ other: Int, at index: Int) {
        let domain = script.domains.realms[other].id
        order(.forget(domain), .forget(domain), at: index)
    }

    private mutating func order(_ order: PartnerOrder, _ deed: PartnerDeed, at index: Int) {
        statistics.operations += 1
        let ticket = command(script.domains.realms[index].founder, .partner(order))
        script.pending[ticket] = .partner(deed)
    }

    /// What was ordered is done: it is so in the founder's store.
    mutating func partnerAnswered(_ deed: PartnerDeed, by run: RunID) {
        let decided = hosts[run.host].disk.partners.decided?.body
        switch deed {
        case .accept(let domain, let roles):
            guard decided?.partner(domain).map({ $0.roles == roles }) != true else { return }
            breach(.partnersAsDecided, "host \(run.host) accepted \(domain.brief) otherwise than was said")
        case .forget(let domain):
            guard decided?.partner(domain) != nil else { return }
            breach(.partnersAsDecided, "host \(run.host) has not forgotten \(domain.brief)")
        case .believe(let domain):
            breach(.bundlesRise, "host \(run.host) believes a pretender's bundle of \(domain.brief)")
        }
    }

    /// Whoever has a link, of either domain, brings a bundle.
    private mutating func tellOverSomeLink(_ bundle: Signed<DomainBundle>) {
        let links = pipes.filter { $0.1[.dialler].admitted != nil && $0.1[.listener].admitted != nil }
        guard !links.isEmpty else { return }
        let id = links[script.domains.drawPartner(below: links.count)].0
        let end: PipeEnd = script.domains.drawPartner(below: 2) == 0 ? .dialler : .listener
        transmit(.document(.domain(.paper(.bundle(bundle)))), over: id, from: end)
    }
}
