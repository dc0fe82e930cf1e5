import MeshBase

@testable import MeshDNS

/// A zone and a clock around one machine: questions are answered from the records, as a server would.
struct Zone {
    static let service = name("_comity._tcp.m")

    var records: [DNSRecord] = []
    /// What each question meets instead of an answer; nil: it is answered.
    var trouble: (DNSQuestion) -> DNSTrouble? = { _ in nil }
    /// Whether answers bring along what belongs to them.
    var isGenerous = false
    private(set) var now = Instant.zero
    private(set) var asked: [DNSQuestion] = []
    private(set) var events: [DNSEvent] = []
    private(set) var browse: DNSBrowse

    init(seed: UInt64 = 1) {
        browse = DNSBrowse(service: Self.service, generator: SeededGenerator(seed: seed), at: .zero)
    }

    /// An instance with everything, at one address.
    mutating func add(_ instance: String, _ address: [UInt8]? = [192, 0, 2, 1], life: Int64 = 120) {
        let full = name("\(instance)._comity._tcp.m")
        let host = name("\(instance)-host.m")
        put(Self.service, .ptr(full), life)
        put(full, .srv(.init(priority: 0, weight: 0, port: 7410, target: host)), life)
        put(full, .txt([Array("v=1".utf8)]), life)
        if let address { put(host, address.count == 4 ? .a(address) : .aaaa(address), life) }
    }

    mutating func put(_ name: DNSName, _ value: DNSRecord.Value, _ life: Int64 = 120) {
        records.append(DNSRecord(name: name, timeToLive: .seconds(life), value: value))
    }

    /// Lets the time pass until `limit`, and answers all questions on the way.
    mutating func run(until limit: Duration) {
        var effects = Outbox<DNSBrowse.Effect>()
        while let deadline = browse.nextDeadline, deadline <= .zero + limit {
            now = max(now, deadline)
            browse.handle(.timeReached, at: now, into: &effects)
            while let question = take(effects.drain()) {
                browse.handle(answer(to: question), at: now, into: &effects)
            }
        }
        now = .zero + limit
    }

    /// Forgets what was seen so far.
    mutating func forget() {
        asked = []
        events = []
    }

    var sightings: [DNSSighting] {
        events.compactMap { event in
            guard case .sighted(let sighting) = event else { return nil }
            return sighting
        }
    }

    private mutating func take(_ effects: [DNSBrowse.Effect]) -> DNSQuestion? {
        var question: DNSQuestion?
        for effect in effects {
            switch effect {
            case .ask(let asked):
                precondition(question == nil, "two questions at once")
                question = asked
                self.asked.append(asked)
            case .tell(let event): events.append(event)
            }
        }
        return question
    }

    private func answer(to question: DNSQuestion) -> DNSBrowse.Input {
        if let trouble = trouble(question) { return .failed(trouble) }
        let isAlias = { (record: DNSRecord) in record.kind == .cname && record.name == question.name }
        let answers = records.filter { ($0.name == question.name && $0.kind == question.kind) || isAlias($0) }
        let isNamed = records.contains { $0.name == question.name }
        guard isNamed else { return .failed(.noSuchName) }
        return .answered(
            DNSMessage(
                id: 1, isTruncated: false, responseCode: 0, name: question.name, kind: question.kind.rawValue,
                answers: answers, additional: isGenerous ? records.filter { !answers.contains($0) } : []))
    }
}
