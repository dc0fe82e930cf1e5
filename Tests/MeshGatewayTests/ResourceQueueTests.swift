import Foundation
import MeshBase
import MeshRouting
import Testing

@testable import MeshGateway

/// More requests than connections: they wait, and no resource that is well is said to be unreachable.
@Suite struct ResourceQueueTests {
    @Test func waitsForAConnection() async throws {
        let backend = try Backend { socket in
            while !socket.receive(until: "\r\n\r\n").isEmpty {
                usleep(1_000)
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
        }
        var configuration = ResourceClientConfiguration()
        configuration.connectionLimit = 2
        let client = ResourceClient(configuration, on: backend.loop)
        let statuses = await statuses(of: 40, backend, client)
        #expect(statuses == Array(repeating: 200, count: 40))
        #expect(backend.connections == 2)
    }

    @Test func dialsForWhoWaitsWhenAConnectionEnds() async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        }
        let client = ResourceClient(Self.one(), on: backend.loop)
        let statuses = await statuses(of: 10, backend, client)
        #expect(statuses == Array(repeating: 200, count: 10))
        #expect(backend.connections == 10)
    }

    @Test func waitsNoLongerThanItsTime() async throws {
        let silent = try Backend { socket in _ = socket.receiveAll() }
        let client = ResourceClient(Self.one(), on: silent.loop)
        async let first = silent.ask(client) { $0.timeout = .milliseconds(1_000) }
        while silent.connections == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let second = await silent.ask(client) { $0.timeout = .milliseconds(50) }
        #expect(second.failure == .timedOut(.none))
        #expect(await first.failure == .timedOut(.possible))
    }

    @Test func waitsForAConnectionThatHoldsNothingOfSomebodyElses() async throws {
        // The first answer fills the read; another one stands behind it, which nobody asked for.
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            usleep(50_000)
            let head = "HTTP/1.1 200 OK\r\ncontent-length: "
            let length = 4_096 - (head + "4000\r\n\r\n").utf8.count
            let answer = head + "\(length)\r\n\r\n" + String(repeating: "a", count: length)
            socket.send(answer + "HTTP/1.1 299 Unasked\r\ncontent-length: 0\r\n\r\n")
            _ = socket.receiveAll()
        }
        let client = ResourceClient(Self.one(), on: backend.loop)
        async let first = backend.ask(client)
        while backend.connections == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let second = await backend.ask(client)
        #expect(await first.status == 200 && second.status == 200)
        #expect(backend.connections == 2)
    }

    @Test func whoIsGivenUpLeavesItsPlace() async throws {
        let backend = try Backend { socket in
            while !socket.receive(until: "\r\n\r\n").isEmpty {
                usleep(300_000)
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
        }
        var configuration = Self.one()
        configuration.waitingLimit = 2
        let client = ResourceClient(configuration, on: backend.loop)
        async let first = backend.ask(client)
        while backend.connections == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let loop = backend.loop
        let request = Backend.request(try #require(ResourceURL("http://127.0.0.1:\(backend.port)/base")))
        try await loop.submit {
            for _ in 0..<20 { client.perform(request, on: loop, observer: Collected()).cancel() }
        }.get()
        #expect(await backend.ask(client).status == 200)
        #expect(await first.status == 200)
    }

    @Test func waitsForOneOfEachOtherCallerAndNotForAllThatTheyHaveWaiting() async throws {
        let backend = try Backend { socket in
            while !socket.receive(until: "\r\n\r\n").isEmpty {
                usleep(2_000)
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            }
        }
        let client = ResourceClient(Self.one(), on: backend.loop)
        let url = try #require(ResourceURL("http://127.0.0.1:\(backend.port)/base"))
        let (greedy, modest) = (
            NodeID(try #require(Digest([1] + [UInt8](repeating: 0, count: 31)))), NodeID(.zero)
        )
        @Sendable func request(of caller: NodeID) -> ResourceRequest {
            var request = Backend.request(url)
            request.caller = caller
            return request
        }
        let many = (0..<100).map { _ in Collected() }
        let one = Collected()
        let loop = backend.loop
        try await loop.submit {
            for observer in many {
                _ = client.perform(request(of: greedy), on: loop, observer: observer)
            }
            _ = client.perform(request(of: modest), on: loop, observer: one)
        }.get()
        #expect(await one.whole().status == 200)
        // Two are ahead of it, and some may be answered while this looks.
        let answered = many.count { other in other.told.withLock { $0.status } != nil }
        #expect(answered <= 20, "\(answered) of another caller's were answered first")
    }

    @Test func waitsNoLongerThanDiallingWouldTakeAndNothingHasLeft() async throws {
        let silent = try Backend { socket in _ = socket.receiveAll() }
        var configuration = Self.one()
        configuration.connectTime = .milliseconds(100)
        let client = ResourceClient(configuration, on: silent.loop)
        async let first = silent.ask(client) { $0.timeout = .milliseconds(1_000) }
        while silent.connections == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let second = await silent.ask(client)
        #expect(second.failure == .exhausted(.host(Endpoint(host: "127.0.0.1", port: silent.port))))
        #expect(await first.failure == .timedOut(.possible))
    }

    /// Asks so many times at once.
    private func statuses(of count: Int, _ backend: Backend, _ client: ResourceClient) async -> [Int?] {
        await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<count { group.addTask { await backend.ask(client).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func one() -> ResourceClientConfiguration {
        var configuration = ResourceClientConfiguration()
        configuration.connectionLimit = 1
        return configuration
    }
}
