import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting
import Testing

@testable import MeshNode

@Suite("The desk under anything that can happen")
struct DeskPropertyTests {
    @Test("keeps every rule of sections 8 and 9")
    func property() {
        var hedged = 0
        for seed in 0..<80 {
            var run = Run(seed: UInt64(seed))
            for _ in 0..<300 { run.step() }
            run.finish()
            #expect(run.rig.ledger.problems.isEmpty, "seed \(seed): \(run.rig.ledger.problems.prefix(2))")
            #expect(run.problems.isEmpty, "seed \(seed): \(run.problems.prefix(2))")
            hedged += run.hedged
        }
        #expect(hedged > 20, "two attempts were out \(hedged) times")
    }

    @Test("two runs of one seed order the same")
    func deterministic() {
        var first = Run(seed: 5)
        var second = Run(seed: 5)
        for _ in 0..<200 {
            first.step()
            second.step()
        }
        #expect(first.rig.effects == second.rig.effects && !first.rig.effects.isEmpty)
    }
}

/// Random applications, peers, links, resources and clocks.
private struct Run {
    var rig: DeskRig
    var generator: SeededGenerator
    var problems: [String] = []
    /// How often two attempts of one call were seen out.
    var hedged = 0
    private var requested: [RequestID] = []
    private var cancelled: Set<RequestID> = []
    private var deadlines: [RequestID: Int64] = [:]
    private var open: [(AttemptID, NodeID)] = []
    /// Attempts that left while a breaker was half-open, by its name.
    private var probing: [String: [AttemptID]] = [:]
    private var services: [ServiceID] = []
    private var seen = 0
    private let failing: UInt64
    private let silent: UInt64

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
        rig = DeskRig(seed: seed)
        failing = generator.number(below: 101)
        silent = generator.number(below: 60)
        // A third hedges after a time, a third after a percentile.
        if seed % 3 > 0 {
            rig.said = [.hedge(seed % 3 == 1 ? .milliseconds(Int64(seed) + 1) : .percentile(60))]
            rig.publish()
        }
        if generator.number(below: 2) == 0 {
            rig.own.append(DeskRig.offered("orders", to: [node(2)], timeout: 700))
            rig.publish()
        }
    }

    mutating func step() {
        rig.now += Int64(generator.number(below: 200))
        switch generator.number(below: 12) {
        case 0, 1, 2, 3: request()
        case 4: arrive()
        case 5: link()
        case 6: if let id = requested.randomOne(&generator), generator.number(below: 4) == 0 { cancel(id) }
        case 7: rig.pass(Int64(generator.number(below: 3000)))
        default: react()
        }
        observe()
    }

    /// Everything comes to rest.
    mutating func finish() {
        for peer in [1, 2] as [UInt8] { rig.take(.linkCameUp(node(peer))) }
        rig.pass(700_000)
        observe()
        if !rig.ledger.open.isEmpty { problems.append("\(rig.ledger.open.count) admitted, never settled") }
        if rig.desk.load != (0, 0) { problems.append("left over: \(rig.desk.load)") }
        for id in requested {
            let answers = rig.ledger.answered[id] ?? 0
            let ends = rig.ledger.finished[id] ?? 0
            if cancelled.contains(id) {
                if answers > 1 || ends > 0 {
                    problems.append("\(id) answered \(answers) after it was cancelled")
                }
            } else if answers != 1 || ends != 1 {
                problems.append("\(id) answered \(answers), ended \(ends)")
            }
        }
        let closing = rig.ledger.events.filter { $0.type == .call }.compactMap(\.correlation)
        if Set(closing).count != closing.count { problems.append("a call closed twice") }
        let inFlight = rig.desk.routes(at: moment(rig.now)).map(\.inFlight)
        if inFlight.contains(where: { $0 != 0 }) { problems.append("in flight \(inFlight)") }
        let inHand = ["stock", "orders"].map { rig.desk.standing(of: resource($0))?.inHand ?? 0 }
        if inHand != [0, 0] { problems.append("in hand \(inHand)") }
    }

    private mutating func request() {
        let deadline = Int64(1 + generator.number(below: 4000))
        let capability = ["list", "put", "buy"][Int(generator.number(below: 3))]
        let target = ["any", "any", "B", "C", "A"][Int(generator.number(below: 5))]
        let key = generator.number(below: 3) == 0 ? "k\(generator.number(below: 40))" : nil
        let id = rig.call(target, "orders", capability, deadline: .milliseconds(deadline), key: key)
        requested.append(id)
        deadlines[id] = rig.now + deadline
    }

    private mutating func arrive() {
        let isBuy = generator.number(below: 2) == 0
        rig.arrive(
            from: UInt8(1 + generator.number(below: 2)), "stock", isBuy ? "buy" : "list",
            method: isBuy ? "POST" : "GET", path: isBuy ? "/buy" : "/list",
            correlation: generator.number(below: 40), attempt: UInt8(1 + generator.number(below: 3)),
            key: isBuy ? "k\(generator.number(below: 20))" : nil,
            remaining: UInt32(generator.number(below: 3000)))
    }

    private mutating func link() {
        let peer = node(UInt8(1 + generator.number(below: 2)))
        guard generator.number(below: 2) == 0 else {
            rig.take(.linkCameUp(peer))
            return
        }
        rig.take(.linkWentDown(peer))
        for (attempt, at) in open where at == peer {
            rig.take(.attemptFailed(attempt, .linkLost, .possible))
        }
        open.removeAll { $0.1 == peer }
    }

    private mutating func cancel(_ id: RequestID) {
        rig.take(.cancelled(id))
        if rig.ledger.finished[id] == nil { cancelled.insert(id) }
    }

    private mutating func react() {
        let effect: PossibleEffect = generator.number(below: 2) == 0 ? .none : .possible
        let fails = generator.number(below: 100) < failing
        if generator.number(below: 100) < silent { return }
        if generator.number(below: 2) == 0, !services.isEmpty {
            let service = services.remove(at: Int(generator.number(below: UInt64(services.count))))
            if fails { rig.take(.resourceFailed(service, .unreachable, effect)) }
            rig.take(.resourceAnswered(service, status: 200, headers: []))
            if generator.number(below: 4) == 0 { return }
            rig.take(.resourceEnded(service, BodySummary(length: 1, digest: nil), kept: Octets([1])))
        } else if !open.isEmpty {
            let (attempt, _) = open.remove(at: Int(generator.number(below: UInt64(open.count))))
            switch (fails, generator.number(below: 3)) {
            case (true, 0): rig.take(.attemptRefused(attempt, [Refusal(.agreementMissing)], .none))
            case (true, 1): rig.take(.attemptRefused(attempt, [Refusal(.resourceUnreachable)], effect))
            case (true, _): rig.take(.attemptFailed(attempt, .streamReset, effect))
            case (false, _):
                rig.take(.attemptAnswered(attempt, status: 200, headers: []))
                if generator.number(below: 5) == 0 {
                    rig.take(.attemptFailed(attempt, .streamReset, .possible))
                }
                rig.take(.attemptEnded(attempt, BodySummary(length: 1, digest: nil)))
            }
        }
    }

    /// Looks at what was ordered since the last time.
    private mutating func observe() {
        for (time, effect) in zip(rig.times[seen...], rig.effects[seen...]) {
            switch effect {
            case .breakerChanged(let change):
                let way = "\(change.node.brief)/\(change.resource?.description ?? "link")"
                probing[way] = change.to == "half-open" ? [] : nil
            case .send(let attempt, let to, let invocation):
                open.append((attempt, to))
                probing["\(to.brief)/\(invocation.resource)"]?.append(attempt)
                probing["\(to.brief)/link"]?.append(attempt)
                if attempt.number > 3 { problems.append("attempt \(attempt.number)") }
                if invocation.remainingMilliseconds == 0 { problems.append("sent without time") }
                if let deadline = deadlines[attempt.request], time >= deadline {
                    problems.append("sent at \(time), deadline \(deadline)")
                }
            case .serve(let service, _, _): services.append(service)
            case .abandon(let attempt): open.removeAll { $0.0 == attempt }
            case .stop(let service): services.removeAll { $0 == service }
            default: break
            }
        }
        seen = rig.effects.count
        let out = Dictionary(grouping: rig.desk.attempts.filter { _, _ in true }, by: \.key.request)
            .filter { $0.value.count > 1 }
        for (id, attempts) in out {
            let isOdd = attempts.contains { $0.value.safety != .safe || $0.value.status != nil }
            if attempts.count > 2 || isOdd {
                problems.append("\(id) has \(attempts.count) attempts out")
            }
        }
        hedged += out.count
        for (way, attempts) in probing {
            let out = attempts.filter { rig.desk.attempts[$0]?.status == nil && rig.desk.attempts[$0] != nil }
            if out.count > 1 { problems.append("\(out.count) probes out at \(way)") }
        }
    }
}

extension Array {
    fileprivate func randomOne(_ generator: inout SeededGenerator) -> Element? {
        isEmpty ? nil : self[Int(generator.number(below: UInt64(count)))]
    }
}
