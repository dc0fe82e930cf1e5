import MeshBase

/// Whether somebody else has confirmed this machine's clock.
///
/// A handshake compares both clocks and refuses a difference of 300 s, so that a link that came up says that
/// the clock was right then; the monotonic clock says whether it was set since. What a wrong clock would
/// destroy for good (the audit's past, idempotency keys) is removed by age only under such a witness. Without
/// one it stays, within the journal's bound in bytes.
struct ClockWitness: Sendable, Equatable {
    /// Both clocks when a link came up last.
    private var agreed: Moment?

    /// A link with a trusted peer came up.
    mutating func agreed(at now: Moment) { agreed = now }

    /// Whether the clock still says what was agreed to.
    func vouches(at now: Moment) -> Bool {
        guard let agreed else { return false }
        let difference = (now.wall - agreed.wall) - (now.instant - agreed.instant)
        return difference < Limits.clockSkewRefused && difference > .zero - Limits.clockSkewRefused
    }
}
