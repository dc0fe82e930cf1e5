import MeshAgreements
import MeshBase
import MeshRouting

// Links that this node carries for two peers, and those that reach it so (decision 0043).
//
// A call of `relay` is decided as any other. What is asked here is only whom it may reach. All "no" is one:
// who asks learns nothing of whom this node knows.
extension CallDesk {
    /// Whom a call of this node's `relay` by `caller` reaches over `path`, `/NODE-ID`: a trusted peer that
    /// has this node's `relay` as well, so that both ends asked for it; and each end connected with this node
    /// itself, so that no link rests on another that is carried, let alone on itself.
    public func circuitEnd(of path: String, for caller: NodeID, at now: Moment) -> NodeID? {
        guard path.utf8.first == UInt8(ascii: "/"), let end = NodeID(String(path.dropFirst())),
            end != caller, isConnected(caller), isConnected(end)
        else { return nil }
        // How often an end is reached, its own calls of `relay` are not counted for.
        let verdict = view.permits(
            callBy: end, .relay, Self.circuit, method: WebSocketUpgrade.method, as: .agent, for: nil,
            payload: .sealed, MeterBook(), at: now)
        guard case .permitted = verdict else { return nil }
        return end
    }

    /// Whether `relay` may bring a link of `caller` to this node: a trusted peer whose `relay` this node
    /// itself may use, and with which it is connected; and one that is to be met.
    public func acceptsCircuit(from relay: NodeID, of caller: NodeID, at now: Moment) -> Bool {
        guard isConnected(relay), caller != relay, view.trustRefusal(caller) == nil else { return false }
        let verdict = view.permits(
            calling: relay, .relay, Self.circuit, method: WebSocketUpgrade.method, as: .agent, for: nil,
            through: routes.lines[relay]?.relay, MeterBook(), at: now)
        guard case .permitted = verdict else { return false }
        return true
    }

    private static var circuit: Capability { CapabilityMatcher.relay.capabilities[0] }

    /// Whether a trusted peer has a link that nobody carries.
    private func isConnected(_ node: NodeID) -> Bool {
        guard view.trustRefusal(node) == nil, let line = routes.lines[node], line.relay == nil else {
            return false
        }
        return line.link == .up || line.link == .atRest
    }
}
