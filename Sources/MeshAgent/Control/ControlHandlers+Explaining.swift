import Glibc
import MeshAudit
import MeshBase
import MeshControl
import MeshGateway
import MeshNode

// Why something is as it is.
extension ControlHandlers {
    /// Events of a peer that one explanation reads.
    private static var historyMax: Int { 200 }

    func explain(_ request: Explain.Request) async throws(ControlFailure) -> ExplainReport {
        switch request.subject {
        case .last: try await explainCall(try await lastCall())
        case .call(let correlation): try await explainCall(correlation)
        case .reference(let text): try await explainHandshake(text)
        case .peer(let text): try await explainPeer(text)
        case .wouldCall(let peer, let resource, let capability, let principal):
            try await forecast(peer, resource, capability, principal)
        }
    }

    private func lastCall() async throws(ControlFailure) -> CorrelationID {
        let me = await plane.report { $0.me }
        let query = AuditQuery(node: me, type: .call, limit: 1)
        guard let last = try await trail.answers(query).first?.event.correlation else {
            throw ControlFailure(
                Refusal(.nothingFound, [Fact("calls of this node", 0)]),
                next: "comity call PEER/echo '{\"hi\":1}'")
        }
        return last
    }

    private func explainCall(_ correlation: CorrelationID) async throws(ControlFailure) -> ExplainReport {
        let memory = try await memory(of: correlation, askPeers: true)
        guard let report = await plane.report({ $0.explanation(memory) }) else {
            throw ControlFailure(Refusal(.nothingFound, [Fact("correlation id", correlation)]))
        }
        return report
    }

    private func explainHandshake(_ text: String) async throws(ControlFailure) -> ExplainReport {
        let reference = Fact("reference", text.lowercased())
        let query = AuditQuery(type: .trust, limit: AuditQuery.limitMax)
        let event = try await trail.answers(query).lazy.map(\.event).first { $0.metadata.contains(reference) }
        guard let event else {
            // Whoever types a peer's name alone means the peer.
            if await plane.report({ $0.isPeer(text) }) { return try await explainPeer(text) }
            throw ControlFailure(
                Refusal(
                    .nothingFound,
                    [
                        Fact("given", String(text.prefix(64))),
                        Fact("it is no", "code, correlation id or peer's name, nor a reference of this node"),
                        Fact("a reference", "is known to the node that refused: explain it there"),
                    ]),
                next: "comity audit list --type trust")
        }
        return await plane.report { $0.explanation(ofHandshake: event) }
    }

    private func explainPeer(_ text: String) async throws(ControlFailure) -> ExplainReport {
        let id = try await peer(text)
        var history: [AuditEvent] = []
        for type in [AuditEventType.trust, .link] {
            let query = AuditQuery(node: id, type: type, limit: Self.historyMax)
            history += try await trail.answers(query).map(\.event)
        }
        let events = history.sorted { ($0.time, $0.id) > ($1.time, $1.id) }
        let breakers = await survey.breakers()
        return await plane.report { $0.explanation(of: id, history: events, breakers: breakers) }
    }

    private func forecast(
        _ peer: String, _ resource: ResourceName, _ capability: ResourceName?, _ principal: Principal?
    ) async throws(ControlFailure) -> ExplainReport {
        let target: CallTarget =
            peer == "any" ? .any : .node(try (await plane.report { $0.anyNode(peer) }).orFail())
        // Whoever may ask here is this node's own user, and would call over the gateway's Unix socket.
        let user = GatewayTransport.unixSocket(uid: getuid())
        let naming = principal.map { calls.principals.principal(of: user, claiming: $0) }
        let request = LocalRequest.imagined(at: target, resource, capability, as: principal ?? .local)
        let explanation = survey.explanation(request)
        return await plane.report { $0.forecast(request, explanation, naming: naming) }
    }
}
