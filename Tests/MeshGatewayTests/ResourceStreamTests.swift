import Glibc
import MeshBase
import MeshRouting
import NIOCore
import Synchronization
import Testing

@testable import MeshGateway

/// Bodies that stream to a resource.
@Suite struct ResourceStreamTests {
    /// Asks with a body that `send` sends as it is wanted.
    private func ask(
        _ backend: Backend, _ body: ResourceBody,
        _ send: @escaping @Sendable (ResourceExchange) -> Void
    ) async throws -> Answer {
        let url = ResourceURL("http://127.0.0.1:\(backend.port)/base")!
        let collected = Collected()
        let client = backend.client
        let loop = backend.loop
        try await loop.submit {
            var request = Backend.request(url)
            request.method = "PUT"
            request.body = body
            let box = Box()
            collected.onBodyWanted = {
                if let exchange = box.exchange { send(exchange) } else { box.isWanted = true }
            }
            box.exchange = client.perform(request, on: loop, observer: collected)
            if box.isWanted, let exchange = box.exchange { send(exchange) }
        }.get()
        return await collected.whole()
    }

    private final class Box {
        var exchange: ResourceExchange?
        var isWanted = false
    }

    private func echoing() throws -> Backend {
        try Backend { socket in
            let whole = socket.receive(until: "\r\n\r\n") + socket.receive(until: "END")
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(whole.utf8.count)\r\n\r\n" + whole)
        }
    }

    @Test func writesADeclaredBodyAsItIs() async throws {
        let answer = try await ask(try echoing(), .streamed(length: 6)) { exchange in
            #expect(exchange.send(ByteBuffer(string: "abc")))
            #expect(exchange.send(ByteBuffer(string: "END")))
            exchange.finish(trailers: [HeaderField("x-sum", "1")])
        }
        #expect(answer.body.hasSuffix("content-length: 6\r\n\r\nabcEND"))
        #expect(!answer.body.contains("transfer-encoding"))
    }

    @Test func writesAnUndeclaredBodyInChunksWithItsTrailers() async throws {
        let answer = try await ask(
            try Backend { socket in
                let whole = socket.receive(until: "\r\n\r\n") + socket.receive(until: "\r\n\r\n")
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(whole.utf8.count)\r\n\r\n" + whole)
            }, .streamed(length: nil)
        ) { exchange in
            _ = exchange.send(ByteBuffer(string: "abc"))
            _ = exchange.send(ByteBuffer())
            exchange.finish(trailers: [
                HeaderField("x-sum", "3"), HeaderField("content-length", "9"),
                HeaderField("x-bad", "a\r\nb: c"),
            ])
        }
        #expect(answer.body.hasSuffix("transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 3\r\n\r\n"))
    }

    @Test func writesAWholeBodyWithTrailersInChunks() async throws {
        let backend = try Backend { socket in
            let whole = socket.receive(until: "\r\n\r\n") + socket.receive(until: "\r\n\r\n")
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(whole.utf8.count)\r\n\r\n" + whole)
        }
        let answer = try await ask(
            backend, .whole(ByteBuffer(string: "abc"), trailers: [HeaderField("x-sum", "3")])
        ) { _ in }
        #expect(answer.body.hasSuffix("chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 3\r\n\r\n"))
    }

    @Test func failsRatherThanWriteMoreOrLessThanWasDeclared() async throws {
        let long = try await ask(try echoing(), .streamed(length: 2)) { exchange in
            #expect(!exchange.send(ByteBuffer(string: "abc")))
        }
        #expect(long.failure?.effect == .possible)
        let short = try await ask(try echoing(), .streamed(length: 4)) { exchange in
            _ = exchange.send(ByteBuffer(string: "abc"))
            exchange.finish(trailers: [])
        }
        #expect(short.failure?.effect == .possible)
    }

    @Test func tellsItsSenderToWaitForASlowResource() async throws {
        let mayRead = Atomic(false)
        let size = 64 << 20
        let backend = try Backend { socket in
            while !mayRead.load(ordering: .acquiring) { usleep(1_000) }
            _ = socket.receive(until: "\r\n\r\n")
            var left = size
            while left > 0 {
                let count = socket.receive().count
                guard count > 0 else { return }
                left -= count
            }
            socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        }
        let sent = Atomic(0)
        let asking = Task {
            try await ask(backend, .streamed(length: Int64(size))) { exchange in
                let piece = ByteBuffer(repeating: 1, count: 64 * 1024)
                while sent.load(ordering: .relaxed) < size {
                    sent.add(piece.readableBytes, ordering: .relaxed)
                    guard exchange.send(piece) else { return }
                }
                exchange.finish(trailers: [])
            }
        }
        try await Task.sleep(for: .milliseconds(300))
        #expect(sent.load(ordering: .relaxed) < size / 2)
        mayRead.store(true, ordering: .releasing)
        #expect(try await asking.value.status == 200)
    }

    @Test func doesNotUseAConnectionAgainOnWhichABodyWasNotFinished() async throws {
        let backend = try Backend { socket in
            while case let head = socket.receive(until: "\r\n\r\n"), !head.isEmpty {
                socket.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            }
        }
        let early = try await ask(backend, .streamed(length: 6)) { _ = $0.send(ByteBuffer(string: "abc")) }
        #expect(early.body == "ok")
        #expect(await backend.ask().body == "ok")
        #expect(backend.connections == 2)
    }
}
