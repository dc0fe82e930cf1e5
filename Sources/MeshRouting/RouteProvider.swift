import MeshBase

/// A peer that counts as a provider of a resource because the operator said so, and how much it is preferred.
public struct RouteProvider: Hashable, Sendable {
    /// Who.
    public let node: NodeID
    /// 1 ... `Limits.routeWeight`: it is taken as if it were so many times as fast.
    public let weight: Int64

    /// - Precondition: a weight within its bounds.
    public init(_ node: NodeID, weight: Int64 = 1) {
        precondition((1...Limits.routeWeight).contains(weight), "a weight of \(weight)")
        self.node = node
        self.weight = weight
    }
}
