import MeshBase
import MeshLink
import MeshRouting
import MeshWire
import NIOCore
import Synchronization
import Testing

@testable import MeshAgent
@testable import MeshNode

@Suite("What one peer may leave in a node's memory", .serialized, .timeLimit(.minutes(1)))
struct HeadRoomTests {
    /// What became of streams.
    private final class Ends: LinkStreamObserver {
        private let resets = Mutex(0)
        var count: Int { resets.withLock { $0 } }
        func stream(did event: LinkStreamEvent) {
            if case .reset = event { resets.withLock { $0 += 1 } }
        }
    }

    @Test("heads of calls whose bodies do not come take a peer's share of memory, and give it back")
    func heads() async throws {
        try await Market.with { market in
            let (plane, ends) = (market.bob.calls, Ends())
            let padding = (0..<4).map { HeaderField("x-\($0)", String(repeating: "x", count: 7_000)) }
            func head(_ number: UInt64) throws -> ByteBuffer {
                ByteBuffer(
                    bytes: try InvocationCodec.encode(
                        Invocation(
                            correlation: CorrelationID(high: 1, low: number), attempt: 1, traceparent: nil,
                            agreement: nil, principal: .local, resource: .echo, capability: .echo,
                            method: "POST", path: "/", query: nil, headers: padding,
                            remainingMilliseconds: 60_000, idempotencyKey: nil,
                            body: .whole(length: 1_000, digest: .zero))))
            }
            let heads = try (0..<800).map { try head($0) }
            let alice = market.alice.node
            let streams = try await plane.loop.submit {
                heads.compactMap { head -> LinkStream? in
                    guard let connection = plane.tables.value.links[alice] else { return nil }
                    return plane.transport.withLock { $0 }?
                        .openStream(on: connection, head: head, observer: ends)
                }
            }.get()
            #expect(streams.count == heads.count)
            let most = Limits.memoryPerPeer / heads[0].readableBytes
            try await until("those beyond the share are refused") { ends.count == heads.count - most }
            let answer = try await market.bob.application.send(.GET, "/mesh/alice/orders/list")
            #expect(answer.status == 200, "a short head takes nothing of it")
            for stream in streams { stream.reset(.cancelled) }
            let held = market.alice.calls
            try await until("the share is free again") {
                let kept = try await held.loop.submit { held.tables.value.kept.values.reduce(0, +) }.get()
                return kept == 0
            }
        }
    }
}
