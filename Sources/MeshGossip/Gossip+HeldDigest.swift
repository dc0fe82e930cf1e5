import MeshBase

// The digest of what is held in an audience is in every ping's summary; with a thousand members in a domain
// it covers a thousand heads. So it is kept while nothing of it changes: neither who is in the audience and
// what is whole (`AudienceRegistry.revision`), nor a membership, nor what the clock says of any of them.
extension Gossip {
    /// Over (owner, epoch, root) of every head that is held in `audience`, by rising owner.
    func heldDigest(in audience: Audience, at wall: WallTime) -> Digest {
        if let kept = heldDigests[audience], isValid(kept, in: audience, at: wall) { return kept.digest }
        return digest(of: held(in: audience, at: wall))
    }

    private func digest(of places: [HeadPlace]) -> Digest {
        var fields = FieldSequence(.audienceTag)
        for place in places {
            fields.append(place.owner.digest)
            fields.append(place.position.epoch)
            fields.append(place.root)
        }
        return suite.digest(fields.bytes)
    }

    /// Keeps what is held of the domain that is shared with `node`, and its digest, so that the pings to come
    /// find it.
    mutating func keepHeldDigest(sharedWith node: NodeID, at wall: WallTime) {
        guard let audience = sharedDomain(with: node, at: wall), let registry = registries[audience] else {
            return
        }
        if let kept = heldDigests[audience], isValid(kept, in: audience, at: wall) { return }
        let span = unchangedByTime(in: registry, around: wall)
        let places = held(in: audience, at: wall)
        heldDigests[audience] = HeldDigest(
            places: places, digest: digest(of: places), revision: registry.revision,
            memberships: membershipRevision, from: span.from, until: span.until)
    }

    func isValid(_ kept: HeldDigest, in audience: Audience, at wall: WallTime) -> Bool {
        kept.from <= wall && wall < kept.until && kept.memberships == membershipRevision
            && kept.revision == registries[audience]?.revision
    }

    /// Between which times the clock alone changes nothing of what is held, `wall` among them.
    private func unchangedByTime(
        in registry: AudienceRegistry, around wall: WallTime
    ) -> (from: WallTime, until: WallTime) {
        var span = (from: WallTime(milliseconds: .min), until: WallTime(milliseconds: .max))
        func divide(at time: WallTime?) {
            guard let time else { return }
            if time <= wall { span.from = max(span.from, time) } else { span.until = min(span.until, time) }
        }
        divide(at: registry.own.published?.head.body.expires)
        for correspondent in registry.present.values.indices {
            let head = registry.present.values[correspondent].theirs.standing
            divide(at: head?.expires)
            divide(at: head.map { $0.issued - Limits.clockSkewRefused })
        }
        // This node's own among them, and those of who is not present: it is looked at again a little earlier
        // than must be.
        for index in memberships.keys.indices { divide(at: memberships.values[index].until) }
        return span
    }
}

/// What is held, its digest, and while that is what is held.
struct HeldDigest: Equatable, Sendable {
    /// By rising owner.
    let places: [HeadPlace]
    let digest: Digest
    /// Of the audience's registry.
    let revision: UInt64
    /// How often memberships had changed.
    let memberships: UInt64
    /// By the wall clock, `until` not among it.
    let from: WallTime
    let until: WallTime
}
