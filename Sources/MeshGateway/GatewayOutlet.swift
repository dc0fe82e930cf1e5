import MeshBase
import MeshRouting
import NIOCore

/// Where answers to an application leave: its connection, or one call of a connection that carries many. What
/// refers to a request that is over is ignored. On its event loop only.
protocol GatewayOutlet: AnyObject {
    /// Reads no more of the body.
    func holdBody(_ id: GatewayRequestID)
    /// Reads on.
    func resumeBody(_ id: GatewayRequestID)
    /// The head of an answer whose body follows.
    func answerHead(
        _ id: GatewayRequestID?, status: Int, headers: [HeaderField], correlation: CorrelationID?)
    /// The next bytes of the body.
    func answerBody(_ id: GatewayRequestID?, _ chunk: ByteBuffer)
    /// The end of the answer.
    func answerEnd(_ id: GatewayRequestID?, trailers: [HeaderField])
    /// A whole answer; `extra` are fields of the gateway's own.
    func answerWhole(
        _ id: GatewayRequestID?, status: Int, headers: [HeaderField], body: ByteBuffer,
        correlation: CorrelationID?, extra: [HeaderField])
    /// A refusal; nil takes the first code's status.
    func answerRefused(
        _ id: GatewayRequestID?, _ refusals: [Refusal], status: Int?, correlation: CorrelationID?)
    /// What became of each part of a request to all providers.
    func answerGathered(_ id: GatewayRequestID?, _ parts: [FanOutPart])
}
