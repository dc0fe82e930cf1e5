import MeshBase

/// How often each partner called here of late, and each principal in its name, held against the rates that
/// the operator set; this node's own applications by principal only.
///
///     call ──both let it pass──> counted by both
///        └──one does not───────> refused: whose rate, which, and when the next may come; counted by none
///
/// A partner says for whom it calls, and may say something else each time. So a principal's bucket belongs
/// to the partner that names it, and all of a partner's calls are held to its own rate besides. Whoever comes
/// when `Limits.principalsPerPeer` buckets of its partner are in use (`Limits.ownPrincipals` of this node's
/// own), shares one with all others that do; who has a bucket of its own later begins it with what those
/// took. So nobody passes more often than the rate says, in whatever order names come and go.
///
/// Once a bucket is full it is worth no more than a new one, and is forgotten where its place is wanted: of a
/// principal by the next one beyond the bound, of a partner when twice as many have come as were in use.
/// Asking changes nothing.
///
/// Callers owe it: `forget` of who is no partner any more.
public struct RateBook: Sendable, Equatable {
    private let rates: CallRates
    private var own = RateLine(most: Limits.ownPrincipals)
    private var lines = OrderedTable<Digest, RateLine>()
    /// As many lines as this are looked at before one more is made.
    private var sweepAt = Self.slack

    private static var slack: Int { 256 }

    /// Nil where no rate is set: then nothing is kept, and nothing asked.
    public init?(_ rates: CallRates) {
        guard rates.perPeer != nil || rates.perPrincipal != nil else { return nil }
        self.rates = rates
    }

    /// Who calls.
    public enum Caller: Sendable {
        /// An application of this node.
        case own
        /// A partner: a node, or a foreign domain.
        case partner(Digest)
    }

    /// How many partners are remembered.
    public var count: Int { lines.count }

    /// Counts a call that may pass, or says why it may not; then nothing is counted.
    /// - Parameter isOpened: its partner's rate has counted it already (`takeOpening`).
    public mutating func take(
        _ caller: Caller, _ principal: Principal, isOpened: Bool = false, at now: Instant
    ) -> Refusal? {
        switch caller {
        case .own:
            guard rates.perPrincipal != nil else { return nil }
            return own.take(principal, CallRates(perPrincipal: rates.perPrincipal), at: now)?
                .decided(at: "consumer")
        case .partner(let partner):
            let rates = isOpened ? CallRates(perPrincipal: rates.perPrincipal) : rates
            if let ruling = lines.update(partner, { $0.take(principal, rates, at: now) }) {
                return ruling?.decided(at: "provider")
            }
            sweep(at: now)
            var line = RateLine(most: Limits.principalsPerPeer)
            let refusal = line.take(principal, rates, at: now)
            lines[partner] = line
            return refusal?.decided(at: "provider")
        }
    }

    /// Before one more line is made.
    private mutating func sweep(at now: Instant) {
        guard lines.count >= sweepAt else { return }
        lines.removeAll { $1.fullAt <= now }
        sweepAt = max(Self.slack, lines.count * 2)
    }

    /// Why a call may not pass now; nil when it may. It changes nothing.
    public func refusal(of caller: Caller, _ principal: Principal, at now: Instant) -> Refusal? {
        var copy = self
        return copy.take(caller, principal, at: now)
    }

    /// Counts a call of `partner` whose head is about to be opened, since that costs more than all else; or
    /// says why it may not be.
    public mutating func takeOpening(of partner: Digest, at now: Instant) -> Refusal? {
        guard let rate = rates.perPeer else { return nil }
        if lines[partner] == nil { sweep(at: now) }
        var line = lines[partner] ?? RateLine(most: Limits.principalsPerPeer)
        let refusal = line.takeWhole(rate, at: now)
        lines[partner] = line
        return refusal?.decided(at: "provider")
    }

    /// Why no call of `partner` may pass now, whoever it is for. It changes nothing.
    public func refusal(of partner: Digest, at now: Instant) -> Refusal? {
        guard let rate = rates.perPeer, var whole = lines[partner]?.whole else { return nil }
        return whole.refusal(of: .partner, beyond: rate, at: now)?.decided(at: "provider")
    }

    /// Forgets who is no partner any more.
    public mutating func forget(unless isKnown: (Digest) -> Bool) {
        lines.removeAll { partner, _ in !isKnown(partner) }
    }
}

extension Refusal {
    fileprivate func decided(at side: String) -> Refusal { Refusal(code, [Fact("decided at", side)] + facts) }
}

/// What one partner uses of its rates, or this node's applications. A bucket is nil before it is asked.
private struct RateLine: Sendable, Equatable {
    var whole: TokenBucket?
    private var principals = OrderedTable<Principal, TokenBucket>()
    /// Of all principals that have none of their own.
    private var others: TokenBucket?
    /// None of a principal is full before this.
    private var fullNotBefore = Instant.never
    /// Principals that have one of their own, at most.
    private let most: Int

    init(most: Int) { self.most = most }

    mutating func take(_ principal: Principal, _ rates: CallRates, at now: Instant) -> Refusal? {
        let before = whole
        if let rate = rates.perPeer, let refusal = whole.take(of: .partner, rate, at: now) { return refusal }
        guard let rate = rates.perPrincipal, let refusal = take(principal, rate, at: now) else { return nil }
        whole = before
        return refusal
    }

    mutating func takeWhole(_ rate: CallRate, at now: Instant) -> Refusal? {
        whole.take(of: .partner, rate, at: now)
    }

    private mutating func take(_ principal: Principal, _ rate: CallRate, at now: Instant) -> Refusal? {
        if let ruling = principals.update(principal, { $0.take(of: .principal(principal), rate, at: now) }) {
            return ruling
        }
        if principals.count >= most, fullNotBefore <= now {
            principals.removeAll { $1.fullAt <= now }
            fullNotBefore = principals.values.reduce(.never) { min($0, $1.fullAt) }
        }
        guard principals.count < most else {
            return others.take(of: .others(than: most), rate, at: now)
        }
        // Among the others it may have taken all of these.
        var bucket = others
        let refusal = bucket.take(of: .principal(principal), rate, at: now)
        guard refusal == nil, let bucket else { return refusal }
        fullNotBefore = min(fullNotBefore, bucket.fullAt)
        principals[principal] = bucket
        return nil
    }

    /// When all of it is worth no more than a new one, if nothing is taken until then.
    var fullAt: Instant {
        principals.values.reduce(max(whole?.fullAt ?? .zero, others?.fullAt ?? .zero)) { max($0, $1.fullAt) }
    }
}

/// Whose rate it is.
private enum RateHolder: CustomStringConvertible {
    case partner
    case principal(Principal)
    /// All those that came when as many had a bucket as may.
    case others(than: Int)

    var description: String {
        switch self {
        case .partner: "this partner"
        case .principal(let principal): "principal \(principal)"
        case .others(let most): "principals beyond \(most)"
        }
    }
}

extension TokenBucket {
    /// Takes one, or says why not.
    fileprivate mutating func take(of holder: RateHolder, _ rate: CallRate, at now: Instant) -> Refusal? {
        take(at: now) ? nil : refusal(of: holder, beyond: rate, at: now)
    }

    /// Why none may be taken now; nil when one may.
    fileprivate mutating func refusal(
        of holder: RateHolder, beyond rate: CallRate, at now: Instant
    ) -> Refusal? {
        let wait = wait(at: now)
        guard wait > .zero else { return nil }
        return Refusal(
            .tooManyCalls,
            [
                Fact("calls of", holder.description), Fact("rate set", rate), Fact("burst", rate.burst),
                Fact("free again in ms", (wait.wholeNanoseconds + 999_999) / 1_000_000),
            ])
    }
}

extension TokenBucket? {
    /// Takes one from a bucket that is made, full, when it is first asked; or says why not.
    fileprivate mutating func take(of holder: RateHolder, _ rate: CallRate, at now: Instant) -> Refusal? {
        var bucket = self ?? TokenBucket(burst: Int(rate.burst), interval: rate.interval, at: now)
        defer { self = bucket }
        return bucket.take(of: holder, rate, at: now)
    }
}
