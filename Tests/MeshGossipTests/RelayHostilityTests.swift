import MeshBase
import MeshSimulator
import Testing

@testable import MeshGossip

/// The middle one of three passes on what is wrong, or what is not: who is blamed, and what is believed.
@Suite("A member that passes on")
struct RelayHostilityTests {
    /// 0 has met 1, 1 has met 0 and 2. Number 3 is a member whom only 1 has met.
    private func house() -> DomainWorld {
        var world = DomainWorld(4, strangers: [(0, 2), (0, 3), (2, 3)])
        for side in 0..<4 { world.offer(side, "r\(side)") }
        for side in 0..<4 { world.join(side, world.member()) }
        world.connectAll()
        world.pass(.seconds(1))
        #expect(world.seen(by: 2, of: 0).count == 1)
        return world
    }

    private func held(_ world: DomainWorld) throws -> HeadPush {
        try #require(world.registry(1)?.push(of: world.node(0), using: Samples.suite))
    }

    private func invalid(_ world: DomainWorld, at side: Int) -> Int {
        world.sides[side].records.count { if case .messageInvalid = $0 { true } else { false } }
    }

    private func dropped(_ world: DomainWorld, at side: Int) -> Int {
        world.sides[side].records.count { if case .messageDropped = $0 { true } else { false } }
    }

    private func pass(_ head: Head, by key: SimulatedKey, in world: inout DomainWorld) {
        let push = HeadPush(head: key.sign(head), leaves: [], records: [])
        world.tell(2, .relayed(push, by: world.node(1)))
    }

    @Test(
        "what it signed itself in another's name is not believed, and not blamed: the key may be known there")
    func otherKey() throws {
        var world = house()
        let head = try held(world).head.body
        let newer = head.changed(sequence: head.sequence + 1, count: 0, root: .zero)
        pass(newer, by: world.sides[1].key, in: &world)
        #expect(world.seen(by: 2, of: 0).count == 1)
        #expect(invalid(world, at: 2) == 0 && dropped(world, at: 2) == 1)
    }

    @Test("what it forged under the owner's own key, and what does not fit the head, is held against it")
    func forged() throws {
        var world = house()
        let good = try held(world)
        let head = good.head.body.changed(sequence: good.head.body.sequence + 1, count: 0, root: .zero)
        let signed = world.sides[1].key.sign(head)
        let owner = good.head.signatures[0].signer
        let claimed = Signed(
            body: head, payload: signed.payload,
            signatures: signed.signatures.map {
                DocumentSignature(signer: owner, input: $0.input, value: $0.value)
            })
        world.tell(2, .relayed(HeadPush(head: claimed, leaves: [], records: []), by: world.node(1)))
        #expect(invalid(world, at: 2) == 1)
        world.offer(0, "other")
        world.disconnect(2)
        world.pass(.seconds(1))
        let newer = try held(world)
        world.connect(1, 2)
        let bent = HeadPush(head: newer.head, leaves: good.leaves, records: [])
        world.tell(2, .relayed(bent, by: world.node(1)))
        let stuffed = HeadPush(head: newer.head, leaves: newer.leaves, records: good.records)
        world.tell(2, .relayed(stuffed, by: world.node(1)))
        #expect(invalid(world, at: 2) == 3)
        // The third ended the link.
        world.connect(1, 2)
        world.pass(.seconds(30))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["other"])
    }

    @Test("what its owner dated ahead, made by other rules, or let end, is dropped, and nobody is blamed")
    func ownersFault() throws {
        let changes: [(Head) -> Head] = [
            {
                $0.changed(
                    sequence: $0.sequence + 3_600_000 << 10, issued: $0.issued + .seconds(3_600),
                    expires: $0.expires + .seconds(3_600))
            },
            { $0.changed(sequence: $0.sequence + 1, expires: $0.issued + .seconds(7_200)) },
            {
                $0.changed(
                    sequence: $0.sequence + 1, issued: $0.issued - .seconds(100),
                    expires: $0.issued - .seconds(1))
            },
        ]
        for change in changes {
            var world = house()
            let before = try held(world)
            pass(change(before.head.body.changed(count: 0, root: .zero)), by: world.sides[0].key, in: &world)
            #expect(invalid(world, at: 2) == 0)
            #expect(world.seen(by: 2, of: 0).count == 1)
        }
    }

    @Test("what it repeats rolls nobody back, and a pair's head is none of its business")
    func replays() throws {
        var world = house()
        let old = try held(world)
        world.offer(0, "new")
        world.pass(.seconds(1))
        world.tell(2, .relayed(old, by: world.node(1)))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["new"])
        #expect(invalid(world, at: 2) == 0)
        world.tell(0, .offersChanged(world.node(1), [Samples.resource("ours")]))
        world.pass(.seconds(1))
        let pair = Audience.pair(world.node(0), world.node(1))
        let push = try #require(
            world.sides[1].gossip.registries[pair]?.push(of: world.node(0), using: Samples.suite))
        world.tell(2, .relayed(push, by: world.node(1)))
        #expect(invalid(world, at: 2) == 1)
    }

    @Test(
        "two heads for one place convict their owner wherever they meet, and at those who never saw both",
        arguments: [false, true])
    func equivocation(isKey: Bool) throws {
        var world = house()
        world.expectsConvictions = true
        let good = try held(world)
        var other = isKey ? good.head.body : good.head.body.changed(count: 0, root: .zero)
        if isKey { other.encryption = EncryptionKey([UInt8](repeating: 7, count: 32)) }
        let twin = HeadPush(
            head: world.sides[0].key.sign(other), leaves: isKey ? good.leaves : [], records: [])
        world.tell(2, .relayed(twin, by: world.node(1)))
        #expect(world.sides[2].convictions == [world.node(0)])
        world.pass(.seconds(1))
        for side in 1...3 {
            #expect(world.sides[side].convictions == [world.node(0)], "\(side)")
            #expect(world.seen(by: side, of: 0) == [])
            #expect(invalid(world, at: side) == 0)
        }
        // The first of the two is no way back.
        world.pass(.seconds(120))
        #expect(world.seen(by: 2, of: 0) == [])
    }

    @Test("cannot make a contradiction up")
    func madeUp() throws {
        var world = house()
        let head = try held(world).head
        let other = world.sides[1].key.sign(head.body.changed(count: 0, root: .zero))
        let claimed = Signed(
            body: other.body, payload: other.payload,
            signatures: other.signatures.map {
                DocumentSignature(signer: head.signatures[0].signer, input: $0.input, value: $0.value)
            })
        for wrong in [Contradiction(one: head, other: claimed), Contradiction(one: head, other: head)] {
            world.tell(2, .messageArrived(world.node(1), .contradiction(wrong)))
        }
        #expect(invalid(world, at: 2) == 2)
        world.tell(2, .messageArrived(world.node(1), .contradiction(Contradiction(one: head, other: other))))
        #expect(invalid(world, at: 2) == 2)
        #expect(world.seen(by: 2, of: 0).count == 1)
    }

    @Test("has two hundred signatures looked at in a second, and not one more; others' share stays whole")
    func checks() throws {
        var world = house()
        let head = try held(world).head.body
        let owner = try held(world).head.signatures[0].signer
        for number in 1...300 {
            let next = world.sides[1].key.sign(
                head.changed(sequence: head.sequence + Int64(number), count: 0, root: .zero))
            let claimed = Signed(
                body: next.body, payload: next.payload,
                signatures: next.signatures.map {
                    DocumentSignature(signer: owner, input: $0.input, value: $0.value)
                })
            world.sides[2].gossip.invalid = OrderedTable()
            world.tell(2, .relayed(HeadPush(head: claimed, leaves: [], records: []), by: world.node(1)))
        }
        #expect(invalid(world, at: 2) == Limits.signatureChecksPerSecond)
        #expect(dropped(world, at: 2) == 300 - Limits.signatureChecksPerSecond)
        // None of it counted as the owner's.
        world.pass(.seconds(2))
        world.connect(1, 2)
        world.offer(0, "still")
        world.pass(.seconds(30))
        #expect(world.seen(by: 2, of: 0).map(\.description) == ["still"])
    }

    @Test("of who is not proved here is not believed, and stands in nobody's way")
    func unproved() throws {
        var world = house()
        let push = try held(world)
        let owner = world.sides[0].key
        world.tell(2, .memberVouched(owner.node, owner.publicKey, nil))
        world.tell(2, .relayed(push, by: world.node(1)))
        #expect(world.seen(by: 2, of: 0) == [])
        #expect(invalid(world, at: 2) == 0)
        world.pass(.seconds(3))
        #expect(world.seen(by: 2, of: 0).count == 1)
    }

    @Test("tells first and brings nothing, does not keep others from bringing it")
    func withholds() throws {
        // 0 is known to 2 only over 1, who is silent, and 3.
        var world = DomainWorld(4, strangers: [(0, 2)])
        for side in 0..<4 { world.join(side, world.member()) }
        world.connectAll()
        world.offer(0, "r0")
        world.pass(.seconds(1))
        world.silent = 1
        let tag = try #require(
            world.sides[1].gossip.tag(of: .domain(DomainWorld.domains[0]), with: world.node(2)))
        for name in ["a", "b", "c"] {
            let head = try held(world).head.body
            let made = HeadPlace(head.changed(sequence: head.sequence + 3_600_000 << 10))
            let places = HeadPlaces(audience: tag, page: HeadPage(places: [made], span: nil))
            world.tell(2, .messageArrived(world.node(1), .places(places)))
            world.offer(0, name)
            world.pass(.seconds(2))
            #expect(world.seen(by: 2, of: 0).map(\.description) == [name])
        }
    }

    @Test("of those that tell of one head five are asked by turns, and not one more")
    func turns() throws {
        var registry = AudienceRegistry(
            .domain(DomainWorld.domains[0]), owner: SimulatedKey(1).node, at: Samples.start.instant)
        let (owner, now) = (SimulatedKey(2).node, Samples.start.instant)
        let tellers = (10..<16).map { SimulatedKey(UInt64($0)).node }
        #expect(
            tellers.map { registry.noteTeller($0, of: owner, at: now) } == [true]
                + [Bool](repeating: false, count: 5))
        #expect(registry.noteTeller(tellers[0], of: owner, at: now) == false)
        var asked: [NodeID?] = []
        for _ in 0..<6 {
            let next = registry.tellersBehind(owner).first
            asked.append(next)
            if let next { registry.turn(to: next, of: owner, at: now) }
        }
        #expect(asked == [tellers[1], tellers[2], tellers[3], tellers[4], nil, nil])
    }

    @Test("a head that is longer than a head is worth nothing, however well it is signed")
    func padded() throws {
        var world = house()
        let head = try held(world).head.body
        let newer = head.changed(sequence: head.sequence + 1, count: 0, root: .zero)
        let key = world.sides[0].key
        let payload = Octets(Samples.suite.encoded(newer) + [UInt8](repeating: 32, count: 1_024))
        let request = SigningRequest(ticket: Ticket(0), kind: .head, payload: payload)
        let signed = Signed(body: newer, payload: payload, signatures: [key.sign(request)])
        #expect(signed.isSigned(by: key.publicKey, using: Samples.suite))
        world.tell(2, .relayed(HeadPush(head: signed, leaves: [], records: []), by: world.node(1)))
        #expect(world.seen(by: 2, of: 0).count == 1)
        #expect(invalid(world, at: 2) == 0)
        let twin = Contradiction(one: signed, other: try held(world).head)
        world.tell(2, .messageArrived(world.node(1), .contradiction(twin)))
        #expect(world.seen(by: 2, of: 0).count == 1)
    }

    @Test("answers one request with one mebibyte, and a minute's requests with four")
    func answers() throws {
        var world = house()
        world.offer(0, (0..<100).map { Samples.bulkyResource("bulk-\($0 + 1_000)") })
        world.pass(.seconds(5))
        let tag = try #require(
            world.sides[1].gossip.tag(of: .domain(DomainWorld.domains[0]), with: world.node(2)))
        let wanted = [WantedHead](
            repeating: WantedHead(owner: world.node(0), isProved: false), count: HeadPage.most)
        let request = HeadRequest(audience: tag, wanted: wanted, after: nil)
        let size = Samples.suite.encoded(try held(world)).count + 4 * 1024
        let before = world.sides[1].relayed
        world.tell(1, .messageArrived(world.node(2), .ask(request)))
        #expect(world.sides[1].relayed - before == 1024 * 1024 / size)
        for _ in 0..<30 { world.tell(1, .messageArrived(world.node(2), .ask(request))) }
        let bytes = (world.sides[1].relayed - before) * size
        #expect(bytes <= Limits.syncBytesPerMinute && bytes > Limits.syncBytesPerMinute / 2)
        #expect(world.sides[1].records.contains { if case .answerWithheld = $0 { true } else { false } })
    }

    @Test("fills no more than its share of memory with what it brings")
    func memory() throws {
        var world = house()
        let many = (0..<256).map { Samples.bulkyResource("bulk-\($0 + 1_000)") }
        var owners: [SimulatedKey] = []
        for number in 0..<20 {
            let key = SimulatedKey(UInt64(500 + number))
            owners.append(key)
            world.tell(2, .memberVouched(key.node, key.publicKey, world.member()))
            var own = OwnRecords(
                audience: .domain(DomainWorld.domains[0]), owner: key.node, at: world.now.instant)
            own.replace(with: many, using: Samples.suite)
            guard case .sign(let head) = own.next(at: world.now, using: Samples.suite) else { return }
            let isSigned = own.sign(key.sign(head), at: world.now)
            #expect(isSigned)
            let set = try #require(own.published?.set)
            let push = HeadPush(head: key.sign(head), leaves: set.leaves, records: set.records.values)
            world.tell(2, .relayed(push, by: world.node(1)))
        }
        let shown = owners.count { !world.sides[2].gossip.resources(of: $0.node, at: world.now.wall).isEmpty }
        let bytes = owners.reduce(0) { sum, key in
            sum + (world.registry(2)?.present[key.node]?.theirs.lengthInBytes ?? 0)
        }
        #expect(shown > 3 && shown < 20)
        #expect(bytes <= Limits.memoryPerPeer)
        #expect(dropped(world, at: 2) == 20 - shown)
    }
}
