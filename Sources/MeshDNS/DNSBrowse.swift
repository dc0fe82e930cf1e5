import MeshBase
import MeshDiscovery

/// Decides what to ask the name server and when to ask again, to know the instances of one service and where
/// they are (RFC 6763 sections 4 to 6). One question is under way at a time.
///
///                       timeReached
///      resting(until) ───────────────▶ asking ──┐ answered, or failed for this question alone:
///         ▲   ▲                         │  ▲ │  │ the next that is due
///         │   └── nothing is due ───────┘  └─┼──┘
///         └────── the server is gone, or ────┘
///                 the list failed: back off
///
/// Asked for are the list (PTR), of each instance SRV and TXT, of each target A and AAAA; what an answer
/// brings along unasked counts if it would have been asked for. An answer holds for as long as its shortest
/// record, within `Limits.dnsLifeLeast` and `Limits.dnsLifeMost`, and is asked for anew at 80 to 90 % of
/// that; the list at the latest after `listAge`, so that a newcomer is not unseen for as long as an old list
/// holds. "There is none" is an answer too, and holds for `Limits.dnsLifeLeast`.
///
/// An instance is told once all of it is known and fresh, and again whenever part of it was asked for anew.
/// Through a failure it is neither told nor withdrawn: what was told ends by its own life.
///
/// Callers owe: `timeReached` at `nextDeadline`; one `answered` or `failed` to each `.ask`.
struct DNSBrowse: Sendable, Equatable {
    enum Input: Sendable, Equatable {
        /// `nextDeadline` has come.
        case timeReached
        /// The server answered the question under way, without an error.
        case answered(DNSMessage)
        /// There is no such answer.
        case failed(DNSTrouble)
    }

    enum Effect: Sendable, Equatable {
        /// Ask this, and say what became of it.
        case ask(DNSQuestion)
        case tell(DNSEvent)
    }

    enum Phase: Sendable, Equatable {
        case resting(until: Instant)
        case asking(DNSQuestion)
    }

    /// A list is not relied on for longer, whatever its records allow.
    static let listAge: Duration = .seconds(300)
    /// Aliases followed from one name.
    static let aliasCountMax = 8

    let service: DNSName
    private(set) var phase: Phase
    private(set) var zone: DNSZone
    private var backoff = Backoff(first: .seconds(1), most: .seconds(30))
    private var generator: SeededGenerator
    /// What was told of the list or of trouble last.
    private var told: DNSEvent?

    /// Begins to ask at once, at `now`.
    init(service: DNSName, generator: SeededGenerator, at now: Instant) {
        self.service = service
        self.generator = generator
        zone = DNSZone(service: service)
        phase = .resting(until: now)
    }

    /// When `timeReached` is owed; nil while a question is under way.
    var nextDeadline: Instant? {
        switch phase {
        case .resting(let until): until
        case .asking: nil
        }
    }

    mutating func handle(_ input: Input, at now: Instant, into effects: inout Outbox<Effect>) {
        switch (input, phase) {
        case (.timeReached, .resting(let until)) where until <= now: askNext(at: now, into: &effects)
        case (.answered(let message), .asking(let question)):
            guard message.answers(question) else {
                return fail(question, .malformed, at: now, into: &effects)
            }
            backoff.reset()
            if case .failed(let trouble) = told, trouble.isServerGone, question != zone.list {
                tellList(into: &effects)
            }
            take(message, for: question, at: now, into: &effects)
            askNext(at: now, into: &effects)
        case (.failed(let trouble), .asking(let question)): fail(question, trouble, at: now, into: &effects)
        case (.timeReached, _), (.answered, .resting), (.failed, .resting): break
        }
    }

    private mutating func askNext(at now: Instant, into effects: inout Outbox<Effect>) {
        if let question = zone.firstDue(at: now) {
            phase = .asking(question)
            effects.post(.ask(question))
        } else {
            phase = .resting(until: zone.nextDue)
        }
    }

    // MARK: Answers

    private mutating func take(
        _ message: DNSMessage, for question: DNSQuestion, at now: Instant, into effects: inout Outbox<Effect>
    ) {
        var touched = [question]
        hold(Self.answer(to: question, in: message.answers), for: question, at: now)
        if question == zone.list { relist(at: now, into: &effects) }
        // Services before addresses: which addresses are wanted depends on the services.
        for kinds in [[DNSQuestion.Kind.srv, .txt], [.a, .aaaa]] {
            for (other, records) in Self.companions(in: message, of: kinds)
            where other != question && zone.isWanted(other) {
                hold(records, for: other, at: now)
                touched.append(other)
            }
        }
        let concerned = Set(touched.flatMap(zone.instances(concernedBy:)))
        for instance in concerned.sorted() { tell(of: instance, at: now, into: &effects) }
    }

    /// The records that answer `question`, with the aliases that led to them: the life of those counts, too.
    static func answer(to question: DNSQuestion, in records: [DNSRecord]) -> [DNSRecord] {
        var name = question.name
        var aliases: [DNSRecord] = []
        for _ in 0..<aliasCountMax {
            guard let alias = records.first(where: { $0.name == name && $0.kind == .cname }),
                case .cname(let target) = alias.value
            else { break }
            aliases.append(alias)
            name = target
        }
        let found = records.filter { $0.name == name && $0.kind == question.kind }
        return found.isEmpty ? [] : aliases + found
    }

    /// What else the message says, by what it would have answered.
    private static func companions(
        in message: DNSMessage, of kinds: [DNSQuestion.Kind]
    ) -> OrderedTable<DNSQuestion, [DNSRecord]> {
        var groups = OrderedTable<DNSQuestion, [DNSRecord]>()
        for record in message.answers + message.additional where kinds.contains(record.kind) {
            let question = DNSQuestion(record.kind, of: record.name)
            groups[question] = (groups[question] ?? []) + [record]
        }
        return groups
    }

    private mutating func hold(_ records: [DNSRecord], for question: DNSQuestion, at now: Instant) {
        let shortest = records.map(\.timeToLive).min() ?? Limits.dnsLifeLeast
        let life = min(max(shortest, Limits.dnsLifeLeast), Limits.dnsLifeMost)
        var age = generator.duration(from: life * 4 / 5, through: life * 9 / 10)
        if question == zone.list { age = min(age, Self.listAge) }
        zone.hold(records.map(\.value), for: question, refresh: now + age, expiry: now + life)
    }

    private mutating func relist(at now: Instant, into effects: inout Outbox<Effect>) {
        for instance in zone.relist() { effects.post(.tell(.withdrawn(instance: zone.label(of: instance)))) }
        tellList(into: &effects)
    }

    private mutating func tellList(into effects: inout Outbox<Effect>) {
        tellOnce(
            .listed(instanceCount: zone.instances.count, leftOut: zone.leftOutCount), into: &effects)
    }

    private mutating func tell(of instance: DNSName, at now: Instant, into effects: inout Outbox<Effect>) {
        switch zone.look(at: instance, at: now) {
        case .there(let sighting): effects.post(.tell(.sighted(sighting)))
        case .notThere(wasTold: true): effects.post(.tell(.withdrawn(instance: zone.label(of: instance))))
        case .notThere(wasTold: false), .unknown: break
        }
    }

    // MARK: Failures

    private mutating func fail(
        _ question: DNSQuestion, _ trouble: DNSTrouble, at now: Instant, into effects: inout Outbox<Effect>
    ) {
        if trouble == .noSuchName {
            backoff.reset()
            hold([], for: question, at: now)
            if question == zone.list {
                for instance in zone.relist() {
                    effects.post(.tell(.withdrawn(instance: zone.label(of: instance))))
                }
                tellOnce(.failed(trouble), into: &effects)
            }
            for instance in zone.instances(concernedBy: question) {
                tell(of: instance, at: now, into: &effects)
            }
            return askNext(at: now, into: &effects)
        }
        if trouble.isServerGone || question == zone.list {
            tellOnce(.failed(trouble), into: &effects)
            phase = .resting(until: now + backoff.fail(using: &generator))
        } else {
            zone.postpone(question, until: now + Limits.dnsLifeLeast)
            askNext(at: now, into: &effects)
        }
    }

    /// Says it unless it is what was said last.
    private mutating func tellOnce(_ event: DNSEvent, into effects: inout Outbox<Effect>) {
        guard told != event else { return }
        told = event
        effects.post(.tell(event))
    }
}
