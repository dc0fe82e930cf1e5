import MeshBase
import Testing

@testable import MeshDNS

@Suite("Browsing a zone")
struct DNSBrowseTests {
    @Test("asks for the list, then each instance's place, text and addresses, and tells it once")
    func walks() {
        var zone = Zone()
        zone.add("a")
        zone.run(until: .seconds(1))
        let instance = name("a._comity._tcp.m")
        #expect(
            zone.asked == [
                DNSQuestion(.ptr, of: Zone.service), DNSQuestion(.txt, of: instance),
                DNSQuestion(.srv, of: instance), DNSQuestion(.a, of: name("a-host.m")),
                DNSQuestion(.aaaa, of: name("a-host.m")),
            ])
        #expect(zone.events.first == .listed(instanceCount: 1, leftOut: 0))
        #expect(
            zone.sightings == [
                DNSSighting(
                    instance: "a", endpoints: [Endpoint(host: "192.0.2.1", port: 7410)],
                    txt: TXTRecord([.init("v", "1")]), life: .seconds(120))
            ])
    }

    @Test("asks for nothing that came along, but for what did not")
    func takesCompanions() {
        var zone = Zone()
        zone.add("a")
        zone.isGenerous = true
        zone.run(until: .seconds(1))
        #expect(zone.asked.map(\.kind) == [.ptr, .aaaa])
        #expect(zone.sightings.count == 1)
    }

    @Test("nothing that comes along unasked for is kept")
    func dropsStrangers() {
        var zone = Zone()
        zone.isGenerous = true
        zone.add("a")
        zone.put(name("evil.m"), .a([198, 51, 100, 1]))
        zone.put(
            name("b._comity._tcp.m"), .srv(.init(priority: 0, weight: 0, port: 1, target: name("evil.m"))))
        zone.run(until: .seconds(1))
        #expect(zone.browse.zone.instances == [name("a._comity._tcp.m")])
        #expect(zone.sightings.flatMap(\.endpoints).allSatisfy { $0.host != "198.51.100.1" })
    }

    @Test(
        "a sighting lives as long as its shortest record, not below thirty seconds and not above an hour",
        arguments: [(0, 30), (29, 30), (31, 31), (3_599, 3_599), (3_601, 3_600), (86_400, 3_600)])
    func bounds(written: Int, lived: Int) {
        var zone = Zone()
        zone.add("a", life: Int64(written))
        zone.run(until: .seconds(1))
        #expect(zone.sightings.map(\.life) == [.seconds(lived)])
    }

    @Test(
        "is told again before its life ends, for as long as it is there",
        arguments: 1...20 as ClosedRange<UInt64>)
    func renews(seed: UInt64) {
        var zone = Zone(seed: seed)
        zone.add("a", life: 100)
        zone.add("b", [0x20, 1] + [UInt8](repeating: 0, count: 13) + [1], life: 3_000)
        var ends: [String: Duration] = [:]
        for second in stride(from: 1, through: 4_000, by: 1) {
            zone.forget()
            zone.run(until: .seconds(second))
            for sighting in zone.sightings { ends[sighting.instance] = .seconds(second) + sighting.life }
            #expect(ends["a"] ?? .zero > .seconds(second) && ends["b"] ?? .zero > .seconds(second))
        }
    }

    @Test("a newcomer is seen within five minutes, though the list holds for a day")
    func looksAgain() {
        var zone = Zone()
        zone.add("a", life: 86_400)
        zone.run(until: .seconds(1))
        zone.add("b", life: 86_400)
        zone.run(until: .seconds(302))
        #expect(zone.sightings.contains { $0.instance == "b" })
        zone.forget()
        zone.run(until: .seconds(600))
        #expect(zone.asked.filter { $0.kind == .ptr }.count <= 2)
    }

    @Test("who is not listed any more is withdrawn, and so is who is said to be nowhere")
    func withdraws() {
        var zone = Zone()
        for instance in ["a", "b", "c"] { zone.add(instance, life: 60) }
        zone.run(until: .seconds(1))
        zone.records.removeAll { $0.value == .ptr(name("a._comity._tcp.m")) }
        zone.records.removeAll { $0.name == name("b._comity._tcp.m") }
        zone.put(
            name("b._comity._tcp.m"),
            .srv(.init(priority: 0, weight: 0, port: 1, target: DNSName(".") ?? name("x"))))
        zone.forget()
        zone.run(until: .seconds(60))
        let gone = zone.events.filter { event in
            guard case .withdrawn = event else { return false }
            return true
        }
        #expect(gone.count == 2)
        #expect(gone.contains(.withdrawn(instance: "a")) && gone.contains(.withdrawn(instance: "b")))
        zone.forget()
        zone.run(until: .seconds(180))
        #expect(Set(zone.sightings.map(\.instance)) == ["c"])
    }

    @Test("a domain that lists nobody any more is said as such, and all are withdrawn")
    func emptied() {
        var zone = Zone()
        zone.add("a", life: 60)
        zone.run(until: .seconds(1))
        zone.records = []
        zone.forget()
        zone.run(until: .seconds(100))
        #expect(zone.events.suffix(2) == [.withdrawn(instance: "a"), .failed(.noSuchName)])
    }

    @Test(
        "while the server is away nothing is withdrawn, and it is asked more and more rarely"
    )
    func survives() {
        var zone = Zone()
        zone.add("a", life: 60)
        zone.run(until: .seconds(1))
        zone.forget()
        zone.trouble = { _ in .nothingListens }
        zone.run(until: .seconds(3_600))
        #expect(zone.events == [.failed(.nothingListens)])
        #expect((60...600).contains(zone.asked.count))
        zone.trouble = { _ in nil }
        zone.forget()
        zone.run(until: .seconds(3_640))
        #expect(zone.events.first == .listed(instanceCount: 1, leftOut: 0))
        #expect(zone.sightings.contains { $0.instance == "a" })
    }

    @Test("one instance that cannot be looked up costs the others nothing")
    func isolates() {
        var zone = Zone()
        zone.add("a")
        zone.add("b")
        zone.trouble = { $0.name == name("a._comity._tcp.m") ? .serverFailed : nil }
        zone.run(until: .seconds(20))
        #expect(zone.sightings.map(\.instance) == ["b"])
        zone.trouble = { _ in nil }
        zone.run(until: .seconds(40))
        #expect(zone.sightings.map(\.instance).contains("a"))
    }

    @Test(
        "always comes back: whatever failed, all are told soon after it works",
        arguments: 1...100 as ClosedRange<UInt64>)
    func returns(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var zone = Zone(seed: seed)
        for instance in 0..<5 { zone.add("i\(instance)", life: Int64(generator.number(below: 400))) }
        let failureChance = generator.number(below: 101)
        let troubles: [DNSTrouble] = [
            .silent, .nothingListens, .serverFailed, .refused, .malformed, .noSuchName,
        ]
        for round in 1...20 {
            let draw = generator.number(below: 100)
            let trouble = troubles[Int(generator.number(below: 6))]
            zone.trouble = { question in
                draw < failureChance && (question.kind.rawValue + UInt16(round)) % 3 > 0 ? trouble : nil
            }
            zone.run(until: .seconds(round * 20))
        }
        zone.trouble = { _ in nil }
        zone.forget()
        zone.run(until: .seconds(20 * 20 + 420))
        #expect(Set(zone.sightings.map(\.instance)).count == 5)
    }

    @Test("five hundred and twelve instances are looked at, and not one more")
    func limits() {
        var zone = Zone()
        for number in 0..<Limits.dnsInstances {
            zone.put(Zone.service, .ptr(name("i\(number)._comity._tcp.m")))
        }
        zone.run(until: .seconds(1))
        #expect(zone.events.first == .listed(instanceCount: 512, leftOut: 0))
        var larger = Zone()
        larger.records = zone.records
        larger.put(Zone.service, .ptr(name("one-more._comity._tcp.m")))
        larger.run(until: .seconds(1))
        #expect(larger.events.first == .listed(instanceCount: 512, leftOut: 1))
        #expect(larger.browse.zone.instances.count == 512)
    }

    @Test("an answer to another question is none")
    func checksQuestion() {
        var browse = DNSBrowse(service: Zone.service, generator: SeededGenerator(seed: 1), at: .zero)
        var effects = Outbox<DNSBrowse.Effect>()
        let other = DNSMessage(
            id: 1, isTruncated: false, responseCode: 0, name: name("x.m"), kind: 12, answers: [],
            additional: [])
        browse.handle(.answered(other), at: .zero, into: &effects)
        #expect(effects.isEmpty)
        browse.handle(.timeReached, at: .zero, into: &effects)
        _ = effects.drain()
        browse.handle(.answered(other), at: .zero, into: &effects)
        #expect(effects.drain() == [.tell(.failed(.malformed))])
        #expect(browse.nextDeadline != nil)
    }
}

@Suite("An instance's places")
struct DNSPlaceTests {
    private let instance = name("a._comity._tcp.m")

    private func endpoints(_ fill: (inout Zone) -> Void) -> [String] {
        var zone = Zone()
        zone.put(Zone.service, .ptr(instance))
        zone.put(instance, .txt([Array("v=1".utf8)]))
        fill(&zone)
        zone.run(until: .seconds(1))
        return zone.sightings.last?.endpoints.map(\.description) ?? []
    }

    private func place(_ priority: UInt16, _ weight: UInt16, _ target: String) -> DNSRecord.Value {
        .srv(.init(priority: priority, weight: weight, port: 7410, target: name(target)))
    }

    @Test("are tried by rising priority, then falling weight, eight endpoints at most")
    func order() {
        let found = endpoints { zone in
            zone.put(instance, place(20, 9, "late.m"))
            zone.put(instance, place(10, 1, "light.m"))
            zone.put(instance, place(10, 5, "heavy.m"))
            zone.put(name("late.m"), .a([192, 0, 2, 3]))
            zone.put(name("light.m"), .a([192, 0, 2, 2]))
            zone.put(name("heavy.m"), .a([192, 0, 2, 1]))
        }
        #expect(found == ["192.0.2.1:7410", "192.0.2.2:7410", "192.0.2.3:7410"])
        let many = endpoints { zone in
            zone.put(instance, place(0, 0, "h.m"))
            for number in 1...9 as ClosedRange<UInt8> { zone.put(name("h.m"), .a([192, 0, 2, number])) }
        }
        #expect(many.count == Limits.endpointsPerPeer)
    }

    @Test("of both families take turns, IPv6 first")
    func families() {
        let found = endpoints { zone in
            zone.put(instance, place(0, 0, "h.m"))
            zone.put(name("h.m"), .a([192, 0, 2, 1]))
            zone.put(name("h.m"), .a([192, 0, 2, 2]))
            zone.put(name("h.m"), .aaaa([0x20, 1, 0x0d, 0xb8] + [UInt8](repeating: 0, count: 11) + [1]))
        }
        #expect(found == ["[2001:db8::1]:7410", "192.0.2.1:7410", "192.0.2.2:7410"])
    }

    @Test("an alias is followed, eight at most, and a circle ends")
    func aliases() {
        let found = endpoints { zone in
            zone.put(instance, place(0, 0, "h.m"))
            zone.put(name("h.m"), .cname(name("g.m")))
            zone.put(name("g.m"), .a([192, 0, 2, 1]))
        }
        // The server of this test follows no alias: what it answers ends there.
        #expect(found == [])
        let message = DNSMessage(
            id: 1, isTruncated: false, responseCode: 0, name: name("h.m"), kind: 1,
            answers: [
                DNSRecord(name: name("h.m"), timeToLive: .seconds(9), value: .cname(name("g.m"))),
                DNSRecord(name: name("g.m"), timeToLive: .seconds(99), value: .cname(name("h.m"))),
                DNSRecord(name: name("g.m"), timeToLive: .seconds(99), value: .a([192, 0, 2, 1])),
            ], additional: [])
        #expect(DNSBrowse.answer(to: DNSQuestion(.a, of: name("h.m")), in: message.answers).isEmpty)
        let straight = Array(message.answers.filter { $0.value != .cname(name("h.m")) })
        #expect(DNSBrowse.answer(to: DNSQuestion(.a, of: name("h.m")), in: straight) == straight)
    }

    @Test("where nothing can be dialled are left out")
    func undiallable() {
        let found = endpoints { zone in
            zone.put(instance, place(0, 0, "h.m"))
            let zeros = [UInt8](repeating: 0, count: 10)
            for address in [[0, 0, 0, 0], [224, 0, 0, 251], [255, 255, 255, 255]] as [[UInt8]] {
                zone.put(name("h.m"), .a(address))
            }
            for address in [
                zeros + [0, 0, 0, 0, 0, 0], [0xfe, 0x80] + zeros + [0, 0, 0, 1],
                [0xff, 2] + zeros + [0, 0, 0, 1],
                zeros + [0xff, 0xff, 127, 0, 0, 1],
            ] as [[UInt8]] {
                zone.put(name("h.m"), .aaaa(address))
            }
            zone.put(name("h.m"), .a([10, 0, 0, 1]))
        }
        #expect(found == ["10.0.0.1:7410"])
    }
}
