import MeshBase
import MeshTrust

/// Trust rests on both grants, revoked is final, an invite serves one key, honest nodes are not convicted.
struct TrustCheck: Sendable {
    /// Who granted trust in which handshake, by transcript.
    private var grants = OrderedTable<Digest, [NodeID]>()
    /// Keys that a host revoked.
    private var revoked = OrderedTable<Decision, Bool>()
    /// Which key each invite serves.
    private var servings = OrderedTable<InviteName, Serving>()
    /// The newest run of each peer that a host accepted.
    private var boots = OrderedTable<Acquaintance, BootID>()
    /// Who has ever been trusted by whom on evidence.
    private var founded = OrderedTable<Decision, Bool>()

    private struct Decision: Comparable, Sendable {
        let host: Int
        let pin: Pin
        static func < (left: Self, right: Self) -> Bool { (left.host, left.pin) < (right.host, right.pin) }
    }

    private struct Serving: Sendable {
        let pin: Pin
        let host: Int
    }

    private struct Acquaintance: Comparable, Sendable {
        let host: Int
        let node: NodeID
        static func < (left: Self, right: Self) -> Bool { (left.host, left.node) < (right.host, right.node) }
    }

    /// A host has lost its memory: what it decided is decided anew.
    mutating func forget(_ host: Int) {
        revoked.removeAll { decision, _ in decision.host == host }
        servings.removeAll { _, serving in serving.host == host }
        boots.removeAll { acquaintance, _ in acquaintance.host == host }
    }

    /// A host takes up a run of a peer. Answers what that breaks.
    mutating func admitted(_ boot: BootID, of node: NodeID, by host: Int) -> String? {
        let acquaintance = Acquaintance(host: host, node: node)
        guard let newest = boots[acquaintance], boot.number < newest.number else {
            boots[acquaintance] = boot
            return nil
        }
        return "host \(host) takes up run \(boot.number) of \(node.brief) after \(newest.number)"
    }

    /// A host forgets a peer, and with it which runs it saw.
    mutating func forgot(_ node: NodeID, by host: Int) { boots[Acquaintance(host: host, node: node)] = nil }

    /// A node has sent its grants.
    mutating func granted(_ transcript: Digest, by node: NodeID) {
        guard grants[transcript]?.contains(node) != true else { return }
        grants[transcript] = (grants[transcript] ?? []) + [node]
    }

    /// A node writes what it holds of a peer. Answers what that breaks.
    mutating func wrote(_ peer: PeerRecord, by node: NodeID, host: Int, isPeerHonest: Bool) -> [(
        Invariant, String
    )] {
        var found: [(Invariant, String)] = []
        let decision = Decision(host: host, pin: peer.pin)
        if revoked[decision] != nil, peer.state != .revoked {
            found.append((.revokedIsFinal, "host \(host) has \(peer.name) as \(peer.state.rawValue)"))
        }
        if peer.state == .revoked { revoked[decision] = true }
        if peer.state == .trusted {
            if let transcript = peer.evidence.transcript {
                let parties = grants[transcript] ?? []
                if !parties.contains(node) || !parties.contains(peer.node) {
                    found.append(
                        (.bothGranted, "host \(host) trusts \(peer.name), grants by \(parties.count)"))
                }
                founded[decision] = true
            } else if founded[decision] == nil {
                found.append((.bothGranted, "host \(host) trusts \(peer.name) without a handshake"))
            }
        }
        if peer.evidence.kind == .alarm, isPeerHonest {
            found.append((.honestUnconvicted, "host \(host) suspended \(peer.name): \(peer.evidence.note)"))
        }
        return found
    }

    /// A node writes an invite. Answers what that breaks.
    mutating func wrote(_ invite: InviteRecord, by host: Int) -> String? {
        guard let user = invite.usedBy else { return nil }
        let serving = Serving(pin: user, host: host)
        defer { servings[invite.name] = servings[invite.name] ?? serving }
        guard let served = servings[invite.name]?.pin, served != user else { return nil }
        return "invite \(invite.name) served \(served) and \(user)"
    }

    /// Whether `host` revoked `pin` once.
    func isRevoked(_ pin: Pin, by host: Int) -> Bool { revoked[Decision(host: host, pin: pin)] != nil }
}
