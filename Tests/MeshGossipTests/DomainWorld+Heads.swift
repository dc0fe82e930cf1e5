import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

// Members that are no sides: what they signed is held here and there.
extension DomainWorld {
    private struct NothingToSign: Error {}

    var audience: Audience { .domain(Self.domains[0]) }

    /// What a member that is no side signs; of two versions the later is the newer.
    func head(_ number: Int, version: Int = 1) throws -> (SimulatedKey, HeadPush) {
        let key = SimulatedKey(UInt64(500 + number))
        let then = Moment(instant: now.instant, wall: Samples.start.wall + .milliseconds(version))
        var own = OwnRecords(audience: audience, owner: key.node, at: then.instant)
        own.replace(with: [Samples.resource("r-\(version)")], using: Samples.suite)
        own.life = Limits.headLifeLarge
        guard case .sign(let head) = own.next(at: then, using: Samples.suite) else { throw NothingToSign() }
        let signed = key.sign(head)
        let isSigned = own.sign(signed, at: then)
        let set = try #require(isSigned ? own.published?.set : nil)
        return (key, HeadPush(head: signed, leaves: set.leaves, records: set.records.values))
    }

    /// `side` holds the heads of so many of them; `versions` of one number: what that one says.
    /// - Parameter areProvable: whether who passes one on can prove its owner.
    mutating func give(
        _ numbers: some Collection<Int>, at side: Int, version: Int = 1, areProvable: Bool = true
    ) throws {
        for (index, number) in numbers.enumerated() {
            // A second's share of signatures, of one who brings them.
            if index % 150 == 149 { pass(.seconds(1)) }
            let (key, push) = try head(number, version: version)
            if areProvable { absent[key.node] = key }
            tell(side, .memberVouched(key.node, key.publicKey, member()))
            tell(side, .relayed(push, by: node(side == 0 ? 1 : 0)))
        }
        let owners = Set(places(at: side).map(\.owner))
        #expect(numbers.allSatisfy { owners.contains(SimulatedKey(UInt64(500 + $0)).node) })
    }

    func places(at side: Int) -> [HeadPlace] {
        sides[side].gossip.held(in: audience, at: now.wall)
    }

    /// Messages of `side` that `read` knows.
    func sent<Found>(by side: Int, _ read: (GossipMessage) -> Found?) -> [Found] {
        sent.compactMap { $0.from == side ? read($0.message) : nil }
    }
}
