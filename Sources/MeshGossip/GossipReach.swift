import MeshBase

/// Through whom the domain is heard of, as far as the choice of links rests on it (protocol section 5).
///
/// Where not everybody has met everybody, a link with one among many may be the only one between two parts of
/// the mesh, and no node knows who has met whom. Heads show it: each is signed anew before it ends and
/// spreads over whatever links there are.
///
///     a member that was met, without a link     heard ──no renewal though it is due, `patience`──> unheard
///                                               heard <──its head comes, by whomever────────────── unheard
///     its head comes over its own link, though it was signed `patience` ago and nobody else brought it:
///     bridge for `bridgeLife`, and as long again while it brought the newest head of any member not met
///     most of the newest heads of members not met come over one link: bridge as long as that is so
///
/// So two parts that could be linked and are not stop hearing of one another, who could link them is told
/// whom to seek, and the link that mends the gap is kept. A node that hears of nobody is alone itself: it
/// counts nobody as unheard.
public struct GossipReach: Equatable, Sendable {
    /// Members that were met, have no link, and of whom nothing comes; by node ID.
    public internal(set) var unheard: [NodeID] = []
    /// Peers without whose link others would not be heard of; by node ID.
    public internal(set) var bridges: [NodeID] = []

    /// Nobody is missing.
    public init() {}
}
