import MeshAgreements
import MeshBase
import MeshNode
import MeshRouting

@testable import MeshSimulator

extension Invocation {
    static let sample = Invocation(
        correlation: CorrelationID(high: 1, low: 1), attempt: 1, traceparent: nil, agreement: nil,
        principal: .local,
        resource: .echo, capability: .echo, method: "POST", path: "/", query: nil, headers: [],
        remainingMilliseconds: 1_000, idempotencyKey: nil, body: .none)
}

extension AgreementRecord {
    func renamed(_ contentID: Digest) -> AgreementRecord {
        AgreementRecord(contentID: contentID, peer: peer, document: document, state: state, origin: origin)
    }
}
