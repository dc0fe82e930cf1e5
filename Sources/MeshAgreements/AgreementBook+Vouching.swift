import MeshBase

/// For whom this node vouches.
///
///     (nobody) ──ordered, signed──> vouched for ──ordered again, same key──> vouched for, newly
///                                              └─ended, or its time over──> no more; the name is free
///
/// What was approved before the end goes on counting: it is evidence of the time at which it was given.
/// Nothing that comes later does, however it is dated, since a node takes its own people's words itself and
/// tells the other party nothing that it did not take.
extension AgreementBook {
    /// The operator has somebody vouched for.
    mutating func vouch(
        _ order: VouchingOrder, for ticket: Ticket, at now: WallTime, using suite: some SignatureSuite,
        into effects: inout Outbox<AgreementEffect>
    ) {
        let body = Vouching(
            node: me, name: order.name, key: order.key, roles: order.roles, issued: now,
            until: now + order.life)
        let living = persons.values.filter { $0.ended == nil && $0.body.until > now }
        var refusals: [Refusal] = []
        let lives = AgreementLimits.vouchingLifeMin...AgreementLimits.vouchingLifeMax
        if let refusal = AgreementLimits.refusal(ofLife: order.life, within: lives) {
            refusals.append(refusal)
        } else if !body.isWellFormed {
            refusals.append(Refusal(.documentInvalid, [Fact("person", order.name)]))
        }
        if let other = living.first(where: {
            ($0.body.name == order.name) != ($0.body.key == order.key)
        }) {
            refusals.append(
                Refusal(
                    .nameTaken,
                    [Fact("name", other.body.name), Fact("its key", suite.pin(of: other.body.key))]))
        }
        if persons[order.name] == nil, !makeRoomForPerson(at: now, into: &effects) {
            refusals.append(
                Refusal(
                    .limitReached, [Fact("persons", persons.count), Fact("limit", AgreementLimits.persons)]))
        }
        guard refusals.isEmpty else { return effects.post(.answered(ticket, .refused(refusals))) }
        let payload = Octets(suite.encoded(body))
        self.order(.vouching(body, payload: payload, operatorTicket: ticket), over: payload, into: &effects)
    }

    /// The statement is signed: from here on the person may approve.
    mutating func vouched(
        _ document: Signed<Vouching>, ticket: Ticket, into effects: inout Outbox<AgreementEffect>
    ) {
        keep(VouchingRecord(document: document), as: .vouched, into: &effects)
        if let person = persons[document.body.name] {
            effects.post(.answered(ticket, .vouched(person)))
        }
    }

    /// The operator ends it, before its time.
    mutating func endVouching(
        of name: NodeName, for ticket: Ticket, at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) {
        guard var person = persons[name], person.ended == nil else {
            return effects.post(
                .answered(ticket, .refused([Refusal(.nothingFound, [Fact("person", name)])])))
        }
        person.ended = now
        keep(person, as: .vouchingEnded, into: &effects)
        effects.post(.answered(ticket, .vouched(person)))
    }

    private mutating func keep(
        _ person: VouchingRecord, as action: AgreementAction, into effects: inout Outbox<AgreementEffect>
    ) {
        persons[person.body.name] = person
        effects.post(.persistPerson(person))
        effects.post(
            .record(
                AgreementNotice(
                    peer: me, action: action,
                    facts: [
                        Fact("person", person.body.name),
                        Fact("roles", ApprovalRules.words(person.body.roles)),
                        Fact("until", RFC3339.text(person.ended ?? person.body.until)),
                    ])))
    }

    /// False when all that are kept are still vouched for; else one that is not is forgotten.
    private mutating func makeRoomForPerson(
        at now: WallTime, into effects: inout Outbox<AgreementEffect>
    ) -> Bool {
        guard persons.count >= AgreementLimits.persons else { return true }
        guard let over = persons.values.first(where: { $0.ended != nil || $0.body.until < now }) else {
            return false
        }
        persons[over.body.name] = nil
        effects.post(.forgetPerson(over.body.name))
        return true
    }
}
