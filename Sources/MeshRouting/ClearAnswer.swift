import MeshBase

extension InvocationAnswer {
    /// What a consumer takes of this answer when it came in clear to a sealed call; nil: nothing, an honest
    /// provider seals it.
    ///
    /// What a provider says before it opens a call cannot be sealed, and then nothing has happened yet. Any
    /// other refusal is made behind the seal: one in clear may come from whoever stands between, after the
    /// provider did what was asked, so it never says that nothing happened (Docs/Protocol.md, Sealed
    /// payloads).
    public var takenInClear: InvocationAnswer? {
        guard case .refused(let refusals, let effect) = self else { return nil }
        let isEarly = !refusals.isEmpty && refusals.allSatisfy(\.code.isSaidBeforeOpening)
        return .refused(refusals, effect: isEarly ? effect : .possible)
    }
}

extension RefusalCode {
    /// Whether a provider says it before it opens a sealed call.
    fileprivate var isSaidBeforeOpening: Bool { Self.saidBeforeOpening.contains(self) }

    private static let saidBeforeOpening: Set<RefusalCode> = [
        .draining, .overloaded, .tooManyCalls, .peerNotFound, .peerNotTrusted, .peerSuspended,
        .peerRevoked, .encryptionKeyUnknown, .sealBroken,
    ]
}
