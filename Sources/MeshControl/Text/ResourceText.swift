import MeshBase

/// `comity resource list`, `comity find`.
public enum ResourceText {
    /// What this node provides.
    public static func render(_ report: ResourcesReport, _ presentation: Presentation) -> String {
        guard !report.resources.isEmpty else {
            return "no resources\n"
                + ReasonText.next("comity resource add NAME --url http://127.0.0.1:PORT", presentation)
        }
        return table(report.resources).render(presentation)
    }

    /// The catalog.
    public static func render(_ report: CatalogReport, _ presentation: Presentation) -> String {
        guard !report.entries.isEmpty else { return "nothing found\n" }
        let isInDomain = report.entries.contains { $0.toDomain == true }
        let offered = isInDomain ? ["OFFERED TO"] : []
        var table = TextTable(["RESOURCE", "AT", "CALLABLE"] + offered + ["CAPABILITIES", "LABELS"])
        for entry in report.entries {
            let until = entry.until.map { "until \(presentation.date($0).prefix(16))" }
            let permitted = entry.agreement == nil ? "no agreement" : until ?? "yes"
            let callable = entry.isHere ? "here" : entry.notMet == true ? "not met yet" : permitted
            let whom = entry.toDomain == true ? "domain" : entry.isHere ? "-" : "us"
            var cells: [TextTable.Cell] = [
                .init(entry.description.name.description),
                .init(entry.isHere ? "\(entry.provider.title) (here)" : entry.provider.title),
                .init(callable, entry.isHere || entry.agreement != nil ? .good : .warning),
            ]
            if isInDomain { cells.append(.init(whom)) }
            let capabilities = entry.description.capabilities.map(\.name.description)
            cells.append(.init(capabilities.joined(separator: ",")))
            cells.append(.init(labels(entry.description.labels)))
            table.add(cells)
        }
        return table.render(presentation)
    }

    /// One resource as it was added.
    public static func render(_ added: AddResource.Response, _ presentation: Presentation) -> String {
        let name = added.resource.description.name
        var text = "\(name) is provided\n"
        if let former = added.replaced {
            text = "\(name) is provided in place of \(former.url ?? "what was built in")\n"
            let peers = former.offeredTo.map(\.title).joined(separator: ", ")
            if !peers.isEmpty { text += "  what was agreed with \(peers) covers the new one\n" }
        }
        var table = TextTable()
        for capability in added.resource.description.capabilities {
            let keep = added.resource.kept?.first { $0.capability == capability.name }?.time
            table.add([
                .init(capability.name.description), .init(capability.methods.joined(separator: ",")),
                .init(capability.path), .init(capability.safety.rawValue),
                .init(keep.map { $0 == .byRange ? "kept by range" : "kept \($0)" } ?? ""),
            ])
        }
        text += table.render(presentation, indent: 2)
        if added.resource.offeredToDomain == true {
            text +=
                added.domain == nil
                ? "\(name) is offered to the domain that this node joins; now it is in none\n"
                : "every member of this node's domain may call \(name), under the house agreement\n"
        }
        for agreement in added.agreements { text += AgreementText.offered(agreement, presentation) }
        return text
    }

    static func table(_ resources: [ResourceReport]) -> TextTable {
        var table = TextTable(["RESOURCE", "CAPABILITIES", "OFFERED TO", "LABELS", "AT"])
        for resource in resources {
            let domain = resource.offeredToDomain == true ? ["domain"] : []
            let peers = (domain + resource.offeredTo.map(\.title)).joined(separator: ",")
            table.add([
                .init(resource.description.name.description),
                .init(resource.description.capabilities.map(\.name.description).joined(separator: ",")),
                .init(peers.isEmpty ? "nobody" : peers, peers.isEmpty ? .warning : nil),
                .init(labels(resource.description.labels)), .init(resource.url ?? "built in"),
            ])
        }
        return table
    }

    private static func labels(_ labels: [ResourceLabel]) -> String {
        labels.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
}
