import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// What the desk orders. The order is the rule of durability: whatever follows a `.record`, a `.remember` or
/// a `.reserve` that is awaited is performed only once that is as durable as it says. `OrderLine` keeps it.
/// What is long is kept apart, since orders pass through several hands.
public enum CallEffect: Sendable, Equatable {
    /// Append to the journal.
    case record([AuditRecord], AuditDurability)
    /// Keep this idempotency key, synced.
    indirect case remember(IdempotencyBook.Entry)
    /// Keep this of an agreement's meter, synced, and tell it by `CallInput.meterKept`.
    indirect case reserve(MeterReservation)
    /// A breaker changed; for `Node`. It is in the audit already.
    indirect case breakerChanged(BreakerChange)
    /// A call waits for a link with this peer that is opened only when one is needed; for `Node`.
    case linkWanted(NodeID)
    /// Calls use the link with this peer; for `Node`, every so often.
    case linkUsed(NodeID)

    /// Ask the external policy engine about this call.
    indirect case judge(ExternalTicket, ExternalQuestion, CorrelationID)
    /// Send this to the peer with the request's body (none for GET and HEAD from `/invoke`).
    indirect case send(AttemptID, to: NodeID, Invocation)
    /// The attempt is over here: reset its stream.
    case abandon(AttemptID)
    /// Let this attempt's answer, its head and its body but for the last frame, pass to the application.
    case answer(AttemptID, status: UInt16, headers: [HeaderField], CorrelationID)
    /// Let the answer's last frame pass.
    case finish(RequestID)
    /// Answer the application as the same call was answered before, whole.
    case answerAgain(RequestID, IdempotencyBook.End, CorrelationID)
    /// Answer the application with every reason.
    case refuse(RequestID, [Refusal], CorrelationID)
    /// The answer had begun and will not be completed: break it off so that the application sees that.
    case breakOff(RequestID, [Refusal])

    /// Ask the resource; its headers are those that the backend gets. The built-in `echo` answers with the
    /// body it was sent.
    indirect case serve(ServiceID, LocalResource, Invocation)
    /// The service is over here: break off with the resource.
    case stop(ServiceID)
    /// Answer the peer: a head, or a refusal and the end.
    case respond(InboundKey, InvocationAnswer)
    /// Let the last frame pass to the peer.
    case finishResponse(InboundKey)
    /// Reset the peer's stream.
    case breakOffResponse(InboundKey)
    /// Answer the peer as the same call was answered before, whole.
    case replay(InboundKey, IdempotencyBook.End)
}

/// One change of a breaker.
public struct BreakerChange: Sendable, Equatable {
    /// The peer, or this node for its own resource.
    public let node: NodeID
    /// The resource; nil for the breaker of the link.
    public let resource: ResourceName?
    /// `closed`, `open` or `half-open`.
    public let from: String
    /// `closed`, `open` or `half-open`.
    public let to: String
}
