import MeshBase
import MeshGossip
import MeshTrust

/// What two nodes found of their ways to one another.
public struct ReachFindings: Equatable, Sendable {
    /// Where the peer tried to reach this node; empty when it did not try.
    public let inbound: [ReachAttempt]
    /// Where this node tried to reach the peer; empty when the peer did not say in time where it listens.
    public let outbound: [ReachAttempt]
}

/// One place that was dialled.
public struct ReachAttempt: Codable, Equatable, Sendable {
    /// Where.
    public let endpoint: Endpoint
    /// Why it failed; nil when the node that was meant answered, and proved it.
    public let because: RefusalCode?

    public init(endpoint: Endpoint, because: RefusalCode?) {
        self.endpoint = endpoint
        self.because = because
    }
}

/// Asks the receiver to dial where the sender said on this link that it listens. It names no place: nobody
/// can send a peer to a third.
public struct ReachRequest: Codable, Equatable, Sendable {
    /// Ties the answer to the question, over whichever links it takes: when one was replaced, the question
    /// is asked again with its number. It is drawn, so that who began anew does not repeat an old one.
    public let number: Int64

    public init(number: Int64) { self.number = number }
}

/// What the dials came to.
public struct ReachAnswer: Codable, Equatable, Sendable {
    /// The question's.
    public let number: Int64
    /// One for each place; empty when none was dialled, as when it was asked too often.
    public let attempts: [ReachAttempt]

    public init(number: Int64, attempts: [ReachAttempt]) {
        self.number = number
        self.attempts = attempts
    }
}

/// The dials that prove who reaches whom: this node's own, and those that a peer asked for.
///
///     asked here --> own round: dials where the peer says it listens, and asks it to do the same, again on
///                    each link that comes up until it is answered
///     asked by a peer --> round for it: dials where that peer says it listens, answers with what it found
///     asked that again --> the round goes on, or what was answered is said again, without a dial
///
/// When the link is so new that the peer has not said where it listens, either waits for that. What is sent
/// just before another connection replaces the link is lost, and neither end knows.
///
/// A dial ends as soon as TLS shows whose certificate answers, with the identity key's statement in it; no
/// message is sent, and no link is made. A peer's question is taken once in `interval`, one at a time; the
/// places are those that it told on its link, at most `1 + ListeningNotice.advertisedMax`.
struct ReachBook: Equatable, Sendable {
    /// Who waits for a round.
    enum Purpose: Equatable, Sendable {
        case own(Ticket)
        case asked(number: Int64)
    }

    struct Round: Equatable, Sendable {
        let peer: NodeID
        let purpose: Purpose
        let deadline: Instant
        /// Whether the peer had said where it listens.
        var wasDialled = false
        var waiting = OrderedTable<ConnectionID, Endpoint>()
        var attempts: [ReachAttempt] = []
        /// What the peer answered; nil while it has not.
        var inbound: [ReachAttempt]?
    }

    /// The last question that was taken of a peer.
    struct Question: Equatable, Sendable {
        let number: Int64
        /// Nil while the round for it is under way.
        var answer: [ReachAttempt]?
    }

    /// What a question is answered with.
    enum Response: Equatable, Sendable {
        case dial
        /// The round for it is under way.
        case wait
        case say([ReachAttempt])
    }

    /// How often a peer may ask, and how long what it was answered is kept.
    static let interval: Duration = .seconds(10)
    /// Rounds under way.
    static let roundsMax = 16
    /// How long a round may take: connecting and TLS, there and here.
    static let patience: Duration = .seconds(8)
    /// Places that one peer may have told.
    static let placesMax = 1 + ListeningNotice.advertisedMax

    /// Where peers with a link say that they listen.
    var told = OrderedTable<NodeID, [Endpoint]>()
    var rounds = OrderedTable<Int64, Round>()
    /// Of peers that asked within `interval`, or a little longer while none asks.
    private(set) var asked = OrderedTable<NodeID, Question>()
    private var forgetting = Deadlines<NodeID>()

    var nextDeadline: Instant? { rounds.values.map(\.deadline).min() }

    /// Takes a question of `peer`, unless it asked another of late; the same one costs no dial.
    mutating func take(_ request: ReachRequest, of peer: NodeID, at now: Instant) -> Response {
        while let other = forgetting.takeDue(at: now) { asked[other] = nil }
        if let last = asked[peer] {
            guard last.number == request.number else { return .say([]) }
            return last.answer.map(Response.say) ?? .wait
        }
        guard rounds.count < Self.roundsMax else { return .say([]) }
        asked[peer] = Question(number: request.number)
        forgetting.set(peer, at: now + Self.interval)
        return .dial
    }

    /// Keeps what `peer` was answered, for when it did not hear it.
    mutating func keep(_ answer: ReachAnswer, to peer: NodeID) {
        asked.update(peer) { question in
            if question.number == answer.number { question.answer = answer.attempts }
        }
    }

    /// The link is gone, and what was told on it. What was asked stays: the link may come back.
    mutating func linkEnded(with peer: NodeID) { told[peer] = nil }

    /// Forgets what was found for who is trusted no more; that it asked stays, or trust that comes and goes
    /// had this node dial each time.
    mutating func forget(_ peer: NodeID) { asked.update(peer) { $0.answer = [] } }

    /// The questions to `peer` that it has not answered.
    func unanswered(by peer: NodeID) -> [ReachRequest] {
        rounds.compactMap { number, round in
            guard round.peer == peer, case .own = round.purpose, round.inbound == nil else { return nil }
            return ReachRequest(number: number)
        }
    }

    /// A dial is over; the number of its round, or nil when it is of none.
    mutating func conclude(_ connection: ConnectionID, _ because: RefusalCode?) -> Int64? {
        guard let (number, _) = rounds.first(where: { $0.1.waiting[connection] != nil }) else { return nil }
        rounds.update(number) { round in
            guard let endpoint = round.waiting.remove(connection) else { return }
            round.attempts.append(ReachAttempt(endpoint: endpoint, because: because))
        }
        return number
    }

    /// The peer answered; the number of the round, or nil when it was not asked.
    mutating func hear(_ answer: ReachAnswer, from peer: NodeID) -> Int64? {
        guard let round = rounds[answer.number], round.peer == peer, case .own = round.purpose,
            round.inbound == nil
        else { return nil }
        rounds.update(answer.number) { $0.inbound = Array(answer.attempts.prefix(Self.placesMax)) }
        return answer.number
    }

    /// Takes a round that has all its answers.
    mutating func takeIfDone(_ number: Int64) -> Round? {
        guard let round = rounds[number], round.wasDialled, round.waiting.isEmpty else { return nil }
        if case .own = round.purpose, round.inbound == nil { return nil }
        return rounds.remove(number)
    }

    /// Takes a round whose time is over.
    mutating func takeLate(at now: Instant) -> Round? {
        guard let (number, _) = rounds.first(where: { $0.1.deadline <= now }) else { return nil }
        return rounds.remove(number)
    }
}

// Proving who reaches whom.
extension Node {
    mutating func proveReach(
        of peer: NodeID, _ ticket: Ticket, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        let refusal: Refusal? =
            if reach.rounds.count >= ReachBook.roundsMax {
                Refusal(
                    .limitReached,
                    [
                        Fact("proofs of reach under way", reach.rounds.count),
                        Fact("limit", ReachBook.roundsMax),
                    ])
            } else {
                nil
            }
        if let refusal { return effects.post(.answer(ticket, .refused([refusal]))) }
        let number = beginRound(with: peer, .own(ticket), at: now, into: &effects)
        send(.reachRequest(ReachRequest(number: number)), to: peer, into: &effects)
    }

    mutating func hear(
        _ request: ReachRequest, from peer: NodeID, at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        switch reach.take(request, of: peer, at: now.instant) {
        case .dial:
            let number = beginRound(with: peer, .asked(number: request.number), at: now, into: &effects)
            finishRound(number, into: &effects)
        case .wait: break
        case .say(let attempts):
            let answer = ReachAnswer(number: request.number, attempts: attempts)
            send(.reachAnswer(answer), to: peer, into: &effects)
        }
    }

    /// A link came up, perhaps in place of one on which a question or its answer was lost.
    mutating func askAgain(_ peer: NodeID, into effects: inout Outbox<NodeEffect>) {
        for request in reach.unanswered(by: peer) { send(.reachRequest(request), to: peer, into: &effects) }
    }

    mutating func hear(
        _ answer: ReachAnswer, from peer: NodeID, into effects: inout Outbox<NodeEffect>
    ) {
        guard let number = reach.hear(answer, from: peer) else { return }
        finishRound(number, into: &effects)
    }

    private mutating func beginRound(
        with peer: NodeID, _ purpose: ReachBook.Purpose, at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) -> Int64 {
        var number: Int64
        repeat { number = Int64(generator.number(below: 1 << 53)) } while reach.rounds[number] != nil
        reach.rounds[number] = ReachBook.Round(
            peer: peer, purpose: purpose, deadline: now.instant + ReachBook.patience)
        probe(number, into: &effects)
        return number
    }

    /// Dials wherever the peer of this round says that it listens.
    private mutating func probe(_ number: Int64, into effects: inout Outbox<NodeEffect>) {
        guard let peer = reach.rounds[number]?.peer, let places = reach.told[peer] else { return }
        reach.rounds.update(number) { $0.wasDialled = true }
        for endpoint in places {
            let connection = newConnection()
            connections[connection] = .probe(peer)
            reach.rounds.update(number) { $0.waiting[connection] = endpoint }
            effects.post(.dial(connection, endpoint, .peering))
        }
    }

    /// A peer says where it listens; rounds that began before it did go on.
    mutating func learn(_ places: [Endpoint], of peer: NodeID, into effects: inout Outbox<NodeEffect>) {
        let isFirst = reach.told[peer] == nil
        reach.told[peer] = places
        guard isFirst else { return }
        for (number, round) in reach.rounds where round.peer == peer && !round.wasDialled {
            probe(number, into: &effects)
        }
    }

    /// TLS is up on a dial that only looks who is there.
    mutating func probed(
        _ connection: ConnectionID, _ peer: NodeID, _ secured: SecuredConnection,
        into effects: inout Outbox<NodeEffect>
    ) {
        effects.post(.close(connection, nil))
        guard let number = reach.conclude(connection, secured.refusal(unlessOf: peer, using: suite)) else {
            return
        }
        finishRound(number, into: &effects)
    }

    mutating func probeClosed(_ connection: ConnectionID, into effects: inout Outbox<NodeEffect>) {
        guard let number = reach.conclude(connection, .peerUnreachable) else { return }
        finishRound(number, into: &effects)
    }

    mutating func endLateRounds(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        while var round = reach.takeLate(at: now.instant) {
            for (connection, endpoint) in round.waiting {
                effects.post(.close(connection, .peerUnreachable))
                round.attempts.append(ReachAttempt(endpoint: endpoint, because: .peerUnreachable))
            }
            tell(of: round, into: &effects)
        }
    }

    private mutating func finishRound(_ number: Int64, into effects: inout Outbox<NodeEffect>) {
        guard let round = reach.takeIfDone(number) else { return }
        tell(of: round, into: &effects)
    }

    private mutating func tell(of round: ReachBook.Round, into effects: inout Outbox<NodeEffect>) {
        switch round.purpose {
        case .own(let ticket):
            let findings = ReachFindings(inbound: round.inbound ?? [], outbound: round.attempts)
            effects.post(.answer(ticket, .reached(findings)))
        case .asked(let number):
            let answer = ReachAnswer(number: number, attempts: round.attempts)
            reach.keep(answer, to: round.peer)
            send(.reachAnswer(answer), to: round.peer, into: &effects)
        }
    }
}
