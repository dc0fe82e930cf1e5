import MeshBase

/// The house agreements that this node holds: for each domain that it is or was in, the newest that came.
///
///     (none) ──signed by the domain's anchor──> held ──a newer one──> held (the older is gone)
///                                               held ──anything else──> held
///
/// It spreads from member to member over their own links: each says which it holds when a link comes up or a
/// membership becomes known, and answers with its own document where the two differ. A newer one goes to all
/// members at once. So whoever is linked with one that has it has it too. Whether it is in force is not asked
/// here: a clock that is wrong must not keep a newer version out.
///
/// Callers owe it: nothing it did not check is given to `restore`. Source: protocol sections 3 and 7.
struct HouseBook: Sendable, Equatable {
    private(set) var documents = OrderedTable<DomainID, HouseDocument>()

    /// What became of a document.
    enum Reception: Equatable, Sendable {
        /// It is held already, or was replaced here.
        case known
        /// It is dated further ahead than clocks may differ: dropped, and heard of again.
        case early(Refusal)
        /// No anchor signed it.
        case invalid(Refusal)
        /// It is the newest now, in the place of this version.
        case adopted(replacing: Int64?)
    }

    /// Takes up what was stored.
    mutating func restore(_ document: HouseDocument) { documents[document.body.domain] = document }

    /// The newest of `domain`.
    func document(of domain: DomainID) -> HouseDocument? { documents[domain] }

    /// Whether `document` says nothing that is not known: asked before its signature is looked at.
    func knows(_ document: HouseDocument, using suite: some SignatureSuite) -> Bool {
        guard let held = documents[document.body.domain] else { return false }
        return !document.isNewer(than: held, using: suite)
    }

    /// Takes a document, wherever it came from.
    mutating func take(
        _ document: HouseDocument, at now: WallTime, using suite: some SignatureSuite
    ) -> Reception {
        guard !knows(document, using: suite) else { return .known }
        if let flaw = document.flaw(using: suite) { return .invalid(flaw) }
        let body = document.body
        guard body.issued <= now + Limits.clockSkewRefused else {
            return .early(
                Refusal(
                    .clockSkew,
                    [
                        Fact("agreement", body.name), Fact("version", body.version),
                        Fact("created", RFC3339.text(body.issued)), Fact("now", RFC3339.text(now)),
                    ]))
        }
        let before = documents[body.domain]?.body.version
        documents[body.domain] = document
        return .adopted(replacing: before)
    }
}
