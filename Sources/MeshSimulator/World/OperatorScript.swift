import MeshAgreements
import MeshBase
import MeshNode
import MeshRouting
import MeshTrust

/// What operators are about to do.
enum Errand: Sendable {
    /// The host's operator opens an invite for another.
    case invite(host: Int, guest: Int, tries: Int)
    /// The guest has the line.
    case join(guest: Int, host: Int, JoinRequest, tries: Int)
    /// Provides `orders`.
    case provide(host: Int)
    /// Offers `orders` to a peer, when it provides it and trusts the peer.
    case offer(host: Int, peer: Int)
    /// Looks whether somebody of the host's is asked for an approval, and the operator for its yes.
    case people(host: Int, looks: Int)
    /// Offers to carry links for all whom the host trusts.
    case offerRelay(host: Int)
    /// Two hosts cannot connect from now on until the quiet time.
    case wall(Int, Int)
    /// Accepts what was offered to it and waits for its yes.
    case accept(host: Int)
    /// Lists a provider for `any`.
    case route(host: Int)
    /// Says yes or no to somebody who joins.
    case confirm(host: Int, InviteName, Pin, Consent)
    /// Something of the operator's own.
    case whim
    /// Operators who sign for partner domains offer, accept and revoke, one thing each time.
    case signForDomains
    /// Something that concerns domains.
    case domain(DomainErrand)
}

/// What the operators know: which commands wait for an answer, and what follows.
struct OperatorScript: Sendable {
    var generator: SeededGenerator
    /// For what people say about agreements.
    var people: SeededGenerator
    private var tickets: UInt64 = 0
    /// How often operators who sign for domains did something.
    var signings = 0
    /// Commands whose answer leads on.
    var pending = OrderedTable<Ticket, Pending>()
    /// Which hosts provide `orders`.
    var providers: Set<Int> = []
    /// Idempotency keys that each host's applications have used.
    var keysUsed: [Int] = []
    /// Limits of agreements come from a draw of their own, that moves no other.
    var limits = SeededGenerator(seed: 0)
    /// So does what is said of routes.
    var routes = SeededGenerator(seed: 0)
    /// What is known of domains.
    var domains = DomainScript(
        generator: SeededGenerator(seed: 0), partners: SeededGenerator(seed: 0))

    enum Pending: Sendable {
        case invite(host: Int, guest: Int, tries: Int)
        case join(guest: Int, host: Int, tries: Int)
        case token(realm: Int, Realm.TokenKind, SimulatedKey)
        case partner(PartnerDeed)
    }

    init(generator: SeededGenerator) {
        self.generator = generator
        var copy = generator
        people = copy.split()
    }

    mutating func newTicket() -> Ticket {
        tickets += 1
        return Ticket(tickets)
    }
}

// Operators' acts, and what follows from the answers.
extension World {
    /// The set-up: who starts when, who invites whom, who provides what.
    mutating func prepare() {
        script.keysUsed = Array(repeating: 0, count: plan.nodes)
        for number in 0..<plan.nodes {
            schedule(.boot(host: number), after: chance.duration(from: .zero, through: .seconds(2)))
            schedule(.ask(host: number), after: chance.duration(from: .seconds(5), through: .seconds(12)))
            let isProvider = number == 0 || script.generator.number(below: 2) == 0
            if isProvider { schedule(.operate(.provide(host: number)), after: .seconds(3)) }
            let inviters = inviters(of: number)
            let others = relays(for: number).filter { !inviters.contains($0) }
            for other in inviters + others where isInviteDue() {
                let delay = script.generator.duration(from: .seconds(3), through: .seconds(8))
                schedule(.operate(.invite(host: other, guest: number, tries: 5)), after: delay)
            }
        }
        prepareDomains()
        prepareFaults()
        prepareRelays()
        schedule(.inspect(.routine), after: .seconds(5))
        schedule(.calm, after: plan.duration)
        schedule(.disturb, after: plan.duration + SimulationPlan.quiet - .seconds(18))
        // A certificate from a year ahead is looked at every ten seconds.
        let linkPatience: Duration = plan.faults.contains(.clockYears) ? .seconds(45) : .seconds(20)
        schedule(.inspect(.links), after: plan.duration + linkPatience)
        // A clock that leapt is looked at once a minute.
        let patience: Duration = plan.faults.contains(.clockLeaps) ? .seconds(110) : .seconds(60)
        schedule(.inspect(.heads), after: plan.duration + patience)
        schedule(.inspect(.end), after: plan.duration + SimulationPlan.quiet)
    }

    /// Who invites a node: a tree first, so that all are connected, and some more pairs beside it; of many
    /// nodes the four before it in a ring, so that each has eight peers.
    private mutating func inviters(of number: Int) -> [Int] {
        guard plan.nodes <= SimulationPlan.drawnPairsMax else {
            return (1...4).map { (number - $0 + plan.nodes) % plan.nodes }
        }
        guard number > 0 else { return [] }
        let parent = Int(script.generator.number(below: UInt64(number)))
        guard script.generator.number(below: 2) == 0 else { return [parent] }
        let other = Int(script.generator.number(below: UInt64(number)))
        return other == parent ? [parent] : [parent, other]
    }

    mutating func operate(_ errand: Errand) {
        switch errand {
        case .invite(let host, let guest, let tries):
            let confirmation: InviteConfirmation = script.generator.number(below: 5) == 0 ? .asked : .none
            let secret = Octets(script.generator.bytes(16))
            let ticket = command(
                host, .invite(secret: secret, life: .seconds(3_600), confirmation: confirmation))
            script.pending[ticket] = .invite(host: host, guest: guest, tries: tries)
        case .join(let guest, let host, let request, let tries):
            let ticket = command(guest, .join(request))
            script.pending[ticket] = .join(guest: guest, host: host, tries: tries)
        case .provide(let host):
            script.providers.insert(host)
            command(host, .addResource(Self.orders(at: host), toDomain: drawDomainOffer()))
        case .offer(let host, let peer): offer(host, peer)
        case .offerRelay(let host): offerRelay(host)
        case .wall(let one, let other): if !isCalm { _ = network.cut(Network.between([one], [other])) }
        case .people(let host, let looks): lookToApprovals(host, looks: looks)
        case .accept(let host): accept(host)
        case .route(let host): route(host)
        case .confirm(let host, let name, let pin, let consent):
            command(host, .confirm(name, by: pin, consent))
        case .whim: whim()
        case .signForDomains: signForDomains()
        case .domain(let errand): operate(errand)
        }
    }

    @discardableResult
    mutating func command(_ host: Int, _ command: NodeCommand) -> Ticket {
        let ticket = script.newTicket()
        if let agent = hosts[host].agent {
            schedule(.tell(agent.run, .commanded(ticket, command)), after: .microseconds(100))
        }
        return ticket
    }

    /// The answer to a command.
    mutating func answered(_ ticket: Ticket, _ answer: NodeAnswer, by run: RunID) {
        guard let pending = script.pending.remove(ticket) else { return }
        switch (pending, answer) {
        case (.invite(let host, let guest, let tries), .invited(_, let secret, let expires)):
            let request = JoinRequest(
                inviter: hosts[host].node, endpoints: [hosts[host].endpoint], secret: secret, expires: expires
            )
            let delay = script.generator.duration(from: .milliseconds(100), through: .seconds(2))
            schedule(.operate(.join(guest: guest, host: host, request, tries: tries)), after: delay)
            guard script.generator.number(below: 4) == 0 else { return }
            // The line was read by somebody else too.
            let reader = Int(script.generator.number(below: UInt64(plan.nodes)))
            let later = script.generator.duration(from: .seconds(1), through: .seconds(60))
            schedule(.operate(.join(guest: reader, host: host, request, tries: 0)), after: later)
        case (.join(let guest, let host, _), .joined):
            statistics.pairings += 1
            for (provider, peer) in [(guest, host), (host, guest)] {
                let delay = script.generator.duration(from: .milliseconds(500), through: .seconds(4))
                schedule(.operate(.offer(host: provider, peer: peer)), after: delay)
                schedule(.operate(.route(host: peer)), after: delay + .seconds(1))
            }
        case (.token(let realm, let kind, let key), .token(let token)):
            keep(HeldToken(token: token, key: key), kind, of: realm)
        case (.partner(let deed), .done): partnerAnswered(deed, by: run)
        case (.join(let guest, let host, let tries), .refused) where tries > 1 && !isCalm:
            schedule(.operate(.invite(host: host, guest: guest, tries: tries - 1)), after: .seconds(5))
        default: break
        }
    }

    mutating func confirmationWanted(_ name: InviteName, _ pin: Pin, at run: RunID) {
        let consent: Consent = script.generator.number(below: 8) == 0 ? .no : .yes
        let delay = script.generator.duration(from: .milliseconds(200), through: .seconds(3))
        schedule(.operate(.confirm(host: run.host, name, pin, consent)), after: delay)
    }

    private mutating func offer(_ host: Int, _ peer: Int) {
        guard script.providers.contains(host) else { return }
        let isShort = script.generator.number(below: 4) == 0
        let life: Duration =
            isShort ? script.generator.duration(from: .seconds(30), through: .seconds(90)) : .seconds(86_400)
        let capabilities: [ResourceName]? =
            script.generator.number(below: 4) == 0 ? [.named("list"), .named("pay")] : nil
        let grant = Grant(resource: Self.orders, capabilities: capabilities)
        let approvals = drawApprovals(host, peer)
        let (limits, callsAtEnd) = drawLimits()
        // No draw: what is left to chance elsewhere stays as it was.
        let isSealed = (host + peer) % 3 == 0
        command(
            host,
            .offer(
                OfferRequest(
                    peer: hosts[peer].node, grants: [grant],
                    conditions: isSealed ? AgreementConditions(encryption: .required) : .none,
                    approvals: approvals, limits: limits, callsAtEnd: callsAtEnd, life: life)))
        if isSealed { schedule(.operate(.accept(host: peer)), after: .seconds(2)) }
    }

    /// Offers that ask for seals wait for a person.
    private mutating func accept(_ host: Int) {
        guard let node = hosts[host].agent?.node else { return }
        for peer in node.trust.pins.peers.keys {
            for terms in node.agreements.terms(with: peer).terms where terms.standing == .pending {
                guard terms.agreement.createdBy == peer, terms.agreement.conditions?.encryption != nil
                else { continue }
                command(host, .accept(terms.contentID))
            }
        }
    }

    /// One offer in three has limits that calls may reach, and one in two cuts calls when it is revoked.
    private mutating func drawLimits() -> (UsageLimits, CallsAtEnd) {
        let callsAtEnd: CallsAtEnd = script.limits.number(below: 2) == 0 ? .cut : .finish
        guard script.limits.number(below: 3) == 0 else { return (.none, callsAtEnd) }
        let burst = Int64(script.limits.number(below: 8)) + 1
        var limits = UsageLimits(callsPerDay: Int64(script.limits.number(below: 30)) + 1)
        if script.limits.number(below: 2) == 0 {
            limits.callsPerMonth = Int64(script.limits.number(below: 300)) + 1
        }
        if script.limits.number(below: 2) == 0 {
            limits.rate = RateLimit(calls: 1, seconds: 2, burst: burst)
        }
        return (limits, callsAtEnd)
    }

    /// Ends an agreement, as either of its parties: one under which something is under way, if there is one.
    private mutating func revokeAgreement(_ host: Int) {
        let open = hosts[host].agent?.node.agreements.records.filter { record in
            guard case .active = record.state else { return false }
            return record.agreement.grants.allSatisfy { $0.resource == Self.orders }
        }
        guard let open, !open.isEmpty else { return }
        let desk = hosts[host].agent?.desk
        let record =
            open.first { desk?.isUnderWay($0.contentID) == true }
            ?? open[Int(script.limits.number(below: UInt64(open.count)))]
        schedule(.inspect(.underWay), after: .milliseconds(500))
        command(
            host, .revoke(RevocationOrder(contentID: record.contentID, orderedBy: .local, reason: "a whim")))
    }

    /// A host on which something is under way that a revocation would cut.
    private var hostWithCallsToCut: Int? {
        hosts.indices.first { number in
            guard let agent = hosts[number].agent, let desk = agent.desk else { return false }
            return agent.node.agreements.records.contains { record in
                guard case .active = record.state, record.agreement.callsAtEnd == .cut else { return false }
                return desk.isUnderWay(record.contentID)
            }
        }
    }

    /// Something that an operator does one day.
    private mutating func whim() {
        guard !isCalm else { return }
        let pause = script.generator.duration(from: .seconds(4), through: .seconds(20))
        schedule(.operate(.whim), after: pause)
        let host = Int(script.generator.number(below: UInt64(plan.nodes)))
        let other = (host + 1 + Int(script.generator.number(below: UInt64(plan.nodes - 1)))) % plan.nodes
        statistics.operations += 1
        let node = hosts[other].node
        let draw = script.generator.number(below: 20)
        // A lie about revocations wants some, where they would be felt.
        if tampering == .cutsIgnored, draw < 10 { return revokeAgreement(hostWithCallsToCut ?? host) }
        switch draw {
        case 0...4: command(host, .decide(node, .suspend, note: "a whim"))
        case 5...10: command(host, .decide(node, .resume, note: "another whim"))
        case 11: command(host, .decide(node, .revoke, note: "for good"))
        case 12: command(host, .decide(node, .forget, note: "never heard of"))
        case 13:
            script.providers.remove(host)
            command(host, .removeResource(Self.orders))
        case 14, 15: operate(.provide(host: host))
        case 16, 17: operate(.offer(host: host, peer: other))
        case 18: revokeAgreement(host)
        default: operate(.invite(host: host, guest: other, tries: 2))
        }
    }
}
