import MeshBase

/// Between whom links are kept. The defaults are the protocol's (section 5); tests and the simulator lower
/// them so that small worlds walk the same paths.
public struct OverlayConfiguration: Sendable, Equatable {
    /// While no more peers than this are trusted, there are links to all of them; 1 ... 4 096.
    public var linksToAll = Limits.linksToAll
    /// Links that are kept for gossip where more are trusted: 2 ... `linksToAll`.
    public var gossipLinks = Limits.gossipLinks
    /// Of these, to the nearest by node ID, half of them on either side; even, 2 ... `gossipLinks`.
    public var nearLinks = Limits.gossipLinksNear
    /// How often the others are drawn anew: 1 s ... 1 h.
    public var redraw = Limits.gossipRedraw
    /// How long a link that gossip does not need stays without a call: 1 s ... 1 h.
    public var idle = Limits.linkIdle
    /// Who is sought for so long without a link counts as away, and another is taken in its place: 1 s ... 10
    /// min.
    public var absence: Duration = .seconds(30)
    /// How long the peer may take to say that a link that was given up still stands: 100 ms ... 1 min.
    public var answerPatience: Duration = .seconds(5)
    /// How long calls wait on a new link until the peer has told what it offers: 0 ... 10 s.
    public var catalogPatience: Duration = .seconds(2)

    public init() {}

    /// All that is wrong with it, in words; empty when nothing is.
    public func problems() -> [String] {
        var problems: [String] = []
        func check<Value: Comparable>(_ name: String, _ value: Value, _ least: Value, _ most: Value) {
            guard value < least || value > most else { return }
            problems.append("\(name) is \(value), and must be within \(least) and \(most)")
        }
        check("linksToAll", linksToAll, 1, Limits.peers)
        check("gossipLinks", gossipLinks, 2, max(linksToAll, 2))
        check("nearLinks", nearLinks, 2, max(gossipLinks, 2))
        if !nearLinks.isMultiple(of: 2) { problems.append("nearLinks is \(nearLinks), and must be even") }
        check("redraw", redraw, .seconds(1), .seconds(3600))
        check("idle", idle, .seconds(1), .seconds(3600))
        check("absence", absence, .seconds(1), .seconds(600))
        check("answerPatience", answerPatience, .milliseconds(100), .seconds(60))
        check("catalogPatience", catalogPatience, .zero, .seconds(10))
        return problems
    }
}
