import MeshAgreements
import MeshBase
import MeshRouting
import MeshSimulator

/// What the machines take to decide, without anything that does.
func machineComparisons() -> [Comparison] {
    let deciding = Comparison(
        area: "machines", title: "one decision, beside a change of a dictionary of 1000",
        baseline: .dictionary,
        others: [
            .consumer("a call at its consumer, asked to closed", CallWorld(peers: 1, resources: 1)),
            .provider("a call at its provider, arrived to closed", CallWorld(peers: 1, resources: 1)),
            .policy("the evaluator permits by one of 2 agreements", agreements: 2, permits: true),
            .policy("the evaluator refuses, 2 agreements", agreements: 2, permits: false),
            .breaker(),
            .repeatedSighting("a sighting is repeated, 1 known", strangers: 1),
            .pingRound("a link is pinged and answers, 1 peer", peers: 1),
            .simulatedHandshake("both machines of a handshake, cheap cryptography", peers: 1),
        ])
    return [deciding] + callGrowth() + [nodeComparison()] + otherGrowth()
}

/// What grows with agreements, peers and calls under way, and how.
private func callGrowth() -> [Comparison] {
    let small = CallWorld(peers: 1, resources: 1)
    // Limits.agreementsPerPeer is 512.
    let large = [(1, 50), (1, 250), (50, 1), (50, 10), (1_000, 1)].map {
        CallWorld(peers: $0.0, resources: $0.1)
    }
    func growth(_ title: String, _ make: (String, CallWorld) -> Sample) -> Comparison {
        Comparison(
            area: "machines", title: title, baseline: make("2 agreements with 1", small),
            others: large.map { make("\($0.agreements) agreements with \($0.peers)", $0) })
    }
    return [
        growth("a call at its consumer, as what is agreed grows") { .consumer($0, $1) },
        growth("a call at its provider, as what is agreed grows") { .provider($0, $1) },
        Comparison(
            area: "machines", title: "a call while others are under way",
            baseline: .consumer("consumer, 0 under way", small),
            others: [100, 1_000, 4_000].map { .consumer("consumer, \($0) under way", small, underWay: $0) }
                + [0, 100, 1_000].map { .provider("provider, \($0) under way", small, underWay: $0) }),
        growth("a view is published, as what is agreed grows") { .publishing($0, $1) },
    ]
}

private func otherGrowth() -> [Comparison] {
    [
        Comparison(
            area: "machines", title: "the evaluator, as agreements between the two grow",
            baseline: .policy("permits by one of 2", agreements: 2, permits: true),
            others: [
                .policy("permits by the last of 100", agreements: 100, permits: true),
                .policy("permits by the last of 500", agreements: 500, permits: true),
                .policy("permits by the last of 1000", agreements: 1_000, permits: true),
                .policy(
                    "permits by the last of 1000 on one resource", agreements: 1_000, permits: true, on: 1),
                .metered("permits by one of 1000 with a rate and two quotas, and counts", agreements: 1_000),
                .indexing("an index is made of 1000", agreements: 1_000),
                .policy("refuses, 2 agreements", agreements: 2, permits: false),
                .policy("refuses, 100 agreements", agreements: 100, permits: false),
                .policy("refuses, 500 agreements", agreements: 500, permits: false),
            ]),
        Comparison(
            area: "machines", title: "sightings, as they grow",
            baseline: .repeatedSighting("repeated, 1 known", strangers: 1),
            others: [
                .repeatedSighting("repeated, 100 known", strangers: 100),
                .repeatedSighting("repeated, 1000 known", strangers: 1_000),
                .freshSighting("another one where 1024 are known: one goes"),
            ]),
        Comparison(
            area: "machines", title: "a link is pinged and answers, for each peer, as peers grow",
            baseline: .pingRound("1 peer", peers: 1),
            others: [50, 1_000, 4_000].map { .pingRound("\($0) peers", peers: $0) }),
        Comparison(
            area: "machines", title: "both machines of a handshake, as peers grow",
            baseline: .simulatedHandshake("1 peer", peers: 1),
            others: [50, 1_000, 4_000].map { .simulatedHandshake("\($0) peers", peers: $0) }),
    ]
}

extension Sample {
    /// What any program does all the time: the measure for decisions.
    static var dictionary: Sample {
        Sample("a change of a dictionary of 1000") {
            var table: [Int: Int] = [:]
            for key in 0..<1_000 { table[key &* 7_919] = key }
            return { count in
                for turn in 0..<count { table[(turn % 1_000) &* 7_919, default: 0] &+= turn }
                keep(table)
            }
        }
    }

    /// - Parameter resources: over how many resources the agreements are spread; nil: each direction has one of
    ///   its own.
    static func policy(_ name: String, agreements: Int, permits: Bool, on resources: Int? = nil) -> Sample {
        Sample(name) {
            let world = CallWorld(peers: 1, resources: agreements / 2, named: resources)
            let terms = AgreementIndex(world.terms(with: 0))
            let question = world.question(
                on: permits ? world.lastResource : world.foreignResource,
                at: resources == nil ? world.start.wall : world.lastTime)
            let verdict = PolicyEvaluator.decide(question, over: terms)
            let isPermitted = if case .permitted = verdict { true } else { false }
            try require(isPermitted == permits, "it decides \(verdict)")
            return { count in for _ in 0..<count { keep(PolicyEvaluator.decide(question, over: terms)) } }
        }
    }

    /// What a call costs that is counted: may it pass, and one more.
    static func metered(_ name: String, agreements: Int) -> Sample {
        Sample(name) {
            let limits = UsageLimits(
                rate: RateLimit(calls: 1_000_000, seconds: 1, burst: 1_000_000),
                callsPerDay: 1_000_000_000_000, callsPerMonth: 1_000_000_000_000)
            let world = CallWorld(peers: 1, resources: agreements / 2, limits: limits)
            let terms = AgreementIndex(world.terms(with: 0))
            let question = world.question(on: world.lastResource, at: world.start.wall)
            var (meters, now) = (MeterBook(), world.start)
            return { count in
                for _ in 0..<count {
                    now = Moment(instant: now.instant + .microseconds(1), wall: now.wall)
                    let glance = MeterGlance(meters, at: now)
                    let verdict = PolicyEvaluator.decide(question, over: terms, meters: glance)
                    guard case .permitted(let id) = verdict, let agreement = terms.counted(id) else {
                        preconditionFailure("\(verdict)")
                    }
                    if let ordered = meters.take(agreement, at: now).reservation {
                        meters.keep(ordered.record)
                    }
                }
                keep(meters)
            }
        }
    }

    static func indexing(_ name: String, agreements: Int) -> Sample {
        Sample(name) {
            let terms = CallWorld(peers: 1, resources: agreements / 2).terms(with: 0)
            return { count in for _ in 0..<count { keep(AgreementIndex(terms)) } }
        }
    }

    static func breaker() -> Sample {
        Sample("a breaker lets a call through and hears its end") {
            var breaker = Breaker()
            var generator = SeededGenerator(seed: 1)
            var now = Instant(nanoseconds: 1)
            return { count in
                for _ in 0..<count {
                    now = now + .microseconds(1)
                    guard let admission = breaker.admit(at: now) else { throw Unfit("it opened") }
                    breaker.settle(admission, as: .succeeded, at: now, using: &generator)
                }
            }
        }
    }
}
