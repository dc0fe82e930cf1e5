/// What a check ends in: what it let through, or why not. A refusal is a result, so nothing is thrown.
public enum Ruling<Value: Sendable>: Sendable {
    /// It passes, and this is what the check found.
    case allowed(Value)
    /// It does not.
    case refused(Refusal)
}

extension Ruling: Equatable where Value: Equatable {}
