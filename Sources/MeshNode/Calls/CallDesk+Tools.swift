import MeshAgreements
import MeshBase
import MeshRouting

/// What of an MCP server's tools shows (decision 0036): pure questions.
extension CallDesk {
    /// How the resource that a request names is spoken to; nil when nobody says, or more than one could.
    public func resourceProtocol(
        of resource: ResourceName, at target: CallTarget, at wall: WallTime
    ) -> ResourceProtocol? {
        let node: NodeID
        switch target {
        case .node(let named): node = named
        case .named(let name):
            guard let named = name == view.name ? view.me : view.names[name] else { return nil }
            node = named
        case .any:
            guard case .allowed(let providers) = providers(of: resource, at: wall) else { return nil }
            return providers.lazy.compactMap { self.resourceProtocol(of: resource, at: $0.node) }.first
        }
        return resourceProtocol(of: resource, at: node)
    }

    /// While nothing is known of what a peer offers, since its link is at rest, `.mcp`: whoever speaks MCP to
    /// it is taken at its word, and told what it really is once it calls.
    private func resourceProtocol(of resource: ResourceName, at node: NodeID) -> ResourceProtocol? {
        let description =
            node == view.me ? view.resource(resource)?.description : view.description(resource, at: node)
        return description?.protocol ?? (view.peers[node]?.catalog == .awaited ? .mcp : nil)
    }

    /// Which of the tools at `paths` the caller may call now, by the capability that a call would use and by
    /// what is agreed on that; how much of a rate or quota is used does not count. Who may not call a tool
    /// learns nothing of it.
    /// - Parameters:
    ///   - invocation: the one that asks which there are.
    ///   - peer: whose it is; nil: an application's on this machine, which may call them all.
    /// - Returns: for each path, in its place, whether.
    public func callable(
        _ paths: [String], of resource: LocalResource, for invocation: Invocation, by peer: NodeID?,
        at now: Moment
    ) -> [Bool] {
        var verdicts: [ResourceName: Bool] = [:]
        return paths.map { path in
            guard
                let capability = CapabilityMatcher.match(
                    resource.description.capabilities, method: ToolCall.method, path: path)
            else { return false }
            guard let peer else { return true }
            if let verdict = verdicts[capability.name] { return verdict }
            let verdict = view.permits(
                callBy: peer, resource.name, capability, method: ToolCall.method, as: invocation.principal,
                for: invocation.purpose, payload: invocation.sealedTo == nil ? .clear : .sealed, MeterBook(),
                at: now)
            let isPermitted = if case .permitted = verdict { true } else { false }
            verdicts[capability.name] = isPermitted
            return isPermitted
        }
    }
}
