import MeshBase

@testable import MeshAgreements

/// What stands for a credential's chain in these tests: whose, with which roles, for how long.
struct TestChain: Codable, Equatable, Sendable {
    var node: NodeID
    var domain: DomainID
    var roles: [DomainRole]
    var issued: WallTime
    var until: WallTime
}

/// Judges chains as trust would: by their times, their role, and what is revoked here.
struct TestJudge: SignatoryJudge {
    var own: Signatory<TestChain>
    /// The domains that are accepted here.
    var accepted: [DomainID]
    var revoked: [PublicKey] = []
    /// Newer chains by node.
    var newest = OrderedTable<NodeID, TestChain>()

    func standing(
        of signatory: Signatory<TestChain>, since made: WallTime, at now: WallTime
    ) -> Ruling<SignatoryStanding> {
        let node = NodeID(TestSuite().digest(signatory.key.info.bytes))
        guard let chain = signatory.chain else {
            return .allowed(SignatoryStanding(node: node, party: .node(node), authority: .now))
        }
        guard accepted.contains(chain.domain) else {
            return .refused(Refusal(.domainUnknown, [Fact("domain", chain.domain)]))
        }
        guard chain.node == node, chain.roles.contains(.agree), made < chain.until else {
            return .refused(Refusal(.agreeRoleMissing, [Fact("node", node)]))
        }
        let isNow = now < chain.until && !revoked.contains(signatory.key)
        return .allowed(
            SignatoryStanding(node: node, party: .domain(chain.domain), authority: isNow ? .now : .once))
    }

    func claim(of signatory: Signatory<TestChain>) -> Ruling<SignatoryStanding> {
        var judge = self
        if let chain = signatory.chain { judge.accepted = [chain.domain] }
        return judge.standing(of: signatory, since: day(-9_999).wall, at: day(-9_999).wall)
    }

    func renewed(_ signatory: Signatory<TestChain>) -> Signatory<TestChain> {
        let node = NodeID(TestSuite().digest(signatory.key.info.bytes))
        guard signatory.chain != nil, let newer = newest[node] else { return signatory }
        return Signatory(key: signatory.key, chain: newer)
    }
}

let (domainX, domainY, domainZ) = (testDomain(1), testDomain(2), testDomain(3))

private func testDomain(_ number: UInt8) -> DomainID { DomainID(TestSuite().digest([0xd0, number])) }

/// One node with its book of agreements of domains.
struct Member {
    let key: PublicKey
    let node: NodeID
    var membership: Membership?
    var book: DomainAgreementBook<TestChain>
    var judge: TestJudge
    var stored = OrderedTable<Digest, DomainAgreementRecord<TestChain>>()
    var outgoing: [(NodeID, DomainAgreementMessage<TestChain>)] = []
    var notices: [AgreementNotice] = []
    var answers: [DomainAgreementAnswer<TestChain>] = []
    let suite = TestSuite()

    init(_ number: UInt8, of domain: DomainID?, _ roles: [DomainRole] = [.member], days: Double = 7) {
        let key = PublicKey(info: [number, 9])
        let node = NodeID(TestSuite().digest(key.info.bytes))
        (self.key, self.node) = (key, node)
        membership = domain.map { Membership(domain: $0, roles: roles, until: day(days).wall) }
        let chain = domain.map {
            TestChain(node: node, domain: $0, roles: roles, issued: day(0).wall, until: day(days).wall)
        }
        judge = TestJudge(own: Signatory(key: key, chain: chain), accepted: [domainX, domainY])
        book = DomainAgreementBook(me: node, generator: SeededGenerator(seed: UInt64(number)))
    }

    mutating func take(_ input: DomainAgreementInput<TestChain>, at now: Moment) {
        var effects = Outbox<DomainAgreementEffect<TestChain>>()
        book.handle(input, at: now, judging: judge, using: suite, into: &effects)
        for effect in effects.drain() {
            switch effect {
            case .sign(let request):
                take(.signed(request.ticket, suite.signature(by: key, over: request.payload)), at: now)
            case .persist(let record): stored[record.contentID] = record
            case .forget(let contentID): stored[contentID] = nil
            case .send(let peer, let message): outgoing.append((peer, message))
            case .changed: break
            case .record(let notice): notices.append(notice)
            case .answered(_, let answer): answers.append(answer)
            }
        }
    }

    var stages: [DomainAgreementStage] { book.records.map(\.content.stage) }

    var refusals: [RefusalCode] { notices.flatMap(\.refusals).map(\.code) }

    var lastAnswer: [RefusalCode] {
        if case .refused(let refusals)? = answers.last { return refusals.map(\.code) }
        return []
    }
}

/// Members of two domains and one of a third: all trust each other, so only audiences keep them apart.
struct Members {
    var all: [Member]
    /// Every message that was delivered, with sender and receiver.
    var told: [(from: Int, to: Int, DomainAgreementMessage<TestChain>)] = []
    /// Pairs without a link.
    var cuts: [(Int, Int)] = []

    static let (x1, x2, y1, y2, z1) = (0, 1, 2, 3, 4)

    init() {
        all = [
            Member(1, of: domainX, [.member, .agree]), Member(2, of: domainX),
            Member(3, of: domainY, [.member, .agree]), Member(4, of: domainY),
            Member(5, of: domainZ, [.member, .agree]),
        ]
        for place in all.indices { introduce(place, at: day(0)) }
        settle(at: day(0))
    }

    /// Makes one known to all, and all to it.
    mutating func introduce(_ place: Int, at now: Moment) {
        all[place].take(.membershipChanged(all[place].node, all[place].membership), at: now)
        for other in all.indices where other != place {
            for (here, there) in [(place, other), (other, place)] {
                all[here].take(.peerTrusted(all[there].node), at: now)
                all[here].take(.membershipChanged(all[there].node, all[there].membership), at: now)
                if !isCut(here, there) { all[here].take(.linkCameUp(all[there].node), at: now) }
            }
        }
    }

    mutating func add(_ member: Member, at now: Moment) {
        all.append(member)
        introduce(all.count - 1, at: now)
        settle(at: now)
    }

    mutating func change(_ membership: Membership?, of place: Int, at now: Moment) {
        all[place].membership = membership
        for index in all.indices { all[index].take(.membershipChanged(all[place].node, membership), at: now) }
        settle(at: now)
    }

    func isCut(_ one: Int, _ other: Int) -> Bool {
        cuts.contains { $0 == (one, other) || $0 == (other, one) }
    }

    /// Delivers until nobody has anything to say.
    mutating func settle(at now: Moment) {
        for _ in 0..<200 {
            var isQuiet = true
            for from in all.indices {
                let messages = all[from].outgoing
                all[from].outgoing = []
                for (node, message) in messages {
                    guard let to = all.firstIndex(where: { $0.node == node }), !isCut(from, to) else {
                        continue
                    }
                    isQuiet = false
                    told.append((from, to, message))
                    all[to].take(.messageArrived(from: all[from].node, message), at: now)
                }
            }
            if isQuiet { return }
        }
        preconditionFailure("they never stop talking")
    }

    mutating func reconnect(_ one: Int, _ other: Int, at now: Moment) {
        cuts.removeAll { $0 == (one, other) || $0 == (other, one) }
        all[one].take(.linkCameUp(all[other].node), at: now)
        all[other].take(.linkCameUp(all[one].node), at: now)
        settle(at: now)
    }

    /// X1 offers `orders` of its domain to domain Y, Y1 accepts.
    @discardableResult
    mutating func agree(
        provider: AgreementParty = .domain(domainX), consumer: AgreementParty = .domain(domainY),
        replaces: AgreementID? = nil, at now: Moment = day(1)
    ) -> Digest {
        let contentID = offer(provider: provider, consumer: consumer, replaces: replaces, at: now)
        all[Self.y1].take(.acceptanceRequested(Ticket(2), contentID), at: now)
        settle(at: now)
        return contentID
    }

    @discardableResult
    mutating func offer(
        provider: AgreementParty = .domain(domainX), consumer: AgreementParty = .domain(domainY),
        replaces: AgreementID? = nil, by place: Int = x1, at now: Moment = day(1)
    ) -> Digest {
        let known = all[place].book.records.map(\.contentID)
        all[place].take(
            .offerRequested(
                Ticket(1),
                DomainOfferRequest(
                    provider: provider, consumer: consumer,
                    grants: [Grant(resource: name("orders"), capabilities: nil)],
                    life: .seconds(30 * 86_400), replaces: replaces)), at: now)
        settle(at: now)
        return all[place].book.records.map(\.contentID).first { !known.contains($0) } ?? Digest.zero
    }

    mutating func revoke(_ contentID: Digest, by place: Int, at now: Moment) {
        all[place].take(
            .revocationRequested(
                Ticket(3), RevocationOrder(contentID: contentID, orderedBy: .local, reason: "enough")),
            at: now)
        settle(at: now)
    }

    /// What `decider` says of a call of `caller` at `callee`.
    func verdict(
        at decider: Int, of caller: Int, calling callee: Int, _ resource: ResourceName = name("orders"),
        at now: Moment
    ) -> Verdict {
        let question = PolicyQuestion(
            side: decider == caller ? .consumer : .provider, caller: all[caller].node,
            callee: all[callee].node, resource: resource, capability: name("read"), safety: .safe,
            method: "GET",
            principal: .local, callerMembership: all[caller].membership,
            calleeMembership: all[callee].membership, now: now.wall)
        return PolicyEvaluator.decide(question, over: [], domains: all[decider].book.index)
    }
}

extension Verdict {
    var codes: [RefusalCode] {
        if case .refused(let reasons) = self { return reasons.map(\.code) }
        return []
    }
}
