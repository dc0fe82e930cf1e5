import MeshAgreements
import MeshAudit
import MeshBase
import MeshRouting

/// What can happen to a call. What concerns a call, attempt or service that is over is ignored.
public enum CallInput: Sendable, Equatable {
    /// Decide by this view from now on. Its links count as `linkCameUp` and `linkWentDown` where they differ.
    indirect case viewPublished(CallView)
    /// The link to a peer can carry calls.
    case linkCameUp(NodeID, through: NodeID? = nil)
    /// It cannot any more. Attempts on it still owe their own `attemptFailed`.
    case linkWentDown(NodeID)
    /// Nothing needs the link: it is opened when a call waits for it.
    case linkAtRest(NodeID)
    /// How many bytes the audit's store can still take; before the first of these no call is admitted.
    case roomMeasured(bytes: Int64)
    /// For how long the shell was busy with what came at once. Answers may have waited for it so long, and
    /// what they take says nothing of that about their resources. Told when it has changed, and each second.
    case shellBusy(Duration)
    /// At start: the idempotency keys that the store kept.
    case keysRestored([IdempotencyBook.Entry])
    /// At start, before the first call: what the store kept of agreements' meters.
    case metersRestored([MeterRecord])
    /// The store keeps what `.reserve` ordered.
    indirect case meterKept(MeterRecord)
    /// The agent shuts down: nothing new is begun.
    case draining
    /// The deadline is reached.
    case timeReached

    /// An application asks.
    indirect case requested(LocalRequest)
    /// The application went away.
    case cancelled(RequestID)
    /// More of a streamed request's body has left than is kept here: it cannot be sent again.
    case bodyLeft(RequestID)
    /// Bytes of a streamed request's body, or of an answer, have passed since this was last told: at most
    /// some of these a second.
    case bytesMoved(RequestID)
    /// All of a streamed request's body has passed.
    case bodyEnded(RequestID, BodySummary)
    /// The peer's answer has begun. For a service of this node, use `resourceAnswered`.
    case attemptAnswered(AttemptID, status: UInt16, headers: [HeaderField])
    /// The peer refused, before any answer.
    case attemptRefused(AttemptID, [Refusal], PossibleEffect)
    /// The attempt broke.
    case attemptFailed(AttemptID, AttemptFailure, PossibleEffect)
    /// The peer's answer is complete, and its last frame held back.
    /// - `kept`: the whole body when it is at most `Limits.keptBody` long; needed only where the answer's
    ///   head says that it may be kept.
    case attemptEnded(AttemptID, BodySummary, kept: Octets? = nil)

    /// The external policy engine answered, or did not.
    indirect case judged(ExternalTicket, ExternalAnswer)

    /// A peer asks.
    indirect case arrived(InboundInvocation)
    /// The peer reset its stream, or the connection ended, or what came was not what its head had said.
    case abandoned(InboundKey)
    /// Bytes of a streamed request's body, or of the answer, have passed since this was last told.
    case serviceMoved(InboundKey)
    /// All of a streamed request's body has come.
    case serviceBodyEnded(InboundKey, BodySummary)
    /// The resource's answer has begun.
    case resourceAnswered(ServiceID, status: UInt16, headers: [HeaderField])
    /// The resource could not be reached, or its answer broke.
    case resourceFailed(ServiceID, ResourceFailure, PossibleEffect)
    /// The resource's answer is complete, and its last frame held back.
    /// - `kept`: the whole body when it is at most `IdempotencyBook.bodyMax` long; needed only with an
    ///   idempotency key.
    case resourceEnded(ServiceID, BodySummary, kept: Octets?)
}

/// How an attempt at a peer broke.
public enum AttemptFailure: String, Sendable, CaseIterable {
    /// The link went down.
    case linkLost = "link lost"
    /// The peer reset the stream.
    case streamReset = "stream reset"
    /// The link takes no more streams.
    case noStream = "no stream free"
    /// The peer's answer cannot be read.
    case answerMalformed = "answer malformed"
    /// The peer's answer came in clear, or is not what was sealed for this call.
    case sealBroken = "seal broken"
}

/// How a resource of this node failed.
public enum ResourceFailure: String, Sendable, CaseIterable {
    /// No connection.
    case unreachable
    /// The connection broke before the answer was complete.
    case connectionLost = "connection lost"
    /// The answer was not HTTP, or too long.
    case misbehaved

    /// What callers are told.
    var code: RefusalCode {
        switch self {
        case .unreachable, .connectionLost: .resourceUnreachable
        case .misbehaved: .resourceMisbehaved
        }
    }
}
