import Dispatch
import MeshBase
import NIOCore
import Synchronization
import Testing

@testable import MeshLink

@Suite struct NameLookupTests {
    /// A name server that is silent about some names until it is told to speak.
    private final class Server: Sendable {
        private let gate = DispatchSemaphore(value: 0)
        private let asked = Mutex<[String]>([])

        func search(_ host: String) -> Result<[SocketAddress], NameUnknown> {
            asked.withLock { $0.append(host) }
            guard host.hasPrefix("silent") else {
                return host == "nobody" ? .failure(unknown(host)) : .success([loopback])
            }
            gate.wait()
            return .failure(unknown(host))
        }

        /// Ends the silence about so many.
        func speak(about count: Int) { for _ in 0..<count { gate.signal() } }

        var questions: [String] { asked.withLock { $0 } }
    }

    private static func unknown(_ host: String) -> NameUnknown {
        NameUnknown(host: host, cause: "no such name")
    }
    private static var loopback: SocketAddress {
        guard let address = NameLookup.address(Endpoint(host: "127.0.0.1", port: 0)) else {
            preconditionFailure("127.0.0.1 is no address")
        }
        return address
    }

    private let server = Server()
    private let names: NameLookup
    private let loop = Fixtures.group.next()

    init() { names = NameLookup { [server] in server.search($0) } }

    @Test func `a name that hangs keeps no other waiting`() async throws {
        let silent = (1..<NameLookup.namesAtOnce).map { names.find("silent\($0)", on: loop) }
        #expect(try await names.find("bakery", on: loop).get() == [Self.loopback])
        await #expect(throws: Self.unknown("nobody")) { try await names.find("nobody", on: loop).get() }
        server.speak(about: silent.count)
        for name in silent { await #expect(throws: NameUnknown.self) { try await name.get() } }
    }

    @Test func `who asks for a name that is looked up already gets the same answer`() async throws {
        let asked = (1...9).map { _ in names.find("silent", on: Fixtures.group.next()) }
        try await eventually("nobody asked") { server.questions.isEmpty ? nil : () }
        server.speak(about: 1)
        for answer in asked { await #expect(throws: Self.unknown("silent")) { try await answer.get() } }
        #expect(server.questions == ["silent"])
        let again = names.find("silent", on: loop)
        server.speak(about: 1)
        await #expect(throws: NameUnknown.self) { try await again.get() }
        #expect(server.questions == ["silent", "silent"])
    }

    @Test func `names wait for a thread in turn, and one too many fails at once`() async throws {
        let asked = (1...NameLookup.namesMax).map { names.find("silent\($0)", on: loop) }
        try await eventually("fewer are looked up than may be") {
            server.questions.count == NameLookup.namesAtOnce ? () : nil
        }
        await #expect(throws: NameUnknown(host: "bakery", cause: "too many names are looked up")) {
            try await names.find("bakery", on: loop).get()
        }
        // A name that is in the row already costs nothing more.
        let joined = names.find("silent\(NameLookup.namesMax)", on: loop)
        #expect(server.questions.count == NameLookup.namesAtOnce)
        server.speak(about: NameLookup.namesMax)
        for answer in asked + [joined] { await #expect(throws: NameUnknown.self) { try await answer.get() } }
        #expect(server.questions.count == NameLookup.namesMax)
        #expect(try await names.find("bakery", on: loop).get() == [Self.loopback])
    }

    @Test func `an address in digits is no name`() throws {
        let four = try #require(NameLookup.address(Endpoint(host: "192.0.2.7", port: 7410)))
        #expect(four.ipAddress == "192.0.2.7" && four.port == 7410)
        let six = try #require(NameLookup.address(Endpoint(host: "2001:db8::7", port: 7410)))
        #expect(Endpoint(six) == Endpoint(host: "2001:db8::7", port: 7410))
        let scoped = try #require(NameLookup.address(Endpoint(host: "fe80::1%lo", port: 7410)))
        #expect(Endpoint(scoped) == Endpoint(host: "fe80::1%lo", port: 7410))
        #expect(NameLookup.address(Endpoint(host: "bakery", port: 7410)) == nil)
    }

    @Test func `the machine's own names are found, and invented ones are not`() throws {
        let found = try NameLookup.searchSystem("localhost").get()
        #expect(found.contains { $0.ipAddress == "127.0.0.1" || $0.ipAddress == "::1" })
        #expect(throws: NameUnknown.self) { try NameLookup.searchSystem("bakery.invalid").get() }
    }

    @Test(.enabled(if: Fixtures.hasOpenSSL, "needs the OpenSSL program to make certificates"))
    func `peers are dialled by address and by name while a name server is silent about others`() async throws
    {
        let alice = try TestNode(Fixtures.alice, names: names)
        let bob = try TestNode(Fixtures.bob)
        let endpoint = try await bob.transport.listen(on: Endpoint(host: "127.0.0.1", port: 0))
        let silent = NameLookup.namesAtOnce - 1
        for number in 1...silent {
            alice.transport.dial(
                Endpoint(host: "silent\(number)", port: 7410), as: ConnectionID(UInt64(number)), for: .peer)
        }
        try await eventually("not all are looked up") { server.questions.count == silent ? () : nil }
        alice.transport.dial(endpoint, as: ConnectionID(100), for: .peer)
        #expect(try await alice.secured().id == ConnectionID(100))
        alice.transport.dial(Endpoint(host: "bakery", port: endpoint.port), as: ConnectionID(101), for: .peer)
        #expect(try await alice.secured(not: [ConnectionID(100)]).id == ConnectionID(101))
        server.speak(about: silent)
        await alice.transport.drain(within: .zero)
        await bob.transport.drain(within: .zero)
    }
}
