import MeshBase
import MeshDiscovery
import MeshGossip
import MeshNode
import MeshTrust

// Whom an operator means.
extension ReportWriter {
    /// Where the far end of a link is, or who carries it.
    func place(of link: LinkStatus) -> Fact {
        link.relay.map { Fact("carried by", reference($0).title) } ?? Fact("address", link.remote)
    }

    /// Characters of a node ID that name its node, where only one begins so.
    static var idBeginning: Int { 6 }
    private static var namesShown: Int { 16 }

    /// The peer that `text` names: a name, a node ID, or the beginning of a node ID that only one has.
    func peer(_ text: String) -> Ruling<NodeID> {
        if let name = NodeName(text), let found = node.trust.pins.node(named: name) { return .allowed(found) }
        let known = knownNodes
        if let id = NodeID(text), known.contains(id) { return .allowed(id) }
        let matching =
            text.utf8.count >= Self.idBeginning ? known.filter { $0.description.hasPrefix(text) } : []
        if matching.count == 1, let only = matching.first { return .allowed(only) }
        var facts = [Fact("given", String(text.prefix(64)))]
        if !matching.isEmpty {
            facts.append(Fact("node IDs that begin so", matching.map(title).joined(separator: ", ")))
        }
        return .refused(Refusal(.peerNotFound, facts + [Fact("known", knownNames)]))
    }

    /// Whether `text` names a peer.
    func isPeer(_ text: String) -> Bool {
        switch peer(text) {
        case .allowed: true
        case .refused: false
        }
    }

    /// As `peer`, and this node itself by its own name or ID.
    func anyNode(_ text: String) -> Ruling<NodeID> {
        text == node.me.name.description || text == me.description ? .allowed(me) : peer(text)
    }

    /// All peers that `texts` name, none twice; the first that is none refuses all.
    func peers(_ texts: [String]) -> Ruling<[NodeID]> {
        var found: [NodeID] = []
        for text in texts {
            switch peer(text) {
            case .refused(let refusal): return .refused(refusal)
            case .allowed(let id): if !found.contains(id) { found.append(id) }
            }
        }
        return .allowed(found)
    }

    /// All nodes with an ID: those with which trust was begun, those that were caught and never met, and
    /// those that discovery looks for.
    private var knownNodes: [NodeID] {
        let sighted = node.discovery.peers(at: now.instant).compactMap(\.node)
        let met = node.trust.pins.peers.keys
        let convicted = node.trust.domains.convictions.keys.filter { node.trust.pins[$0] == nil }
        return met + convicted
            + sighted.filter { node.trust.pins[$0] == nil && node.trust.domains.convictions[$0] == nil }
    }

    private var knownNames: String {
        let names = node.trust.pins.peers.values.map(\.name.description).sorted()
        guard !names.isEmpty else { return "nobody" }
        let more = names.count > Self.namesShown ? ", and \(names.count - Self.namesShown) more" : ""
        return names.prefix(Self.namesShown).joined(separator: ", ") + more
    }
}
