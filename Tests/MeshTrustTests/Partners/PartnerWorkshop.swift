import MeshBase
import MeshSimulator

@testable import MeshTrust

// Two organisations' papers, right or wrong.
extension DomainWorkshop {
    var home: HomeDomain {
        HomeDomain(domain: domain, label: NodeName("home")!, chain: chain(of: SimulatedKey(1)))
    }

    func bundle(
        _ sequence: Int64 = 1, keys: [SimulatedKey]? = nil, of other: DomainID? = nil,
        by signer: SimulatedKey? = nil, label: String = "acme"
    ) -> Signed<DomainBundle> {
        let keys = (keys ?? [anchor]).map { key in
            BundleKey(
                key: key.publicKey, certificate: Octets(Array("certificate".utf8) + key.publicKey.info.bytes))
        }
        return (signer ?? anchor).sign(
            DomainBundle(
                domain: other ?? domain, label: NodeName(label)!, issued: now, sequence: sequence, keys: keys)
        )
    }

    /// This domain as another confirmed it.
    func partner(
        _ bundle: Signed<DomainBundle>? = nil, roles: [DomainRole]? = nil
    ) -> Partner {
        let bundle = bundle ?? self.bundle()
        return Partner(
            domain: domain, label: bundle.body.label, roles: roles.flatMap { RoleList($0) },
            sequence: bundle.body.sequence, bundle: bundle.contentID(using: SimulatedSuite()),
            keys: bundle.body.keys.map(\.key))
    }

    func decision(
        _ sequence: Int64 = 1, _ partners: [Partner], issued: WallTime? = nil, by signer: SimulatedKey? = nil
    ) -> Signed<Partnerships> {
        (signer ?? anchor).sign(
            Partnerships(
                domain: domain, sequence: sequence, issued: issued ?? now,
                partners: partners.sorted { $0.domain < $1.domain }))
    }

    func offer(_ bundle: Signed<DomainBundle>? = nil) -> BundleOffer {
        BundleOffer(bundle ?? self.bundle(), using: SimulatedSuite())
    }

    /// What is taken of a file that nobody signed.
    var bareOffer: BundleOffer {
        BundleOffer(
            bare: anchor.publicKey, label: NodeName("bare")!, content: SimulatedSuite().digest([1]),
            using: SimulatedSuite())
    }
}

extension PartnerBook {
    mutating func take(_ bundle: Signed<DomainBundle>, at home: DomainWorkshop) -> Reception {
        take(bundle, home: home.home, using: SimulatedSuite())
    }

    mutating func take(
        _ decision: Signed<Partnerships>, at home: DomainWorkshop, now: WallTime? = nil
    ) -> Reception {
        take(decision, home: home.home, at: now ?? home.now, using: SimulatedSuite())
    }
}

extension PartnerBook.Reception {
    var code: RefusalCode? { if case .refused(let refusal) = self { refusal.code } else { nil } }
    var isAdopted: Bool { if case .adopted = self { true } else { false } }
}

extension TrustTable {
    /// Carries what the parties tell one another over their links until nobody says anything.
    mutating func carry(among some: [Int]? = nil) {
        for _ in 0..<50 {
            var messages: [(Int, Int, DomainMessage)] = []
            for from in parties.indices {
                for (node, message) in parties[from].spoken {
                    guard let to = parties.firstIndex(where: { $0.node == node }),
                        some.map({ $0.contains(from) && $0.contains(to) }) ?? true
                    else { continue }
                    messages.append((from, to, message))
                }
                parties[from].spoken = []
            }
            guard !messages.isEmpty else { return }
            for (from, to, message) in messages {
                handle(to, .domainMessageArrived(parties[from].node, message))
            }
        }
    }

    /// Orders something of a party's domain, whose anchor may take its time.
    mutating func ask(_ index: Int, _ order: PartnerOrder) -> Ticket {
        let asked = ticket()
        handle(index, .partnerOrdered(asked, order))
        return asked
    }

    /// Orders something of a party's domain; the answer.
    @discardableResult
    mutating func order(_ index: Int, _ order: PartnerOrder) -> TrustAnswer? {
        let asked = ask(index, order)
        return parties[index].answers[asked]
    }

    /// What was refused of papers, by a party's own record.
    func papersRefused(_ index: Int) -> [RefusalCode] {
        parties[index].events.compactMap { event in
            if case .paperRefused(_, let refusal) = event { refusal.code } else { nil }
        }
    }

    /// What a party wrote down about domains.
    func domainEvents(_ index: Int) -> [String] {
        parties[index].events.compactMap { event in
            if case .domain(_, let what, _) = event { what } else { nil }
        }
    }
}

extension TrustAnswer {
    var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}
