import Foundation
import MeshBase
import Synchronization
import Testing

@testable import MeshGateway

@Suite("Resources at Unix sockets")
struct UnixSocketResourceTests {
    private let path = NSTemporaryDirectory() + "comity-\(UUID().uuidString.prefix(8)).sock"

    private func url(_ rest: String = "") throws -> ResourceURL {
        try #require(ResourceURL("http://unix:\(path)\(rest)"))
    }

    @Test("are asked as any other, and over a connection that is kept")
    func answers() async throws {
        defer { unlink(path) }
        let heads = Mutex<[String]>([])
        let backend = try Backend(at: path) { socket in
            for _ in 0..<2 {
                let head = socket.receive(until: "\r\n\r\n")
                heads.withLock { $0.append(head) }
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            }
        }
        for _ in 0..<2 {
            let answer = await Backend.ask(url: try url(":/v1"), backend.client, backend.loop) {
                $0.path = "/orders"
            }
            #expect(answer.status == 200 && answer.body == "ok")
        }
        #expect(backend.connections == 1)
        let seen = heads.withLock { $0 }
        #expect(seen.count == 2)
        for head in seen {
            #expect(head.hasPrefix("GET /v1/orders HTTP/1.1\r\n"))
            #expect(head.lowercased().contains("host: localhost\r\n"))
        }
    }

    @Test("that are not there are named, and nothing had an effect")
    func absent() async throws {
        let answer = await Backend.ask(url: try url())
        let failure = try #require(answer.failure)
        #expect(failure.effect == .none)
        #expect(failure.description.contains("the Unix socket \(path)"))
    }
}
