import Foundation
import MeshAgreements
import MeshBase
import MeshControl
import MeshGateway
import MeshNode
import MeshRouting

// Resources, routes and the catalog.
extension ControlHandlers {
    func listResources() async -> ResourcesReport {
        ResourcesReport(resources: await plane.report { $0.resources })
    }

    func findResources(_ request: FindResources.Request) async -> CatalogReport {
        CatalogReport(entries: await plane.report { $0.catalog(request.query, labels: request.labels) })
    }

    /// All is looked at before anything is done; when an offer fails nevertheless, what was before is
    /// restored. Offers that were sent by then stay with their peers and cover nothing.
    func addResource(_ request: AddResource.Request) async throws(ControlFailure) -> AddResource.Response {
        let resource = try Self.resource(request)
        try checkProgram(of: request.url)
        let isToDomain = request.offerTo.contains(Self.domainWord)
        let named = request.offerTo.filter { $0 != Self.domainWord }
        let peers = try (await plane.report { $0.peers(named) }).orFail()
        if !peers.isEmpty { try Self.check(life: request.offerSeconds) }
        for peer in peers { try (await plane.report { $0.offerable(to: peer) }).orFail() }
        let (former, offeredBefore, replaced) = await plane.report { writer in
            let former = writer.node.resources[resource.name]
            let offer = writer.node.offeredToDomain[resource.name] ?? .withheld
            return (former, offer, former.map(writer.report(of:)))
        }
        try await order(.addResource(resource, toDomain: isToDomain ? .offered : .withheld))
        var offered: [AgreementRecord] = []
        do throws(ControlFailure) {
            for peer in peers {
                offered.append(
                    try await offer(
                        OfferRequest(
                            peer: peer, grants: [Grant(resource: resource.name, capabilities: nil)],
                            life: .seconds(request.offerSeconds))))
            }
        } catch {
            try await order(
                former.map { .addResource($0, toDomain: offeredBefore) } ?? .removeResource(resource.name))
            throw error
        }
        var agreements: [AgreementReport] = []
        for record in offered { agreements.append(await settled(record)) }
        return AddResource.Response(
            resource: await plane.report { $0.report(of: resource) }, agreements: agreements,
            replaced: replaced, domain: await plane.report { $0.house?.domain })
    }

    func removeResource(_ request: RemoveResource.Request) async throws(ControlFailure) -> ResourceReport {
        let report = await plane.report { writer in
            writer.node.resources[request.name].map(writer.report(of:))
        }
        guard let report else {
            let known = await plane.report {
                $0.node.resources.keys.map(\.description).joined(separator: ", ")
            }
            throw ControlFailure(
                Refusal(.resourceUnknown, [Fact("resource", request.name), Fact("provided here", known)]),
                next: "comity resource list")
        }
        guard report.url != nil else {
            throw ControlFailure(
                .refused, code: RefusalCode.resourceUnknown.rawValue,
                message: "a built-in resource cannot be removed",
                facts: [Fact("resource", request.name)], next: "comity config show")
        }
        try await order(.removeResource(request.name))
        return report
    }

    // MARK: What is asked for, checked

    /// Stands for every member of this node's domain among those to whom a resource is offered.
    private static let domainWord = "domain"

    /// No request brings a command: what runs here is named by the configuration file.
    private func checkProgram(of url: String) throws(ControlFailure) {
        let servers = surroundings.reading.configuration.mcp.servers
        guard case .program(let name)? = ToolPlace(url), servers[name] == nil else { return }
        throw .usage(
            "config.yaml names no program for it under mcp.servers; a new one is named there, before a start",
            [
                Fact("program", name),
                Fact("named", servers.keys.map(\.description).joined(separator: ", ")),
            ])
    }

    private static func resource(_ request: AddResource.Request) throws(ControlFailure) -> LocalResource {
        let isForTools = ToolPlace.isMeant(by: request.url)
        let url = isForTools ? nil : ResourceURL(request.url)
        guard isForTools ? ToolPlace(request.url) != nil : url != nil else {
            throw .usage(
                "a resource is at http://HOST:PORT[/PATH] or http://unix:SOCKET[:/PATH], no query or user; "
                    + "a gRPC server at grpc://HOST:PORT or grpc://unix:SOCKET; "
                    + "an MCP server at mcp+http://..., or mcp+stdio:NAME as config.yaml names it",
                [Fact("url", String(request.url.prefix(256)))])
        }
        guard request.labels.count <= Limits.labelsPerResource else {
            throw ControlFailure(
                Refusal(
                    .limitReached,
                    [Fact("labels", request.labels.count), Fact("limit", Limits.labelsPerResource)]))
        }
        if let timeout = request.timeoutMilliseconds, timeout <= 0 {
            throw .usage("a time-out is longer than nothing", [Fact("milliseconds", timeout)])
        }
        let isGRPC = url?.isGRPC == true
        let standard =
            isForTools
            ? CapabilityMatcher.tools : isGRPC ? CapabilityMatcher.procedures : CapabilityMatcher.standard
        let capabilities = request.capabilities.isEmpty ? standard : request.capabilities
        if isForTools, let other = capabilities.first(where: { $0.methods != [ToolCall.method] }) {
            throw .usage(
                "an MCP server has tools only: a capability of it is 'NAME=TOOL /PATH'",
                [Fact("capability", other.name), Fact("methods", other.methods.joined(separator: ","))])
        }
        if isGRPC, let other = capabilities.first(where: { $0.methods != ["POST"] }) {
            throw .usage(
                "a gRPC server is called by POST only: a capability of it is 'NAME=POST /SERVICE/METHOD'",
                [Fact("capability", other.name), Fact("methods", other.methods.joined(separator: ","))])
        }
        let names = capabilities.map(\.name)
        guard Set(names).count == names.count else {
            throw .usage(
                "two capabilities have one name",
                [Fact("names", names.map(\.description).joined(separator: ", "))])
        }
        let keepable = url?.isGRPC == true || isForTools ? [] : capabilities.filter { $0.safety == .safe }
        if let other = request.kept.first(where: { kept in
            !keepable.contains { $0.name == kept.capability }
        }) {
            throw .usage(
                "answers may be kept of safe capabilities of an HTTP resource only",
                [Fact("capability", other.capability), Fact("cache", other.time)])
        }
        // A document holds texts in one form only (RFC 5198); what an operator types may come in another.
        let labels = request.labels.map { label in
            ResourceLabel(key: label.key, value: label.value.precomposedStringWithCanonicalMapping)
        }.sorted()
        let description = ResourceDescription(
            name: request.name, protocol: isForTools ? .mcp : .http, capabilities: capabilities,
            labels: labels)
        return LocalResource(
            description: description, url: request.url,
            timeoutInMilliseconds: request.timeoutMilliseconds, kept: request.kept)
    }
}

extension ReportWriter {
    /// Whether anything can be offered to this peer now.
    func offerable(to id: NodeID) -> Ruling<NodeID> {
        guard let peer = node.trust.pins[id], peer.state == .trusted else {
            let state = node.trust.pins[id]?.state.rawValue ?? "seen"
            return .refused(Refusal(.peerNotTrusted, [Fact("peer", title(id)), Fact("trust", state)]))
        }
        return .allowed(id)
    }
}
