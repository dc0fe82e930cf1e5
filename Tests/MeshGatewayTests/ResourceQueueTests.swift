import Foundation
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
        let statuses = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<40 { group.addTask { await backend.ask(client).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 40))
        #expect(backend.connections == 2)
    }

    @Test func dialsForWhoWaitsWhenAConnectionEnds() async throws {
        let backend = try Backend { socket in
            _ = socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        }
        var configuration = ResourceClientConfiguration()
        configuration.connectionLimit = 1
        let client = ResourceClient(configuration, on: backend.loop)
        let statuses = await withTaskGroup(of: Int?.self) { group in
            for _ in 0..<10 { group.addTask { await backend.ask(client).status } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 10))
        #expect(backend.connections == 10)
    }

    @Test func waitsNoLongerThanItsTime() async throws {
        let silent = try Backend { socket in _ = socket.receiveAll() }
        var configuration = ResourceClientConfiguration()
        configuration.connectionLimit = 1
        let client = ResourceClient(configuration, on: silent.loop)
        async let first = silent.ask(client) { $0.timeout = .milliseconds(1_000) }
        while silent.connections == 0 { try await Task.sleep(for: .milliseconds(5)) }
        let second = await silent.ask(client) { $0.timeout = .milliseconds(50) }
        #expect(second.failure == .timedOut(.none))
        #expect(await first.failure == .timedOut(.possible))
    }
}
