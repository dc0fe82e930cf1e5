import MeshAgreements
import MeshBase

/// One thing that two nodes believe otherwise about themselves, in words for people.
public struct BeliefDifference: Equatable, Sendable {
    /// What it is about: `agreement 0190… over orders`, `the peer's key`.
    public let subject: String
    /// The agreement that it is about; nil: none.
    public let agreement: AgreementID?
    /// What this node believes: `v3 until 2027-02-01T00:00:00.000Z, active`.
    public let here: String
    /// What the peer does.
    public let there: String
    /// Whether the peer's store holds it otherwise than it was signed: nothing of it is honoured there.
    var isDamagedThere = false

    /// As many as are kept and shown.
    public static let countMax = 32
}

extension Beliefs {
    /// In what a peer's beliefs differ from these, the weightiest first: keys, domain, agreements by id. What
    /// either holds that is over, or will be before two clocks must agree on that, is no difference: the
    /// other may have it over and forgotten.
    func differences(from theirs: Beliefs, at now: WallTime) -> [BeliefDifference] {
        var found: [BeliefDifference] = []
        func compare(
            _ subject: String, _ here: String, _ there: String, about id: AgreementID? = nil,
            isDamagedThere: Bool = false
        ) {
            guard here != there else { return }
            found.append(
                BeliefDifference(
                    subject: subject, agreement: id, here: here, there: there, isDamagedThere: isDamagedThere
                ))
        }
        compare("this node's key", mine.description, theirs.yours.description)
        compare("the peer's key", yours.description, theirs.mine.description)
        compare(
            "the domain whose records both see", domain?.description ?? "none",
            theirs.domain?.description ?? "none")
        let (here, there) = (byID(signed: theirs), theirs.byID(signed: self))
        for id in Set(here.keys + there.keys).sorted() {
            let (own, other) = (here[id] ?? [], there[id] ?? [])
            guard differs(own, other, at: now) else { continue }
            let names = Set((own + other).flatMap(\.resources)).sorted().prefix(
                BelievedAgreement.resourcesMax)
            let over = names.isEmpty ? "" : " over " + names.map(\.description).joined(separator: ", ")
            compare(
                "agreement \(id)\(over)", Self.words(own), Self.words(other), about: id,
                isDamagedThere: other.contains { $0.standing == .damaged })
        }
        return Array(found.prefix(BeliefDifference.countMax))
    }

    /// What is damaged counts for the agreement that the other side holds under the same content id: what
    /// else the store says of it may be as wrong as the rest.
    private func byID(signed other: Beliefs) -> OrderedTable<AgreementID, [BelievedAgreement]> {
        var signed = OrderedTable<Digest, AgreementID>()
        for agreement in other.agreements where agreement.standing != .damaged {
            signed[agreement.contentID] = agreement.id
        }
        var table = OrderedTable<AgreementID, [BelievedAgreement]>()
        for agreement in agreements {
            let isDamaged = agreement.standing == .damaged
            let id = isDamaged ? signed[agreement.contentID] ?? agreement.id : agreement.id
            table[id] = (table[id] ?? []) + [agreement]
        }
        return table
    }

    private func differs(
        _ own: [BelievedAgreement], _ other: [BelievedAgreement], at now: WallTime
    ) -> Bool {
        func open(_ list: [BelievedAgreement]) -> [String] {
            list.filter { $0.standing.isOpen && now + Limits.clockSkewRefused < $0.until }
                .map { "\($0.version) \($0.contentID) \($0.standing.rawValue)" }.sorted()
        }
        return open(own) != open(other)
    }

    /// What one side holds of one agreement: what is open and what is damaged, else the newest of the rest.
    private static func words(_ list: [BelievedAgreement]) -> String {
        let weighty = list.filter { $0.standing.isOpen || $0.standing == .damaged }
        let told = weighty.isEmpty ? list.max { $0.version < $1.version }.map { [$0] } ?? [] : weighty
        guard !told.isEmpty else { return "nothing" }
        return told.sorted { $0.version < $1.version }.map { agreement in
            let content = "content \(agreement.contentID.description.prefix(12))"
            let time = "v\(agreement.version) until \(RFC3339.text(agreement.until))"
            return switch agreement.standing {
            case .offered: "\(time), offered, \(content)"
            case .signed: "\(time), signed, approvals missing, \(content)"
            case .active: "\(time), active, \(content)"
            case .ended: "v\(agreement.version), ended, \(content)"
            case .damaged: "v\(agreement.version), damaged in the store and not honoured, \(content)"
            }
        }.joined(separator: "; ")
    }
}
