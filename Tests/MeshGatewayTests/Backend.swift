import Foundation
import MeshBase
import MeshRouting
import NIOCore
import NIOPosix
import Synchronization

@testable import MeshGateway

/// A resource that does to each connection what the test says, and then closes it.
final class Backend: Sendable {
    let port: UInt16
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    private let listener: Int32
    private let count = Atomic(0)
    let client: ResourceClient

    convenience init(_ serve: @escaping @Sendable (RawSocket) -> Void) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(listener, $0, length)
                _ = listen(listener, 64)
                _ = getsockname(listener, $0, &length)
            }
        }
        self.init(listener, port: UInt16(bigEndian: address.sin_port), serve)
    }

    /// One that listens at a Unix socket, which it makes.
    convenience init(at path: String, _ serve: @escaping @Sendable (RawSocket) -> Void) throws {
        self.init(try SocketFile.listen(at: path), port: 0, serve)
    }

    private init(_ listener: Int32, port: UInt16, _ serve: @escaping @Sendable (RawSocket) -> Void) {
        (self.listener, self.port) = (listener, port)
        client = ResourceClient(ResourceClientConfiguration(), on: loop)
        Thread.detachNewThread { [weak self] in
            while case let accepted = accept(listener, nil, nil), accepted >= 0 {
                self?.count.add(1, ordering: .relaxed)
                let socket = RawSocket(accepted)
                Thread.detachNewThread { serve(socket) }
            }
            close(listener)
        }
    }

    // Ends the accepting thread, which closes: a number closed here could by then be another backend's.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// How many connections came.
    var connections: Int { count.load(ordering: .relaxed) }

    static func request(_ url: ResourceURL) -> ResourceRequest {
        ResourceRequest(
            url: url, method: "GET", path: "/", query: nil, headers: [], added: [],
            body: .whole(ByteBuffer()),
            timeout: .seconds(5))
    }

    /// Asks this backend, beneath `/base`.
    func ask(
        _ other: ResourceClient? = nil, _ adjust: (inout ResourceRequest) -> Void = { _ in }
    ) async -> Answer {
        await Self.ask(url: ResourceURL("http://127.0.0.1:\(port)/base")!, other ?? client, loop, adjust)
    }

    static func ask(
        url: ResourceURL, _ client: ResourceClient? = nil,
        _ loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(),
        _ adjust: (inout ResourceRequest) -> Void = { _ in }
    ) async -> Answer {
        var request = request(url)
        adjust(&request)
        let client = client ?? ResourceClient(ResourceClientConfiguration(), on: loop)
        let collected = Collected()
        loop.execute { [request] in client.perform(request, on: loop, observer: collected) }
        return await collected.whole()
    }
}

/// What came of a request.
struct Answer: Equatable {
    var status: Int?
    var headers: [HeaderField] = []
    var body = ""
    var count = 0
    var trailers: [HeaderField] = []
    var failure: ResourceFailure?
}

/// Collects an answer.
final class Collected: ResourceObserver, @unchecked Sendable {
    let told = Mutex(Answer())
    private let stream: AsyncStream<Answer>
    private let end: AsyncStream<Answer>.Continuation
    /// Set and called on the event loop.
    var onHead: () -> Void = {}
    /// Set and called on the event loop.
    var onBodyWanted: () -> Void = {}

    init() { (stream, end) = AsyncStream.makeStream() }

    func answerBegan(status: Int, headers: [HeaderField]) {
        told.withLock { ($0.status, $0.headers) = (status, headers) }
        onHead()
    }

    func bodyWanted() { onBodyWanted() }

    func answerBody(_ chunk: ByteBuffer) {
        told.withLock {
            $0.count += chunk.readableBytes
            if $0.count < 1_000_000 { $0.body += String(buffer: chunk) }
        }
    }

    func answerEnded(trailers: [HeaderField]) {
        told.withLock { $0.trailers = trailers }
        end.yield(told.withLock { $0 })
    }

    func answerFailed(_ failure: ResourceFailure) {
        told.withLock { $0.failure = failure }
        end.yield(told.withLock { $0 })
    }

    func whole() async -> Answer {
        for await answer in stream { return answer }
        return Answer()
    }
}
