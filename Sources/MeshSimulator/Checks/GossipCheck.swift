import MeshBase
import MeshGossip

/// Heads rise, are not dated ahead, and go to who is in their audience only.
struct GossipCheck: Sendable {
    private struct Key: Comparable, Sendable {
        let host: Int
        let owner: NodeID
        let audience: Audience
        static func < (left: Self, right: Self) -> Bool {
            (left.host, left.owner, left.audience) < (right.host, right.owner, right.audience)
        }
    }

    private var newest = OrderedTable<Key, Head>()
    /// Hosts whose heads were dated more than the design lets them mend at once, when faults ended.
    var owesWait: Set<Int> = []

    /// A host has lost its memory.
    mutating func forget(_ host: Int) { newest.removeAll { key, _ in key.host == host } }

    /// A host writes a head. Answers what that breaks.
    mutating func wrote(_ stored: StoredHead, by host: Int, at now: Moment) -> [(Invariant, String)] {
        let head = stored.head.body
        var found: [(Invariant, String)] = []
        let key = Key(host: host, owner: head.owner, audience: head.audience)
        if let old = newest[key] {
            let rises = (head.epoch, head.sequence) > (old.epoch, old.sequence)
            let isSame = (head.epoch, head.sequence) == (old.epoch, old.sequence) && head.root == old.root
            if !rises && !isSame {
                found.append(
                    (
                        .headsRise,
                        "host \(host), owner \(head.owner.brief): (\(head.epoch), \(head.sequence)) after "
                            + "(\(old.epoch), \(old.sequence))"
                    ))
            }
        }
        newest[key] = head
        let ahead = now.wall + Limits.clockSkewRefused
        if WallTime(milliseconds: head.sequence >> 10) > ahead || head.issued > ahead {
            found.append((.headsNotAhead, "host \(host), owner \(head.owner.brief): \(head.sequence >> 10)"))
        }
        return found
    }

    /// What of `message` must not go to `receiver`; nil when all of it may.
    /// - Parameter domain: the domain of both, by what the sender knows now; nil: none.
    static func leak(
        in message: GossipMessage, from sender: NodeID, to receiver: NodeID, sharing domain: DomainID?,
        using suite: SimulatedSuite
    ) -> String? {
        let audiences = [.pair(sender, receiver)] + (domain.map { [Audience.domain($0)] } ?? [])
        var named: [Audience] = []
        var tag: AudienceTag?
        switch message {
        case .head(let push): named = [push.head.body.audience] + push.records.map(\.audience)
        case .records(let batch):
            named = batch.records.map(\.audience)
            tag = batch.audience
        case .list(let list):
            named = list.yours.map { [$0.body.audience] } ?? []
            tag = list.audience
        case .want(let request): tag = request.audience
        case .places(let told): tag = told.audience
        case .ask(let request): tag = request.audience
        case .symbolsWanted(let request): tag = request.audience
        // They name a session, and that their audience.
        case .symbols, .elementsWanted: break
        case .contradiction(let shown): named = [shown.one.body.audience, shown.other.body.audience]
        }
        if let stranger = named.first(where: { !audiences.contains($0) }) {
            return "something of \(stranger)"
        }
        let shared = domain.map { Audience.domain($0).tag(between: sender, and: receiver, using: suite) }
        return tag == nil || tag == shared ? nil : "the tag of an audience that the two do not share"
    }
}
