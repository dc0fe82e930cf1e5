import MeshAgreements
import MeshBase
import MeshNode
import MeshTrust

// Domains: who makes them, who is let in, and how.
extension World {
    /// Draws the domains: one, and in larger worlds perhaps a second one, of other hosts.
    mutating func prepareDomains() {
        guard plan.domain.isAny else { return }
        var free = Array(hosts.indices)
        if plan.domain == .partners {
            addPartners(among: &free)
            schedule(.operate(.signForDomains), after: .seconds(30))
        } else {
            addRealm("acme", among: &free)
            if plan.nodes >= 5, script.domains.happens(50) { addRealm("globex", among: &free) }
        }
        addCrooks(among: free)
        for (index, realm) in script.domains.realms.enumerated() {
            checks.domains.founded(realm.id, by: realm.anchor.publicKey)
            checks.domains.letIn(hosts[realm.founder].node, to: realm.id)
            schedule(.operate(.domain(.tend(index))), after: realm.from - .zero)
        }
    }

    mutating func addRealm(_ label: String, among free: inout [Int]) {
        guard let label = NodeName(label), !free.isEmpty else { return }
        let anchor = newKey()
        let founder = free.remove(at: script.domains.number(below: free.count))
        var guests: [Realm.Guest] = []
        for host in free where guests.isEmpty || script.domains.happens(60) {
            let isIssuer = guests.isEmpty && script.domains.happens(60)
            let draw = script.domains.number(below: 10)
            let kind: Realm.TokenKind =
                isIssuer ? .issuer : draw < 2 ? .scarce : draw == 2 ? .brief : .member
            guests.append(Realm.Guest(host: host, from: drawTime(5, 70), kind: kind, manner: .proper))
        }
        free.removeAll { host in guests.contains { $0.host == host } }
        script.domains.realms.append(
            Realm(
                label: label, anchor: anchor, id: DomainID(suite.pin(of: anchor.publicKey).digest),
                founder: founder, from: drawTime(1, 25), guests: guests))
    }

    /// Outsiders who hold of a token what is not enough, a pretender, and a member that is given the token of
    /// another domain too.
    private mutating func addCrooks(among free: [Int]) {
        var free = free
        for index in script.domains.realms.indices {
            guard !free.isEmpty, script.domains.happens(60) else { continue }
            let host = free.removeFirst()
            let manner: Realm.Guest.Manner = script.domains.happens(50) ? .seedless : .late
            script.domains.realms[index].guests.append(
                Realm.Guest(
                    host: host, from: drawTime(20, 70), kind: manner == .late ? .brief : .member,
                    manner: manner))
            guard let second = free.popLast(), script.domains.happens(60) else { continue }
            script.domains.realms[index].pretender = second
            hosts[second].isHonest = false
        }
        guard script.domains.realms.count > 1, let twice = script.domains.realms[0].guests.last?.host
        else { return }
        script.domains.realms[1].guests.append(
            Realm.Guest(host: twice, from: drawTime(30, 80), kind: .member, manner: .proper))
    }

    /// Some time of the faults' part of the run, in hundredths of it.
    private mutating func drawTime(_ from: Int64, _ through: Int64) -> Instant {
        .zero
            + script.domains.generator.duration(
                from: plan.duration * from / 100, through: plan.duration * through / 100)
    }

    /// With a domain, some pairs have only that.
    mutating func isInviteDue() -> Bool { plan.domain == .absent || !script.domains.happens(35) }

    /// Whether a service is offered to the domain as well.
    mutating func drawDomainOffer() -> DomainOffer {
        plan.domain.isAny && script.domains.happens(60) ? .offered : .withheld
    }

    mutating func operate(_ errand: DomainErrand) {
        guard !isCalm else { return }
        switch errand {
        case .tend(let realm):
            schedule(.operate(.domain(.tend(realm))), after: .seconds(4))
            tend(realm)
        case .endIssuer(let realm): endIssuer(of: realm)
        case .sleep: sleep()
        case .partner(let realm): tendPartner(of: realm)
        }
    }

    // MARK: A realm's day

    private mutating func tend(_ index: Int) {
        let realm = script.domains.realms[index]
        settle(realm.founder, HeldAnchor(name: realm.anchor.publicKey, key: realm.anchor), of: index)
        if let pretender = realm.pretender {
            settle(pretender, HeldAnchor(name: realm.anchor.publicKey, key: newKey()), of: index)
        }
        for number in realm.guests.indices { receive(number, of: index) }
    }

    /// Whoever holds an anchor's key, or says so, makes the domain, then its tokens.
    private mutating func settle(_ host: Int, _ anchor: HeldAnchor, of index: Int) {
        guard hosts[host].agent != nil, !hosts[host].isFull else { return }
        let realm = script.domains.realms[index]
        guard hosts[host].disk.home != nil else {
            if hosts[host].anchor == nil { hosts[host].anchor = anchor }
            guard let roles = RoleList([.member, .agree]) else { return }
            command(host, .createDomain(realm.label, anchor: anchor.name, giving: roles))
            return
        }
        guard host == realm.founder || realm.forged == nil else { return }
        for kind in Realm.TokenKind.allCases {
            guard host == realm.founder ? isWanted(kind, by: realm) : kind == .member else { continue }
            let key = newKey()
            let ticket = command(host, .makeToken(order(kind, key)))
            script.pending[ticket] = .token(realm: index, kind, key)
        }
    }

    /// A token for some seconds is made when somebody waits for it.
    private func isWanted(_ kind: Realm.TokenKind, by realm: Realm) -> Bool {
        realm.tokens[kind] == nil
            && realm.guests.contains { $0.kind == kind && (kind != .brief || $0.from <= time) }
    }

    private func order(_ kind: Realm.TokenKind, _ key: SimulatedKey) -> TokenOrder {
        guard let roles = RoleList(kind == .issuer ? [.member, .issue] : [.member]) else {
            preconditionFailure("two roles are a list")
        }
        return TokenOrder(
            key: key.publicKey, roles: roles, life: kind == .brief ? .seconds(25) : .seconds(30 * 86_400),
            uses: kind == .scarce ? 1 : 64)
    }

    /// A token was made.
    mutating func keep(_ held: HeldToken, _ kind: Realm.TokenKind, of index: Int) {
        let realm = script.domains.realms[index]
        guard held.token.record.signatures.first?.signer == suite.pin(of: realm.anchor.publicKey) else {
            script.domains.realms[index].forged = held
            return
        }
        script.domains.realms[index].tokens[kind] = held
        checks.domains.made(held.token.record.body, using: suite)
    }

    /// A guest's operator starts it with the token, and again when it is in no domain after a while.
    private mutating func receive(_ number: Int, of index: Int) {
        let guest = script.domains.realms[index].guests[number]
        guard time >= guest.from, !hosts[guest.host].isGone, hosts[guest.host].keptDisk == nil,
            let held = token(for: guest, of: index)
        else { return }
        if let started = guest.started {
            let wall = moment(of: guest.host).wall
            let isIn = hosts[guest.host].disk.home.map { wall < $0.chain.credential.body.until } ?? false
            guard !isIn, time - started > .seconds(40), hosts[guest.host].token?.key == held.key else {
                return
            }
        }
        script.domains.realms[index].guests[number].started = time
        hosts[guest.host].token = held
        if guest.manner == .late { hosts[guest.host].clock.offset = .seconds(-150) }
        if guest.manner != .seedless { checks.domains.letIn(hosts[guest.host].node, to: held.token.domain) }
        kill(guest.host)
        schedule(.boot(host: guest.host), after: .milliseconds(500))
    }

    /// What lies in the guest's home; nil: it is not there yet, or not over yet. A pretender's comes first.
    private mutating func token(for guest: Realm.Guest, of index: Int) -> HeldToken? {
        let realm = script.domains.realms[index]
        guard let held = realm.tokens[guest.kind] else { return nil }
        switch guest.manner {
        case .proper: return held
        case .seedless:
            if let forged = realm.forged { return forged }
            if tampering == .seedsStolen { return held }
            return hosts[guest.host].token ?? HeldToken(token: held.token, key: newKey())
        case .late:
            return moment(of: realm.founder).wall > held.token.record.body.until ? held : nil
        }
    }

    // MARK: What shells do

    /// What a node finds at start: its store, and the keys that lie beside it.
    func restored(_ host: Int) -> RestoredNode {
        var restored = hosts[host].disk.restored
        restored.anchor = hosts[host].anchor?.name
        restored.anchorCertificate = anchorCertificate(of: host)
        return restored
    }

    /// The key of the hand that is asked for signs, if it lies here.
    mutating func signature(for request: SigningRequest, by host: Int) -> DocumentSignature? {
        let key: SimulatedKey? =
            switch request.hand {
            case .identity: hosts[host].key
            case .anchor: hosts[host].anchor?.key
            case .token: hosts[host].token?.key
            }
        guard let key else { return nil }
        checks.domains.signed(request.kind, request.payload, by: key.publicKey, using: suite)
        if request.kind == .credential { statistics.credentials += 1 }
        return key.sign(request)
    }
}
