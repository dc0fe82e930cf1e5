import MeshBase

/// How eagerly peers are sought. The defaults are those of protocol section 5.
public struct DiscoveryConfiguration: Sendable, Equatable {
    /// The first redial waits at most this long: 100 ms ... 15 s. Shorter finds a peer sooner and costs more
    /// dials.
    public var redialFirst: Duration = .seconds(1)
    /// No redial of a trusted peer waits longer: `redialFirst` ... 15 s.
    public var redialTrustedMax: Duration = .seconds(15)
    /// No redial of another expected peer waits longer, nor one of a place where strangers were seen and
    /// nobody answered: `redialTrustedMax` ... 1 h.
    public var redialOtherMax: Duration = .seconds(60)
    /// No redial of a stranger waits longer while this node looks for who enrols it: `redialFirst` ... 1 h.
    /// Much shorter, and an issuer's limit of attempts a minute refuses them.
    public var redialIssuerMax: Duration = .seconds(30)
    /// No redial of a stranger that answered, and was none of ours or did not take us for one of theirs,
    /// waits longer while members are sought: `redialOtherMax` ... 1 h. Each such dial is an event there.
    public var redialStrangerMax: Duration = .seconds(600)
    /// A fresh sighting leads to a dial at once, but two dials begin at least this far apart: 0 ... 15 s.
    /// Below 1 s a liar on the network can make us dial often.
    public var freshDialGap: Duration = .seconds(1)
    /// When nobody has answered at one endpoint of a peer for so long, the next one is dialled beside it:
    /// 100 ms ... 3 s (RFC 8305 section 8 has 250 ms). Longer makes a dead address cost more, shorter makes
    /// more dials that are given up.
    public var raceDelay: Duration = .milliseconds(250)
    /// How long the other endpoints are held back once somebody answered at one: `raceDelay` ... 15 s.
    public var provingPatience: Duration = .seconds(2)
    /// A link that held for less counts as a failure for the wait before the next dial: 0 ... 10 min.
    public var steadyLink: Duration = .seconds(10)
    /// How long an endpoint that proved to be this node is left alone: 1 s ... 1 h.
    public var ownEndpointMemory: Duration = .seconds(300)
    /// A dial that was not answered in this time counts as failed; at least 20 s, which is more than
    /// connecting and handshake may take.
    public var dialPatience: Duration = .seconds(20)
    /// Between whom links are kept.
    public var overlay = OverlayConfiguration()

    public init() {}

    /// All that is wrong with it, in words; empty when nothing is.
    public func problems() -> [String] {
        var problems: [String] = []
        func check(_ name: String, _ value: Duration, _ least: Duration, _ most: Duration) {
            guard value < least || value > most else { return }
            problems.append("\(name) is \(value), and must be within \(least) and \(most)")
        }
        check("redialFirst", redialFirst, .milliseconds(100), .seconds(15))
        check("redialTrustedMax", redialTrustedMax, redialFirst, .seconds(15))
        check("redialOtherMax", redialOtherMax, redialTrustedMax, .seconds(3600))
        check("redialIssuerMax", redialIssuerMax, redialFirst, .seconds(3600))
        check("redialStrangerMax", redialStrangerMax, redialOtherMax, .seconds(3600))
        check("freshDialGap", freshDialGap, .zero, .seconds(15))
        check("raceDelay", raceDelay, .milliseconds(100), .seconds(3))
        check("provingPatience", provingPatience, raceDelay, .seconds(15))
        check("steadyLink", steadyLink, .zero, .seconds(600))
        check("ownEndpointMemory", ownEndpointMemory, .seconds(1), .seconds(3600))
        check(
            "dialPatience", dialPatience, Limits.connectTime + Limits.handshakeTime + .seconds(2),
            .seconds(600))
        return problems + overlay.problems()
    }
}
