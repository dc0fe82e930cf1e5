import Logging
import MeshAudit
import MeshBase
import MeshCredentials
import MeshNode

/// What becomes of peers, for who reads the log: who is trusted, and whom a link leads to. The audit holds
/// more of it. What was refused is told for debugging only: strangers bring it about as often as they like.
struct PeerNews: Equatable {
    let level: Logger.Level
    let message: String
    let facts: Logger.Metadata

    /// - Parameters:
    ///   - me: this node.
    ///   - name: what a peer is called here.
    /// Nil for what is no news of a peer.
    init?(_ event: AuditEvent, me: NodeID, name: (NodeID) -> String) {
        guard event.type == .trust || event.type == .link else { return nil }
        let peer = event.source == me ? event.target : event.source
        var facts: Logger.Metadata = peer == me ? [:] : ["peer": "\(name(peer))"]
        for fact in event.metadata where Self.told.contains(fact.name) { facts[fact.name] = "\(fact.value)" }
        if let refusal = event.refusals.first { facts["code"] = "\(refusal.code.rawValue)" }
        level = event.success ? .info : .debug
        message = event.action
        self.facts = facts
    }

    /// Facts that say more at a glance.
    private static let told: Set<String> = ["address", "because", "note", "domain", "reference"]

}

/// Tells news of peers to the log, once: two nodes that dial each other at the same time, or one that is
/// found at a second address, have a link up several times before one stays.
struct PeerNewsDesk {
    /// Whose link was told to be up; at most as many as there are peers.
    private var linked: Set<NodeID> = []

    mutating func tell(_ records: [AuditRecord], of node: Node<SystemSuite>, _ log: Logger) {
        for case .event(let event) in records where event.success || log.logLevel <= .debug {
            guard isNew(event) else { continue }
            let news = PeerNews(event, me: node.me.node) { peer in
                node.trust.pins.peers[peer]?.name.description ?? peer.description
            }
            if let news { log.log(level: news.level, "\(news.message)", metadata: news.facts) }
        }
    }

    /// Whether it is something else than one more connection of a link that is up.
    mutating func isNew(_ event: AuditEvent) -> Bool {
        switch (event.type, event.action) {
        case (.link, "link up"): linked.insert(event.target).inserted
        case (.link, "link down"), (.link, "link at rest"): linked.remove(event.target) != nil
        default: true
        }
    }
}
