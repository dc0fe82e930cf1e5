import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

// Members that are no sides: others hold what they signed.
extension DomainWorld {
    /// `side` holds the heads of so many members that are no sides.
    mutating func hold(_ numbers: Range<Int>, at side: Int, from teller: Int? = nil) throws {
        for number in numbers {
            let key = SimulatedKey(UInt64(500 + number))
            tell(side, .memberVouched(key.node, key.publicKey, member()))
            var own = OwnRecords(
                audience: .domain(Self.domains[0]), owner: key.node, at: now.instant)
            own.replace(with: [Samples.resource("r")], using: Samples.suite)
            guard case .sign(let head) = own.next(at: now, using: Samples.suite) else { return }
            let signed = key.sign(head)
            let isSigned = own.sign(signed, at: now)
            let set = try #require(isSigned ? own.published?.set : nil)
            let push = HeadPush(head: signed, leaves: set.leaves, records: set.records.values)
            tell(side, .relayed(push, by: node(teller ?? (side == 0 ? 1 : 2))))
        }
        #expect(held(at: side) >= numbers.count)
    }

    func held(at side: Int) -> Int {
        let audience = Audience.domain(Self.domains[0])
        return sides[side].gossip.held(in: audience, at: now.wall).count
    }
}
