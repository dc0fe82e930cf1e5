import MeshBase
import Testing

@testable import MeshGossip

@Suite("The key for sealed payloads, as heads tell it")
struct EncryptionAnnouncementTests {
    private func key(_ number: UInt8) -> EncryptionKey {
        EncryptionKey([UInt8](repeating: number, count: 32))!
    }

    private func known(to side: Int, _ world: PairWorld) -> EncryptionKey? {
        world.sides[side].gossip.encryptionKey(of: world.node(1 - side), at: world.moment(side).wall)
    }

    @Test("is known to a peer with the head, and a new one with the next, though nothing else has changed")
    func told() {
        var world = PairWorld()
        world.tell(0, .encryptionKeyChanged(key(1)))
        world.offer(0, [Samples.resource("orders")])
        world.connect()
        world.pass(.seconds(5))
        #expect(known(to: 1, world) == key(1) && known(to: 0, world) == nil)
        let changes = world.sides[1].catalogChanges
        world.tell(0, .encryptionKeyChanged(key(2)))
        world.pass(.seconds(5))
        #expect(known(to: 1, world) == key(2))
        #expect(world.sides[1].catalogChanges > changes)
    }

    @Test("ends with the head that told it")
    func expires() {
        var world = PairWorld()
        world.tell(0, .encryptionKeyChanged(key(1)))
        world.offer(0, [Samples.resource("orders")])
        world.connect()
        world.pass(.seconds(5))
        world.disconnect()
        world.pass(Limits.headLife + .seconds(5))
        #expect(known(to: 1, world) == nil)
    }

    @Test("told twice otherwise under one number convicts")
    func contradiction() throws {
        var own = OwnRecords(
            audience: .pair(Samples.alice.node, Samples.bob.node), owner: Samples.alice.node,
            at: Samples.start.instant)
        own.replace(with: [Samples.resource("orders")], using: Samples.suite)
        guard
            case .sign(let head) = own.next(
                at: Samples.start, announcing: key(1), using: Samples.suite)
        else {
            Issue.record("no head is due")
            return
        }
        #expect(head.encryption == key(1))
        var other = head
        other.encryption = key(2)
        let leaves = try #require(own.draft?.set.leaves)
        let records = try #require(own.draft?.set.records.values)
        var theirs = PeerRecords(
            audience: head.audience, owner: head.owner, key: Samples.alice.publicKey,
            at: Samples.start.instant)
        for (body, isFirst) in [(head, true), (other, false)] {
            let push = HeadPush(head: Samples.alice.sign(body), leaves: leaves, records: records)
            let reception = theirs.receive(push, at: Samples.start, using: Samples.suite)
            if case .contradiction = reception { #expect(!isFirst) } else { #expect(isFirst, "\(reception)") }
        }
    }
}
