import MeshBase
import MeshControl

/// How Consul serves this node, in one line: whether it lists, whether it holds us, and what an empty list
/// means.
///
/// A server answers a list that a token may not read with 200 and nothing in it, as if nobody were
/// registered. Newer ones say that something was kept back; of others it shows only by this node's own
/// registration missing, though it was held before the list was asked for.
struct CatalogStanding: Sendable, Equatable {
    /// How the list was had last.
    enum Listing: Sendable, Equatable {
        case notYet
        case had(Census)
        case failed(String)
    }

    /// Who was in it.
    struct Census: Sendable, Equatable {
        /// Other nodes that are listened to.
        var peers = 0
        /// Registrations that are not: not of our kind, not healthy, not as required, at loopback.
        var others = 0
        /// Whether this node's own was there.
        var isOwnThere = false
        /// Whether it had to be there: it was registered and said to live before the list was asked for.
        var isOwnDue = false
        /// Whether the server said that ACLs kept something back.
        var isWithheld = false
    }

    /// How this node was registered last.
    enum Holding: Sendable, Equatable {
        /// It does not register.
        case off
        case notYet
        case held
        case failed(String)
    }

    /// Under which name.
    let service: String
    /// Where.
    let server: String
    var listing = Listing.notYet
    var holding: Holding

    init(service: String, server: String, announces: Bool) {
        self.service = service
        self.server = server
        holding = announces ? .notYet : .off
    }

    /// Whether it works, and what it does or why not.
    var report: (state: DiscoveryReport.State, detail: String) {
        var troubles: [String] = []
        if case .failed(let why) = listing { troubles.append("\(server) \(why)") }
        if case .failed(let why) = holding {
            let what = "registering: \(why)"
            troubles.append(troubles.isEmpty ? "\(server), \(what)" : what)
        }
        if case .had(let census) = listing, let trouble = trouble(of: census) { troubles.append(trouble) }
        guard troubles.isEmpty else { return (.failing, troubles.joined(separator: "; ")) }
        return (.working, [found, held].compactMap(\.self).joined(separator: ", "))
    }

    private func trouble(of census: Census) -> String? {
        if census.isWithheld {
            return "\(server) keeps entries back from this token: it needs service:read on \(service) "
                + "and node:read"
        }
        guard census.isOwnDue, !census.isOwnThere else { return nil }
        return "\(server) lists \(service) without this node, which it holds: "
            + "the token may lack service:read or node:read, or the list is of another datacenter"
    }

    private var found: String {
        switch listing {
        case .notYet, .failed: "asking \(server)"
        case .had(let census):
            "\(census.peers) \(census.peers == 1 ? "other" : "others") in \(service) at \(server)"
                + (census.others > 0 ? ", \(census.others) passed over" : "")
        }
    }

    private var held: String? {
        switch holding {
        case .off: "not registered (discovery.consul.announce is off)"
        case .notYet, .failed: "not registered yet"
        case .held: "registered"
        }
    }
}
