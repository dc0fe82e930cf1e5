import MeshRouting
import NIOCore

/// What carries an exchange: a connection that is its alone (HTTP/1.1), or a stream of one that it shares
/// (HTTP/2). Each names the exchange that means it: what comes from one that is over changes nothing.
protocol ResourceCarrier: AnyObject {
    /// Writes the next piece of a streamed body; false when the sender is to wait for `bodyWanted`.
    func send(_ piece: ByteBuffer, of sender: ResourceExchange) -> Bool
    /// Ends the body.
    func finish(_ trailers: [HeaderField], of sender: ResourceExchange)
    /// Reads no more of the answer until `resume`.
    func hold(_ holder: ResourceExchange)
    /// Reads on.
    func resume(_ holder: ResourceExchange)
    /// The exchange was given up.
    func abandon(_ given: ResourceExchange)
}
