import Foundation
import MeshBase
import Synchronization
import Testing

@testable import MeshDNS

/// Real name servers, each started by its test.
@Suite(
    "A real name server", .serialized,
    .enabled(if: !NameServer.here.isEmpty, Comment(rawValue: NameServer.obstacle)))
struct RealServerTests {
    private static let six = ["2001:db8::7", "::1"]

    @Test("that is bind9 and one that is dnsmasq are both here")
    func areHere() {
        withKnownIssue("one of them is missing: Scripts/setup brings it", isIntermittent: true) {
            #expect(NameServer.here == NameServer.Kind.allCases)
        }
    }

    @Test(
        "lists an instance with a space in its name, its text and its addresses of both families",
        arguments: NameServer.here)
    func lists(kind: NameServer.Kind) async throws {
        let instance = NameServer.Instance(label: "Node\\032One", addresses: ["192.0.2.7", "2001:db8::7"])
        try await with(kind, [instance]) { server, events in
            let sighting = try await events.sighting("node\\032one")
            #expect(
                sighting.endpoints == [
                    Endpoint(host: "2001:db8::7", port: 7410), Endpoint(host: "192.0.2.7", port: 7410),
                ])
            #expect(sighting.txt == TXTRecord([.init("v", "1"), .init("t", "AAECAwQFBgc")]))
            #expect(sighting.life > .seconds(30) && sighting.life <= .seconds(60))
            #expect(events.all.contains(.listed(instanceCount: 1, leftOut: 0)))
        }
    }

    @Test("lists ninety-two instances, which takes TCP", arguments: NameServer.here)
    func usesTCP(kind: NameServer.Kind) async throws {
        let instances = (0..<92).map { NameServer.Instance(label: "instance-number-\($0)-of-many") }
        try await with(kind, instances) { server, events in
            let list = DNSQuestion(.ptr, of: name("_comity._tcp.m"))
            let answer = try DNSResolver(server: server.endpoint, patienceInSeconds: 2).ask(list).get()
            #expect(answer.answers.count == 92)
            try await events.wait("all of them") { events in
                Set(events.compactMap(\.sighting?.instance)).count == 92
            }
        }
    }

    @Test(
        "that is reached over IPv6 and knows nothing else is enough",
        .enabled(if: (try? SilentSocket(on: "::1")) != nil, "this machine has no ::1"),
        arguments: NameServer.here)
    func onlySix(kind: NameServer.Kind) async throws {
        let instance = NameServer.Instance(label: "six", addresses: Self.six)
        try await with(kind, [instance], host: "::1") { server, events in
            let sighting = try await events.sighting("six")
            #expect(Set(sighting.endpoints.map(\.host)) == Set(Self.six))
        }
    }

    @Test(
        "says why there is no answer: no such name, cannot find out, refused",
        .enabled(
            if: NameServer.Kind.bind9.program != nil, "bind9's program is not here: Scripts/setup brings it"))
    func tellsTroubles() async throws {
        try await with(.bind9, []) { server, _ in
            let resolver = DNSResolver(server: server.endpoint, patienceInSeconds: 1)
            let ask = { (text: String) in resolver.ask(DNSQuestion(.ptr, of: name(text))) }
            #expect(ask("nobody.m") == .failure(.noSuchName))
            #expect(ask("_comity._tcp.broken") == .failure(.serverFailed))
            #expect(ask("_comity._tcp.elsewhere") == .failure(.refused))
            server.kill()
            #expect(ask("_comity._tcp.m") == .failure(.nothingListens))
        }
    }

    @Test("that is not there yet is waited for", arguments: NameServer.here)
    func waits(kind: NameServer.Kind) async throws {
        let server = try NameServer(kind, [.init(label: "late")])
        defer { end(server) }
        let events = Events()
        let witness = try events.witness(at: server.endpoint)
        defer { witness.close() }
        try await events.wait("that nothing listens") { $0.contains(.failed(.nothingListens)) }
        try await server.start()
        _ = try await events.sighting("late")
        #expect(events.all.filter { $0 == .failed(.nothingListens) }.count == 1)
    }

    @Test("that says nothing is told from one that is not there, and holds up nobody who ends the witness")
    func silence() async throws {
        let socket = try SilentSocket(on: "127.0.0.1")
        defer { socket.close() }
        let question = DNSQuestion(.ptr, of: name("_comity._tcp.m"))
        #expect(DNSResolver(server: socket.endpoint, patienceInSeconds: 1).ask(question) == .failure(.silent))

        let events = Events()
        let configuration = try #require(
            DNSConfiguration(domain: "m", server: socket.endpoint, patienceInSeconds: 10))
        let witness = DNSWitness(configuration) { events.add($0) }
        let begin = ContinuousClock.now
        witness.close()
        #expect(ContinuousClock.now - begin < .seconds(5))
        #expect(events.all.isEmpty)
    }

    @Test("whose address is none is said to be unreachable")
    func noAddress() {
        let resolver = DNSResolver(
            server: Endpoint(host: "not-numeric.example", port: 53), patienceInSeconds: 1)
        guard case .failure(.unreachable) = resolver.ask(DNSQuestion(.a, of: name("m"))) else {
            Issue.record("it was asked")
            return
        }
    }

    private func with(
        _ kind: NameServer.Kind, _ instances: [NameServer.Instance], host: String = "127.0.0.1",
        _ body: (NameServer, Events) async throws -> Void
    ) async throws {
        let server = try NameServer(kind, instances, host: host)
        defer { end(server) }
        try await server.start()
        let events = Events()
        let witness = try events.witness(at: server.endpoint)
        defer { witness.close() }
        try await body(server, events)
    }

    private func end(_ server: NameServer) {
        do {
            try server.end()
        } catch {
            print("\(error)")
        }
    }
}

/// What a witness said so far.
final class Events: Sendable {
    private let heard = Mutex<[DNSEvent]>([])

    var all: [DNSEvent] { heard.withLock { $0 } }

    func add(_ event: DNSEvent) { heard.withLock { $0.append(event) } }

    func witness(at server: Endpoint) throws -> DNSWitness {
        let configuration = try #require(DNSConfiguration(domain: "m", server: server, patienceInSeconds: 1))
        return DNSWitness(configuration) { self.add($0) }
    }

    func sighting(_ instance: String) async throws -> DNSSighting {
        try await wait("a sighting of \(instance)") { events in
            events.contains { $0.sighting?.instance == instance }
        }
        return try #require(all.compactMap(\.sighting).last { $0.instance == instance })
    }

    func wait(_ what: String, until isThere: ([DNSEvent]) -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(30)
        while !isThere(all) {
            guard ContinuousClock.now < end else {
                throw NameServer.Failure("not \(what): \(all.suffix(20))")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}

extension DNSEvent {
    var sighting: DNSSighting? {
        guard case .sighted(let sighting) = self else { return nil }
        return sighting
    }
}
