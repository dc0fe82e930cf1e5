import NIOCore
import Testing

@testable import MeshAgent
@testable import MeshLink

extension RunningAgent {
    /// Puts a handler between TLS and the frames of this agent's link with `other`. It is made on the link's
    /// event loop.
    func place(
        _ make: @escaping @Sendable () -> any ChannelHandler, onLinkWith other: RunningAgent
    ) async throws {
        let link = try #require(await link(with: other.node))
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            transport.on(link.connection) { connection in
                guard let pipeline = connection.context?.pipeline else {
                    return done.resume(throwing: NeverHappened(description: "no pipeline"))
                }
                do {
                    try pipeline.syncOperations.addHandler(make(), position: .before(connection))
                    done.resume()
                } catch {
                    done.resume(throwing: error)
                }
            }
        }
    }
}
