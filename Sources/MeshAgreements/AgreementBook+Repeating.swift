import MeshBase

/// What a peer has not said that it has, said again on a link that stays up.
///
///     (nothing unheard) ──approval or revocation said, or link-up with one──> waiting
///     waiting ──due──> said again, then twice as late ──`wordRepeats` times──> until the next link-up
///        └──all heard, or the trust gone──> (nothing unheard)
///
/// Frames are not lost on a link; an answer fails to come where the peer had no check to spare or another
/// clock. Only the sending is repeated: whether the link is up is not asked; what is said without is lost.
extension AgreementBook {
    /// When a peer is told again what it has not said that it has.
    struct Repeating: Sendable, Equatable {
        /// How often it was told again since the link came up, or since the first word.
        var count = 0
        /// When it is told next.
        var due: Instant
    }

    /// A link came up, on which all that is unheard has just been said.
    mutating func beginRepeating(to peer: NodeID, at now: Instant) {
        files.update(peer) { $0.repeating = nil }
        waitForAnswer(of: peer, at: now)
    }

    /// Something was said that is to be answered.
    mutating func waitForAnswer(of peer: NodeID, at now: Instant) {
        guard let file = files[peer], file.key != nil, file.isUnheard(from: me) else { return }
        if let repeating = file.repeating, repeating.count < AgreementLimits.wordRepeats { return }
        let due = now + AgreementLimits.wordRepeatFirst
        files.update(peer) { $0.repeating = Repeating(due: due) }
        nextRepeat = min(nextRepeat ?? due, due)
    }

    /// Says again what is due.
    mutating func repeatWords(at now: Moment, into effects: inout Outbox<AgreementEffect>) {
        guard let next = nextRepeat, next <= now.instant else { return }
        var following: Instant?
        for (peer, file) in files {
            guard var repeating = file.repeating else { continue }
            if repeating.due <= now.instant {
                guard file.key != nil, file.isUnheard(from: me) else {
                    files.update(peer) { $0.repeating = nil }
                    continue
                }
                // It stays at the end of its count: a link-up begins anew, or another word.
                guard repeating.count < AgreementLimits.wordRepeats else { continue }
                repeatRevocations(to: peer, into: &effects)
                sayUnheard(to: peer, at: now.wall, into: &effects)
                repeating.count += 1
                repeating.due = now.instant + AgreementLimits.wordRepeatFirst * (1 << repeating.count)
                files.update(peer) { $0.repeating = repeating }
                guard repeating.count < AgreementLimits.wordRepeats else { continue }
            }
            following = min(following ?? repeating.due, repeating.due)
        }
        nextRepeat = following
    }
}

extension AgreementBook {
    /// Whether something waits for a link with `peer`: an offer that it has not answered, or an approval or a
    /// revocation that it has not said that it has.
    public func hasUnheard(for peer: NodeID, at now: WallTime) -> Bool {
        guard let file = files[peer], file.key != nil else { return false }
        return file.isUnheard(from: me) || file.records.values.contains { $0.isUnanswered(at: now) }
    }
}

extension AgreementBook.PeerFile {
    /// Whether the peer has yet to say that it has an approval or a revocation of `me`'s.
    func isUnheard(from me: NodeID) -> Bool {
        records.values.contains { record in
            if case .ended(.revoked(let document, isHeard: false)) = record.state {
                return document.body.revokedBy == me
            }
            return record.isStillTold && record.approvals.contains { !$0.isHeard }
        }
    }
}

extension AgreementRecord {
    /// Whether what people say of it still matters to the other party.
    var isStillTold: Bool { isOpen || state == .ended(.vetoed) }

    /// Whether this node offered it, and the other party's answer is awaited.
    func isUnanswered(at now: WallTime) -> Bool {
        state == .offered && origin != .peer && agreement.validUntil > now
    }
}
