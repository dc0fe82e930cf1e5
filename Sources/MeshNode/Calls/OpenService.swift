import MeshAudit
import MeshBase
import MeshRouting

/// One peer's call on its way through this node.
struct OpenService: Sendable, Equatable {
    let peer: NodeID
    /// Whose it counted as when it came.
    let partner: Digest
    let resource: ResourceName
    /// Until the answer begins.
    var place: ServicePlace?
    /// Whether all of the request is there, so that what it takes is the resource's doing.
    var isRequestWhole: Bool
    let agreement: Digest
    let event: CorrelationID
    let began: Instant
    let key: IdempotencyBook.Key?
    /// What ends it at its deadline: the time that the resource gets, or what was left of the call's.
    let timeoutCode: RefusalCode
    let scope: DeadlineScope
    /// How long it may take, or its answer be waited for since bytes last moved.
    let patience: Duration
    /// For how long the caller may keep the answer, by what was asked; nil: not at all.
    let keepFor: Duration?
    var status: UInt16?
    var headers: [HeaderField] = []
    /// The whole of a streamed body, once it has come.
    var passed: BodySummary?
}
