import MeshBase

/// One handshake, and since when it runs.
struct RunningHandshake: Equatable, Sendable {
    var handshake: Handshake
    /// When it began, or went on after people had compared words.
    var began: Instant
    /// Since when people compare words; nil while they do not.
    var comparing: Instant?

    /// What it is refused for when nothing came in time.
    func lateness(at now: Instant) -> Refusal {
        let waited = Fact("waited", "\((now - (comparing ?? began)).wholeMilliseconds) ms")
        return Refusal(comparing == nil ? .handshakeTimeout : .pairingTimeout, [waited])
    }

    /// By when the next step is due.
    mutating func deadline(at now: Instant) -> Instant {
        if handshake.isComparing {
            let since = comparing ?? now
            comparing = since
            return since + Limits.pairingDecision
        }
        if comparing != nil { began = now }
        comparing = nil
        return min(now + Limits.handshakeMessageTime, began + Limits.handshakeTime)
    }
}

/// Somebody who proved an invite's secret and waits for the operator's yes.
struct AwaitedConsent: Equatable, Sendable {
    let connection: ConnectionID
    let pin: Pin
}
