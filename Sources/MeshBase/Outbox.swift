/// What a machine orders the world to do, in the order in which it must happen.
public struct Outbox<Effect: Sendable>: Sendable {
    private var effects: [Effect] = []

    public init() {}

    /// Whether nothing was ordered.
    public var isEmpty: Bool { effects.isEmpty }
    /// How many orders wait.
    public var count: Int { effects.count }

    /// Adds one order behind the others.
    public mutating func post(_ effect: Effect) { effects.append(effect) }

    /// Adds one order before those that were posted since there were `count` of them.
    public mutating func post(_ effect: Effect, behindFirst count: Int) { effects.insert(effect, at: count) }

    /// Takes everything out, in order, and keeps the room for what comes next.
    public mutating func drain() -> [Effect] {
        let taken = effects
        effects.removeAll(keepingCapacity: true)
        return taken
    }
}

extension Outbox: Equatable where Effect: Equatable {}
