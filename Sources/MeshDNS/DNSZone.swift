import MeshBase

/// What the name server has said about one service, and what of that must be asked for anew.
///
/// Bounded: `Limits.dnsInstances` instances, for each the SRV records that are tried first, and what belongs
/// to them.
struct DNSZone: Sendable, Equatable {
    /// An answer; without records: there are none.
    private struct Held: Sendable, Equatable {
        let values: [DNSRecord.Value]
        /// Until when it counts.
        let expiry: Instant
    }

    /// What is known of one instance.
    enum Look: Equatable {
        /// It is there, and said to be.
        case there(DNSSighting)
        /// It is not there.
        case notThere(wasTold: Bool)
        /// Part of it is to be asked for first.
        case unknown
    }

    /// The question for the instances.
    let list: DNSQuestion
    /// The instances that are listed, rising.
    private(set) var instances: [DNSName] = []
    /// How many were listed beyond the bound.
    private(set) var leftOutCount = 0
    private var answers = OrderedTable<DNSQuestion, Held>()
    /// When to ask for what: all that must be known stands here, and nothing else.
    private var dues = Deadlines<DNSQuestion>()
    /// Instances of which a sighting was told and not taken back.
    private var told = Set<DNSName>()

    init(service: DNSName) {
        list = DNSQuestion(.ptr, of: service)
        dues.set(list, at: .zero)
    }

    /// An instance's own label, as zone files write it.
    func label(of instance: DNSName) -> String { instance.labels.first.map(DNSName.text) ?? "" }

    /// What must be known of an instance.
    private func questions(of instance: DNSName) -> [DNSQuestion] {
        [DNSQuestion(.srv, of: instance), DNSQuestion(.txt, of: instance)]
            + places(of: instance).flatMap {
                [DNSQuestion(.aaaa, of: $0.target), DNSQuestion(.a, of: $0.target)]
            }
    }

    /// Whether an answer to `question` is of use.
    func isWanted(_ question: DNSQuestion) -> Bool { dues[question] != nil }

    /// What to ask next at `now`; nil when nothing is due.
    func firstDue(at now: Instant) -> DNSQuestion? { dues.next.flatMap { $0 <= now ? dues.nextKey : nil } }

    /// When the next is due.
    var nextDue: Instant { dues.next ?? .never }

    /// Which instances an answer to `question` concerns.
    func instances(concernedBy question: DNSQuestion) -> [DNSName] {
        switch question.kind {
        case .srv, .txt: [question.name]
        case .a, .aaaa: instances.filter { places(of: $0).contains { $0.target == question.name } }
        case .ptr, .cname: []
        }
    }

    /// Keeps an answer; none of its records: there are none.
    mutating func hold(
        _ values: [DNSRecord.Value], for question: DNSQuestion, refresh: Instant, expiry: Instant
    ) {
        let former = question.kind == .srv ? questions(of: question.name) : []
        answers[question] = Held(values: values, expiry: expiry)
        dues.set(question, at: refresh)
        if question.kind == .srv { reconsider(former: former, present: questions(of: question.name)) }
    }

    /// There was no answer: what was known before counts until its end, and is asked for again at `instant`.
    mutating func postpone(_ question: DNSQuestion, until instant: Instant) {
        if answers[question] == nil { answers[question] = Held(values: [], expiry: instant) }
        dues.set(question, at: instant)
    }

    /// Takes over the list that is held, and answers which told instances are not on it. What belonged to
    /// others than those on it is forgotten.
    mutating func relist() -> [DNSName] {
        let named = Set(
            (answers[list]?.values ?? []).compactMap { value in
                guard case .ptr(let instance) = value, instance.isChild(of: list.name) else { return nil }
                return instance
            } as [DNSName])
        let former = instances.flatMap(questions)
        instances = Array(named.sorted().prefix(Limits.dnsInstances))
        reconsider(former: former, present: instances.flatMap(questions))
        leftOutCount = named.count - instances.count
        let gone = told.subtracting(instances).sorted()
        told.subtract(gone)
        return gone
    }

    /// Some questions came, some went: the ones are due at once, the others are forgotten unless another
    /// instance needs them.
    private mutating func reconsider(former: [DNSQuestion], present: [DNSQuestion]) {
        for question in present where dues[question] == nil { dues.set(question, at: .zero) }
        let lost = Set(former).subtracting(present)
        guard !lost.isEmpty else { return }
        let needed = Set(instances.flatMap(questions))
        for question in lost.sorted() where !needed.contains(question) {
            dues.cancel(question)
            answers[question] = nil
        }
    }

    /// Puts together what is known of an instance. Who asks tells it, too.
    mutating func look(at instance: DNSName, at now: Instant) -> Look {
        let questions = questions(of: instance)
        guard questions.allSatisfy({ dues[$0].map { $0 > now } ?? false }) else { return .unknown }
        let endpoints = endpoints(of: instance, at: now)
        guard let txt = txt(of: instance), !endpoints.isEmpty else {
            return .notThere(wasTold: told.remove(instance) != nil)
        }
        told.insert(instance)
        let expiry =
            questions.compactMap { answers[$0] }.filter { !$0.values.isEmpty }.map(\.expiry).min() ?? now
        return .there(
            DNSSighting(instance: label(of: instance), endpoints: endpoints, txt: txt, life: expiry - now))
    }

    /// Where an instance is said to be: of its SRV records as many as endpoints are kept, by rising priority,
    /// then falling weight. The root as target says that it is nowhere (RFC 2782).
    private func places(of instance: DNSName) -> [DNSRecord.Service] {
        let all =
            (answers[DNSQuestion(.srv, of: instance)]?.values ?? []).compactMap { value in
                guard case .srv(let service) = value, service.port > 0, !service.target.labels.isEmpty else {
                    return nil
                }
                return service
            } as [DNSRecord.Service]
        let order = all.sorted { left, right in
            if left.priority != right.priority { return left.priority < right.priority }
            if left.weight != right.weight { return left.weight > right.weight }
            return (left.target, left.port) < (right.target, right.port)
        }
        return Array(order.prefix(Limits.endpointsPerPeer))
    }

    /// Of each place IPv6 and IPv4 in turn, so that the one that does not work costs one try.
    private func endpoints(of instance: DNSName, at now: Instant) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        for place in places(of: instance) {
            let families = [DNSQuestion.Kind.aaaa, .a].map { kind in
                answers[DNSQuestion(kind, of: place.target)].map { $0.expiry > now ? $0.values : [] } ?? []
            }.map { $0.compactMap(AddressText.init).map(\.text).sorted() }
            for turn in 0..<(families.map(\.count).max() ?? 0) {
                for hosts in families where turn < hosts.count {
                    let endpoint = Endpoint(host: hosts[turn], port: place.port)
                    if !endpoints.contains(endpoint) { endpoints.append(endpoint) }
                }
            }
        }
        return Array(endpoints.prefix(Limits.endpointsPerPeer))
    }

    /// An instance without TXT says nothing of itself; nil when it says more than is read.
    private func txt(of instance: DNSName) -> TXTRecord? {
        for value in answers[DNSQuestion(.txt, of: instance)]?.values ?? [] {
            if case .txt(let strings) = value { return TXTRecord(strings: strings) }
        }
        return TXTRecord([])
    }
}
