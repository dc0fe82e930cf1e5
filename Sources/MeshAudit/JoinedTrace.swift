import MeshBase

/// One call as all who hold a part of it tell it: this node's own events joined with the halves that its
/// peers answered.
public struct JoinedTrace: Equatable, Sendable {
    /// The call.
    public let correlation: CorrelationID
    /// The event that closes the call, when its originator told it.
    public let closing: AuditEvent?
    /// Its attempts by consumer, number and provider.
    public let parts: [TracePart]
    /// Peers that were asked and gave nothing, with the reason.
    public let absentees: [TraceAbsentee]
    /// Events that a peer sent and could not know, or not of this call: not believed, only counted.
    public let disregarded: Int

    /// Whether every attempt is told by both sides, and alike.
    public var isComplete: Bool { parts.allSatisfy { $0.verdict == .agreed } }

    /// - Parameters:
    ///   - own: this node's events under `correlation`.
    ///   - halves: what the other nodes answered, each under the identity that its link proved.
    public init(correlation: CorrelationID, node: NodeID, own: [AuditEvent], halves: [TraceHalf]) {
        var parts = OrderedTable<PartKey, PartSides>()
        var closing: AuditEvent?
        var disregarded = 0
        var absentees: [TraceAbsentee] = []
        func take(_ event: AuditEvent, from teller: NodeID) {
            guard event.correlation == correlation, event.isTold(by: teller) else {
                disregarded += 1
                return
            }
            let key = PartKey(source: event.source, attempt: event.attempt, target: event.target)
            switch event.type {
            case .call: closing = closing ?? event
            case .attempt:
                parts[key, default: PartSides()].consumer = parts[key]?.consumer ?? event
            case .service:
                parts[key, default: PartSides()].provider = parts[key]?.provider ?? event
            case .trust, .link, .agreement, .breaker, .administration, .node: disregarded += 1
            }
        }
        for event in own { take(event, from: node) }
        for half in halves {
            switch half.answer {
            case .told(let events): for event in events { take(event, from: half.node) }
            case .absent(let reason): absentees.append(TraceAbsentee(node: half.node, reason: reason))
            }
        }
        self.correlation = correlation
        self.closing = closing
        self.parts = zip(parts.keys, parts.values).map { key, sides in
            TracePart(attempt: key.attempt, source: key.source, target: key.target, sides: sides)
        }
        self.absentees = absentees
        self.disregarded = disregarded
    }
}

/// What one peer answered when it was asked for its half.
public struct TraceHalf: Equatable, Sendable {
    /// Who, as its link proved.
    public let node: NodeID
    /// What it told, or why nothing.
    public let answer: TraceAnswer

    public init(node: NodeID, answer: TraceAnswer) {
        self.node = node
        self.answer = answer
    }
}

/// A peer's half, or its absence.
public enum TraceAnswer: Equatable, Sendable {
    /// Its events; none, when it says that it holds none.
    case told([AuditEvent])
    /// Not reached, refused, too late.
    case absent(Refusal)
}

/// A peer whose half is missing.
public struct TraceAbsentee: Equatable, Sendable {
    /// Who.
    public let node: NodeID
    /// Why.
    public let reason: Refusal
}

/// One attempt, from both sides.
public struct TracePart: Equatable, Sendable {
    /// Counts from 1.
    public let attempt: UInt8
    /// The consumer's node.
    public let source: NodeID
    /// The provider's node.
    public let target: NodeID
    /// The consumer's event; nil when it is missing.
    public let consumer: AuditEvent?
    /// The provider's event; nil when it is missing.
    public let provider: AuditEvent?
    /// Whether the two say the same.
    public let verdict: TraceVerdict

    fileprivate init(attempt: UInt8, source: NodeID, target: NodeID, sides: PartSides) {
        self.attempt = attempt
        self.source = source
        self.target = target
        consumer = sides.consumer
        provider = sides.provider
        switch (sides.consumer, sides.provider) {
        case (let consumer?, let provider?):
            let found = consumer.disagreements(with: provider)
            verdict = found.isEmpty ? .agreed : .disagreed(found)
        case (.some, nil): verdict = .missing(.provider, node: target)
        case (nil, _): verdict = .missing(.consumer, node: source)
        }
    }
}

/// What the two sides of an attempt say together.
public enum TraceVerdict: Equatable, Sendable {
    /// Both tell it alike.
    case agreed
    /// One side's event is not there: not reached, not told, or not kept any more.
    case missing(TraceSide, node: NodeID)
    /// They tell it differently.
    case disagreed([TraceDisagreement])
}

/// The two sides of an attempt.
public enum TraceSide: String, Equatable, Sendable, Codable {
    /// Who asked.
    case consumer
    /// Who was asked.
    case provider
}

/// One thing that the two sides tell differently.
public struct TraceDisagreement: Equatable, Sendable {
    /// `success`, `capability`, `request digest` and so on.
    public let field: String
    /// As the consumer tells it.
    public let consumer: String
    /// As the provider tells it.
    public let provider: String
}

private struct PartKey: Comparable, Sendable {
    let source: NodeID
    let attempt: UInt8
    let target: NodeID
    static func < (left: Self, right: Self) -> Bool {
        (left.source, left.attempt, left.target) < (right.source, right.attempt, right.target)
    }
}

private struct PartSides: Equatable, Sendable {
    var consumer: AuditEvent?
    var provider: AuditEvent?
}

extension OrderedTable {
    fileprivate subscript(key: Key, default value: Value) -> Value {
        get { self[key] ?? value }
        set { self[key] = newValue }
    }
}

extension AuditEvent {
    /// Whether this is an event that `teller` holds itself: as the consumer its attempts and calls, as the
    /// provider what it served.
    fileprivate func isTold(by teller: NodeID) -> Bool {
        type == .service ? target == teller : source == teller
    }

    /// What a provider's event of the same attempt says differently. What only one side knows is not
    /// compared.
    fileprivate func disagreements(with provider: AuditEvent) -> [TraceDisagreement] {
        var found: [TraceDisagreement] = []
        func compare(_ field: String, _ left: String?, _ right: String?) {
            guard let left, let right, left != right else { return }
            found.append(TraceDisagreement(field: field, consumer: left, provider: right))
        }
        // Who waits no more does not know how it ended: another attempt was quicker, or the application left.
        let hasWaited = refusals.first?.code != .cancelled
        compare("success", hasWaited ? "\(success)" : nil, "\(provider.success)")
        compare("resource", resource?.description ?? "none", provider.resource?.description ?? "none")
        compare("capability", capability?.description ?? "none", provider.capability?.description ?? "none")
        compare("principal", principal?.description ?? "none", provider.principal?.description ?? "none")
        compare("agreement", agreement?.description, provider.agreement?.description)
        compare("request digest", requestDigest?.description, provider.requestDigest?.description)
        compare("answer digest", answerDigest?.description, provider.answerDigest?.description)
        compare("status", status.map { "\($0)" }, provider.status.map { "\($0)" })
        return found
    }
}
