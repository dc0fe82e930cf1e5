import MeshBase

/// When this node's key for sealed payloads is renewed, and how long the one before still opens what was
/// sealed to it (Docs/Protocol.md, Sealed payloads).
///
///     none ──ordered, made──> held ──30 days──> ordered, made──> held with the previous
///                              ^                                        │
///                              └────────────── one day, dropped ────────┘
///
/// The keys are made and kept by the shell, which alone sees their private parts; here stands which are
/// there. A clock that fell behind the key's date renews it as well, as what was made in the future would
/// never end. An order that is not carried out is given again after a while. Callers owe it a look at
/// `nextDeadline`, which is never far: wall clocks jump.
struct EncryptionTerm: Equatable, Sendable {
    /// What the shell is to do.
    enum Order: Equatable, Sendable {
        case make, dropPrevious
    }

    private(set) var held: HeldEncryptionKeys?
    /// When to look again.
    private(set) var nextDeadline: Instant = .zero

    private static var look: Duration { .seconds(3600) }

    init(_ held: HeldEncryptionKeys?) { self.held = held }

    /// What is due, and when to look again.
    mutating func next(at now: Moment) -> Order? {
        nextDeadline = now.instant + Self.look
        guard let held else { return .make }
        let age = now.wall - held.made
        if age >= Limits.encryptionKeyLife || age < .zero - Limits.clockSkewRefused { return .make }
        if held.previous != nil && age >= Limits.encryptionKeyOverlap { return .dropPrevious }
        let left = (held.previous == nil ? Limits.encryptionKeyLife : Limits.encryptionKeyOverlap) - age
        nextDeadline = now.instant + min(left, Self.look)
        return nil
    }

    /// The shell has carried it out: these are there now.
    mutating func keep(_ held: HeldEncryptionKeys) { self.held = held }
}
