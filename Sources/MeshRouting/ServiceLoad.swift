import MeshBase

/// The calls that one resource of this node has in hand, from whom they are, and whether it may be given one
/// more: as many as `ConcurrencyLimit` finds, shared by `PartnerShares`.
///
///     asked ──may──> taken ──answer begins, fails, is given up──> settled
///        └─may not─> refused, with what was compared
///
/// While there is a limit, a partner beyond its share (limit / partners) is refused once as many are in hand
/// as the limit says; one within its share is served even then, up to twice the limit. So who is alone has
/// all of it, and who floods is refused before others wait.
///
/// Callers owe it: `take` only at the moment at which `refusal` was nil, and one `settle` for each.
/// Source: protocol section 8, Docs/Decisions/0040.
public struct ServiceLoad: Sendable, Equatable {
    /// How a call ended that had a place.
    public enum End: Sendable {
        /// Its answer began.
        case answered
        /// It failed, its time was over, or nobody wanted it any more: it took at least so long.
        case unanswered
        /// What it took says nothing: the caller was not done with its request.
        case unmeasured
    }

    private var limit = ConcurrencyLimit()
    private var shares = PartnerShares()
    /// Calls in hand.
    public private(set) var inHand = 0
    /// Calls that were refused since the start.
    public private(set) var refusals: UInt64 = 0

    public init() {}

    /// How many calls may be in hand; nil while nothing is limited.
    public var standing: Int? { limit.standing }
    /// Who shares them.
    public var partners: Int { shares.count }
    /// What a call takes that waits for no other, in microseconds; 0 while nothing is known.
    public var baseline: Int64 { limit.baseline }

    /// Why `partner` gets no place at `now`; nil when it gets one. It changes nothing.
    public func refusal(of partner: Digest, at now: Instant) -> Refusal? {
        guard let limit = standing, inHand >= limit else { return nil }
        let active = shares.active(with: partner)
        let share = max(1, limit / active)
        let isWithin = shares.isWithin(share, partner, over: memory, at: now)
        // What others hold beyond their shares came when there was room: it is not held against who does not.
        guard !isWithin || shares.held(upTo: share) >= limit * 2 else { return nil }
        return Refusal(
            .overloaded,
            [
                Fact("calls in hand", inHand), Fact("limit", limit), Fact("partners", active),
                Fact("share of each", share), Fact("this partner's", shares.held(by: partner)),
                Fact("free again in ms", max(1, baseline / 1_000)),
            ])
    }

    /// Asks for a place: what keeps `partner` from getting one, or nil. It counts as a partner from now on.
    public mutating func ask(_ partner: Digest, at now: Instant) -> Refusal? {
        limit.wake(at: now)
        guard let refusal = refusal(of: partner, at: now) else { return nil }
        _ = shares.note(partner, over: memory, at: now)
        limit.refused(at: now)
        refusals += 1
        return refusal
    }

    /// Gives `partner` a place.
    public mutating func take(_ partner: Digest, at now: Instant) -> ServicePlace {
        let line = shares.note(partner, over: memory, at: now)
        shares.change(line, by: 1, over: memory, at: now)
        inHand += 1
        return ServicePlace(
            line: line, company: inHand, round: limit.begin(company: inHand, at: now), since: now)
    }

    /// Takes a place back.
    /// - Parameter lag: how much of the time since it was given is not the resource's, but this node's own.
    public mutating func settle(
        _ place: ServicePlace, _ end: End, at now: Instant, less lag: Duration = .zero
    ) {
        precondition(inHand > 0, "a place is given back that nobody has")
        inHand -= 1
        shares.change(place.line, by: -1, over: memory, at: now)
        let microseconds = excused(
            max(1, (now - place.since).wholeNanoseconds / 1_000), lag.wholeNanoseconds / 1_000)
        let took: Int64?
        switch end {
        case .answered: took = microseconds
        case .unanswered:
            took = microseconds.flatMap { $0 > baseline && baseline > 0 ? $0 : nil }
        case .unmeasured: took = nil
        }
        limit.end(round: place.round, company: place.company, took: took, at: now)
    }

    /// What of the time that a call took counts: what this node itself was behind excuses a call that took
    /// longer than one takes alone, and makes none quicker. While it is not known what one takes alone, a
    /// call of which that may be half says nothing.
    private func excused(_ microseconds: Int64, _ lag: Int64) -> Int64? {
        guard baseline > 0 else { return lag * 2 < microseconds ? microseconds - lag : nil }
        return max(microseconds - lag, min(microseconds, baseline))
    }

    /// Over how long a partner's calls are averaged.
    private var memory: Duration { max(.seconds(1), .microseconds(baseline * 8)) }
}

/// One call in hand at a resource.
public struct ServicePlace: Sendable, Equatable {
    fileprivate let line: Digest
    fileprivate let company: Int
    fileprivate let round: Int32
    /// Since when the resource has all that it needs.
    fileprivate var since: Instant

    /// All of the request has come only now.
    public mutating func requestCame(at now: Instant) { since = now }
}
