import MeshBase
import MeshGossip
import MeshNode

// How a change spreads.
extension GossipMesh {
    /// Whether there is a way over links from everybody to everybody.
    public var isWhole: Bool {
        var seen: Set<Int> = [0]
        var edge = [0]
        while let place = edge.popLast() {
            for peer in members[place].links.keys {
                if let other = places[peer], seen.insert(other).inserted { edge.append(other) }
            }
        }
        return seen.count == members.count
    }

    func isWatched(_ owner: NodeID) -> Bool { watched.map { places[owner] == $0.owner } ?? false }

    mutating func note(_ bytes: Int) {
        spread.messages += 1
        spread.bytes += bytes
    }

    mutating func note(_ message: GossipMessage, _ bytes: Int) {
        let isAbout =
            switch message {
            case .head(let push): isWatched(push.head.body.owner)
            case .places(let told): told.page.places.contains { isWatched($0.owner) }
            case .ask(let request): request.wanted.contains { isWatched($0.owner) }
            case .want, .records, .list, .contradiction, .symbolsWanted, .symbols, .elementsWanted: false
            }
        if isAbout { note(bytes) }
    }

    mutating func hold(_ stored: StoredHead, at place: Int) {
        guard let watched, places[stored.head.body.owner] == watched.owner, place != watched.owner,
            stored.head.body.issued >= Self.wall(watched.since), watched.hops[place] == nil
        else { return }
        let hops = (watched.hops[bringer] ?? 0) + 1
        self.watched?.hops[place] = hops
        spread.holders += 1
        spread.hops = max(spread.hops, hops)
        spread.took = time - watched.since
    }
}
