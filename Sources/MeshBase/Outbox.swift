/// What a machine orders the world to do, in the order in which it must happen.
public struct Outbox<Effect: Sendable>: Sendable {
    @usableFromInline var effects: [Effect] = []

    @inlinable public init() {}

    /// Whether nothing was ordered.
    @inlinable public var isEmpty: Bool { effects.isEmpty }
    /// How many orders wait.
    @inlinable public var count: Int { effects.count }

    /// Adds one order behind the others. Few inputs order more than four things: room is made once.
    @inlinable public mutating func post(_ effect: consuming Effect) {
        if effects.isEmpty { effects.reserveCapacity(4) }
        effects.append(effect)
    }

    /// Adds one order before those that were posted since there were `count` of them.
    @inlinable public mutating func post(_ effect: consuming Effect, behindFirst count: Int) {
        if effects.isEmpty { effects.reserveCapacity(4) }
        effects.insert(effect, at: count)
    }

    /// Takes everything out, in order.
    @inlinable public mutating func drain() -> [Effect] {
        let taken = effects
        effects = []
        return taken
    }
}

extension Outbox: Equatable where Effect: Equatable {}
