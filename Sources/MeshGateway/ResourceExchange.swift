import MeshBase
import MeshRouting
import NIOCore

/// One request to a resource under way: the handle of whoever asked, used on the event loop of the request
/// only.
public final class ResourceExchange {
    private enum State {
        case waiting(any ResourceObserver)
        case done
    }

    let head: ByteBuffer
    let body: ResourceBody
    let method: String
    let caller: NodeID?
    let isWebSocket: Bool
    let deadline: NIODeadline
    private var state: State
    /// Whether a byte may have left.
    var effect = PossibleEffect.none
    /// What carries it; nil while that is being made.
    var connection: (any ResourceCarrier)?
    /// While it waits for a connection: what is to happen when it is over.
    var whenOver: (() -> Void)?

    init(_ request: ResourceRequest, head: ByteBuffer, observer: any ResourceObserver) {
        self.head = head
        body = request.body
        method = request.method
        caller = request.caller
        isWebSocket = request.isWebSocket
        deadline = request.timeout.map { .now() + TimeAmount($0) } ?? .distantFuture
        state = .waiting(observer)
    }

    /// Whether nothing more will be told.
    var isDone: Bool { if case .done = state { true } else { false } }

    /// Gives up: nothing more is told. A request that was written already may still have its effect; that is
    /// what is answered.
    @discardableResult
    public func cancel() -> PossibleEffect {
        guard !isDone else { return effect }
        state = .done
        leave()
        connection?.abandon(self)
        connection = nil
        return effect
    }

    /// Sends the next piece of a streamed body, after `bodyWanted`.
    /// - Returns: whether to go on; when not, `bodyWanted` follows.
    public func send(_ piece: ByteBuffer) -> Bool { connection?.send(piece, of: self) ?? false }

    /// Ends a streamed body. Trailers are sent when it goes in chunks.
    public func finish(trailers: [HeaderField]) { connection?.finish(trailers, of: self) }

    /// Reads no more of the answer until `resume`: whoever it goes to is slower than the resource. The
    /// timeout runs on.
    public func hold() { connection?.hold(self) }

    /// Reads on.
    public func resume() { connection?.resume(self) }

    func tell(_ event: (any ResourceObserver) -> Void) {
        if case .waiting(let observer) = state { event(observer) }
    }

    /// Tells the last thing.
    func conclude(_ event: (any ResourceObserver) -> Void) {
        guard case .waiting(let observer) = state else { return }
        state = .done
        leave()
        connection = nil
        event(observer)
    }

    private func leave() {
        guard let end = whenOver else { return }
        whenOver = nil
        end()
    }
}
