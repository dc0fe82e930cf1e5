import MeshAgreements
import MeshBase
import MeshControl
import MeshNode
import MeshTrust

// What can be called, here and there.
extension ReportWriter {
    /// What this node provides, by name.
    var resources: [ResourceReport] { provided.map(report(of:)) }

    /// What this node provides: `relay` is of no interest before anybody is offered it.
    private var provided: [LocalResource] {
        node.resources.values.filter { $0.name != .relay || !report(of: $0).offeredTo.isEmpty }
    }

    /// One resource of this node.
    func report(of resource: LocalResource) -> ResourceReport {
        var peers = OrderedTable<NodeID, Bool>()
        for record in node.agreements.records
        where record.agreement.source == me && AgreementReport.isLiving(state(of: record))
            && record.agreement.grants.contains(where: { $0.resource == resource.name })
        {
            peers[record.peer] = true
        }
        return ResourceReport(
            description: resource.description, url: resource.url,
            timeoutMilliseconds: resource.timeoutInMilliseconds,
            kept: resource.kept.isEmpty ? nil : resource.kept,
            offeredTo: peers.keys.map(reference).sorted { $0.title < $1.title },
            offeredToDomain: isOfferedToDomain(resource.name) ? true : nil)
    }

    /// Whether the members of this node's domain may call it; a node in no domain offers to none.
    private func isOfferedToDomain(_ resource: ResourceName) -> Bool {
        node.offeredToDomain[resource] == .offered && node.agreements.membership(of: me) != nil
    }

    /// The catalog, as far as this node may see: what it provides, what trusted peers say they offer to it,
    /// and what the domain is offered by members of whom others tell.
    /// - Parameter query: part of a name, a capability or a label, in any case; nil: any.
    func catalog(_ query: String?, labels: [ResourceLabel]) -> [CatalogEntry] {
        let wanted = query?.lowercased()
        let own = provided.map(\.description).map { description in
            CatalogEntry(
                provider: reference(me), isHere: true, description: description, agreement: nil, until: nil,
                toDomain: isOfferedToDomain(description.name) ? true : nil)
        }
        let theirs = node.trust.pins.peers.values.filter { $0.state == .trusted }.flatMap { peer in
            node.gossip.resources(of: peer.node, at: now.wall).map { entry(for: $0, at: peer.node) }
        }
        // What others tell of members that this node has not met: known, and not to be called yet.
        let told = node.trust.domains.vouched.keys.flatMap { member in
            node.gossip.resources(of: member, at: now.wall).map { description in
                CatalogEntry(
                    provider: reference(member), isHere: false, description: description, agreement: nil,
                    until: nil, toDomain: true, notMet: true)
            }
        }
        return (own + theirs + told).filter { entry in
            labels.allSatisfy(entry.description.labels.contains)
                && (wanted.map(entry.description.mentions) ?? true)
        }
        .sorted { ($0.description.name, $0.provider.title) < ($1.description.name, $1.provider.title) }
    }

    private func entry(for description: ResourceDescription, at peer: NodeID) -> CatalogEntry {
        let permit = permit(for: description.name, at: peer)
        let house = permit == nil ? housePermit(for: description.name, at: peer) : nil
        return CatalogEntry(
            provider: reference(peer), isHere: false, description: description,
            agreement: permit?.contentID.description ?? house?.agreement,
            until: (permit?.agreement.validUntil ?? house?.until).map { Timestamp($0) },
            toDomain: isOfferedToDomain(description.name, by: peer) ? true : nil)
    }
}

extension ResourceDescription {
    /// Whether `part`, in lower case, stands in its name, a capability or a label.
    fileprivate func mentions(_ part: String) -> Bool {
        let texts =
            [name.description] + capabilities.map(\.name.description) + labels.map { "\($0.key)=\($0.value)" }
        return part.isEmpty || texts.contains { $0.lowercased().contains(part) }
    }
}
