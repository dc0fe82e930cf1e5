import MeshBase

/// A paper that the anchor is asked to sign.
struct PaperInTheMaking: Equatable, Sendable {
    enum What: Equatable, Sendable {
        case bundle(DomainBundle)
        /// For the first of the orders that wait.
        case decision(Partnerships)
        /// What was decided already, with a date that counts.
        case redated(Partnerships)
    }

    let what: What
    let payload: Octets

    var bundle: DomainBundle? { if case .bundle(let body) = what { body } else { nil } }
    var isRedated: Bool { if case .redated = what { true } else { false } }
}

/// What an operator ordered, and who waits for it: as many as there are commands under way.
struct PendingPartnerOrder: Equatable, Sendable {
    let order: PartnerOrder
    let ticket: Ticket
}
