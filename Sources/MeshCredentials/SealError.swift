/// Why something sealed was not opened, or nothing could be sealed. No case carries what was inside.
public enum SealError: Error, Equatable, Sendable, CaseIterable {
    /// The private part of the key to which it was sealed is not here, or no more.
    case keyUnknown
    /// The key is no point to which anything could be sealed.
    case keyUnusable
    /// It is not what was sealed, or not sealed for this place: another call, direction, order or head.
    case notOpened
    /// A record's header says what no honest node writes.
    case recordMalformed
    /// Something came behind the last record.
    case beyondEnd
    /// The end came before the last record.
    case truncated
    /// More records than one key may seal.
    case tooManyRecords
}
