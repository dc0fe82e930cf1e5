import MeshBase

@testable import MeshAgreements

/// A person with a key of its own.
struct Person {
    let key: PublicKey
    let name: NodeName

    init(_ number: UInt8, _ name: String = "ann") {
        key = PublicKey(info: [number, 77])
        self.name = NodeName(name)!
    }

    /// The person's word, signed.
    func says(
        _ decision: Approval.Decision, for party: NodeID, to contentID: Digest, as roles: [ApprovalRole],
        at now: Moment, reason: String = ""
    ) -> Signed<Approval> {
        signed(
            Approval(
                contentID: contentID, party: party, person: TestSuite().pin(of: key), decision: decision,
                roles: roles,
                reason: reason, given: now.wall),
            by: key)
    }

    func vouchingOrder(_ roles: [ApprovalRole], life: Duration = AgreementLimits.vouchingLife)
        -> VouchingOrder
    {
        VouchingOrder(name: name, key: key, roles: roles, life: life)
    }
}

/// `body`, signed by the owner of `key`.
func signed<Body: SignedBody>(_ body: Body, by key: PublicKey) -> Signed<Body> {
    let suite = TestSuite()
    let payload = Octets(suite.encoded(body))
    return Signed(body: body, payload: payload, signatures: [suite.signature(by: key, over: payload)])
}

/// Two parties, a person at each for whom both answer in all roles, and one offer of `a` that asks for both.
struct Approving {
    var a: Party
    var b: Party
    let ann = Person(11, "ann")
    let ben = Person(12, "ben")
    let contentID: Digest

    static let both = ApprovalRules(provider: [.accountable], consumer: [.accountable])

    init(
        _ rules: ApprovalRules? = Approving.both, _ first: [ApprovalRole] = [], _ second: [ApprovalRole] = [],
        roles: [ApprovalRole] = ApprovalRole.allCases, life: Duration = days(20)
    ) {
        (a, b) = pair(
            AgreementConfiguration(echoOffer: .none, approvalsRequired: first),
            AgreementConfiguration(echoOffer: .none, approvalsRequired: second))
        a.take(.vouchingRequested(Ticket(101), ann.vouchingOrder(roles)), at: day(0))
        b.take(.vouchingRequested(Ticket(102), ben.vouchingOrder(roles)), at: day(0))
        let request = OfferRequest(
            peer: b.node, grants: [Grant(resource: name("orders"), capabilities: nil)], approvals: rules,
            life: life)
        a.take(.offerRequested(Ticket(1), request), at: day(0))
        contentID = a.book.records.first?.contentID ?? a.suite.digest([])
        deliver(&a, &b, at: day(0))
        deliver(&b, &a, at: day(0))
    }

    /// Lets the two talk until nothing is left to say.
    mutating func talk(at now: Moment) {
        while !a.outgoing.isEmpty || !b.outgoing.isEmpty {
            deliver(&a, &b, at: now)
            deliver(&b, &a, at: now)
        }
    }

    mutating func annSays(
        _ decision: Approval.Decision, as roles: [ApprovalRole] = [.responsible, .accountable],
        at now: Moment = day(1), reason: String = ""
    ) {
        a.take(
            .approvalGiven(
                Ticket(201),
                ann.says(decision, for: a.node, to: contentID, as: roles, at: now, reason: reason)),
            at: now)
    }

    mutating func benSays(
        _ decision: Approval.Decision, as roles: [ApprovalRole] = [.responsible, .accountable],
        at now: Moment = day(1), reason: String = ""
    ) {
        b.take(
            .approvalGiven(
                Ticket(202),
                ben.says(decision, for: b.node, to: contentID, as: roles, at: now, reason: reason)),
            at: now)
    }

    mutating func accept(at now: Moment = day(1)) {
        b.take(.acceptanceRequested(Ticket(301), contentID), at: now)
    }

    /// Both persons approve, `b` accepts, and both parties come to know it all: it is in force.
    mutating func agree() {
        annSays(.approve)
        benSays(.approve)
        talk(at: day(1))
        accept()
        talk(at: day(1))
    }

    /// What a call of `b` at `a` is answered, at either side.
    func verdicts(at now: Moment = day(2)) -> [Verdict] {
        let question = PolicyQuestion(
            side: .consumer, caller: b.node, callee: a.node, resource: name("orders"),
            capability: name("read"), safety: .safe, method: "GET", principal: .local, now: now.wall)
        return [
            PolicyEvaluator.decide(question, over: a.book.terms(with: b.node)),
            PolicyEvaluator.decide(question, over: b.book.terms(with: a.node)),
        ]
    }

    var isHonoured: [Bool] {
        verdicts().map { verdict in
            if case .permitted = verdict { true } else { false }
        }
    }
}

extension Party {
    /// The codes of the last answer; empty when the order was carried out.
    var lastCodes: [RefusalCode] {
        guard case .refused(let refusals)? = answers.last else { return [] }
        return refusals.map(\.code)
    }

    /// Why the last order was refused, in the words of its fact `because`.
    var lastBecause: String? {
        guard case .refused(let refusals)? = answers.last else { return nil }
        return refusals.flatMap(\.facts).first { $0.name == "because" }?.value
    }
}
