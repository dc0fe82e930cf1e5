import CAllocations

/// Runs a comparison: each sample is warmed up, then all are measured in turns, so that what disturbs the
/// machine meets all of them.
struct Runner {
    let rounds: Int
    func run(_ comparison: Comparison) throws -> [Finding] {
        var contests: [Contest] = []
        for sample in comparison.samples {
            var contest = Contest(sample: sample, subject: try sample.prepare())
            try contest.warmUp(for: sample.stopwatch.span)
            contests.append(contest)
        }
        for round in 0..<rounds {
            // Odd rounds go backwards: nobody is always measured behind the same neighbour.
            let order = round.isMultiple(of: 2) ? Array(contests.indices) : contests.indices.reversed()
            for index in order { try contests[index].measure() }
        }
        for index in contests.indices { try contests[index].countAllocations() }
        let base = contests[0].costs
        let note = try comparison.note?()
        return contests.map { contest in
            let ratios = zip(contest.costs, base).map { $0 / $1 }
            return Finding(
                area: comparison.area, title: comparison.title, note: note, name: contest.sample.name,
                clock: contest.sample.stopwatch.word, times: contest.count, cost: Spread(contest.costs),
                ratio: Spread(ratios), allocations: contest.allocations)
        }
    }
}

/// One sample while it is measured.
private struct Contest {
    let sample: Sample
    let subject: Sample.Subject
    /// How often it is done for one measurement.
    var count = 1
    /// Nanoseconds for one, round by round.
    var costs: [Double] = []
    var allocations: Finding.Allocations?

    /// Finds out how often it must be done to fill the span; that is the warming up, too.
    mutating func warmUp(for span: Int64) throws {
        guard case .timed(let body) = subject else {
            _ = try measured()
            return
        }
        try body(1)
        while true {
            let took = try time(body)
            if took >= span / 2 || count >= 1 << 24 { return }
            let factor = min(max(Double(span) / Double(max(took, 1)), 1.3), 10)
            count = Int((Double(count) * factor).rounded(.up))
        }
    }

    mutating func measure() throws { costs.append(try measured()) }

    private func measured() throws -> Double {
        switch subject {
        case .timed(let body): Double(try time(body)) / Double(count * sample.portion)
        case .told(let tell): try tell()
        }
    }

    /// Counts this thread's only, so for what others do it says nothing.
    mutating func countAllocations() throws {
        guard sample.stopwatch == .thread, case .timed(let body) = subject else { return }
        let before = allocations_now()
        try body(count)
        let after = allocations_now()
        let done = Double(count * sample.portion)
        allocations = Finding.Allocations(
            blocks: Double(after.blocks - before.blocks) / done,
            bytes: Double(after.bytes - before.bytes) / done)
    }

    private func time(_ body: Sample.Body) throws -> Int64 {
        let began = try sample.stopwatch.read()
        try body(count)
        return try sample.stopwatch.read() - began
    }
}
