import MeshAgreements
import MeshBase
import MeshTrust

// What the store gives back of agreements is held against what was signed.
extension Node {
    /// Agreements are taken up when they are as they were signed; what is not is told, and left alone.
    /// - Parameter unreadable: what the store kept and is no document any more.
    mutating func takeUp(
        _ records: [AgreementRecord], unreadable: [DamagedAgreement], of peers: [PeerRecord],
        at now: Moment, into effects: inout Outbox<NodeEffect>
    ) {
        var keys = OrderedTable<NodeID, PublicKey>()
        for peer in peers { keys[peer.node] = peer.key }
        keys[me.node] = me.key
        var damaged = unreadable
        var sound: [AgreementRecord] = []
        for agreement in records {
            guard let refusal = agreement.damage(at: me.node, keys: keys, using: suite) else {
                sound.append(agreement)
                continue
            }
            damaged.append(DamagedAgreement(agreement, at: me.node, refusal: refusal))
        }
        for agreement in damaged { tell(agreement.notice, at: now, into: &effects) }
        tell(.restored(sound, damaged: damaged), at: now, into: &effects)
    }

    /// Those are vouched for whose statements this node signed; the others are told.
    /// - Parameter unreadable: whose statements are no documents any more.
    mutating func takeUp(
        _ people: [VouchingRecord], unreadable: [DamagedPerson], at now: Moment,
        into effects: inout Outbox<NodeEffect>
    ) {
        for person in unreadable { damagedPeople[person.name] = person }
        var sound: [VouchingRecord] = []
        for person in people {
            guard let refusal = person.damage(at: me.node, key: me.key, using: suite) else {
                sound.append(person)
                continue
            }
            damagedPeople[person.body.name] = DamagedPerson(name: person.body.name, refusal: refusal)
        }
        for person in damagedPeople.values { tell(person.notice(at: me.node), at: now, into: &effects) }
        tell(.personsRestored(sound), at: now, into: &effects)
    }

    /// What happens to agreements, for the audit, once it knows that it has room.
    mutating func tell(_ notice: AgreementNotice, at now: Moment, into effects: inout Outbox<NodeEffect>) {
        guard isRoomKnown else { return noticesUntold.append(notice) }
        record(words.event(of: notice), at: now, into: &effects)
    }

    /// The room for the audit was measured.
    mutating func tellNotices(at now: Moment, into effects: inout Outbox<NodeEffect>) {
        isRoomKnown = true
        for notice in noticesUntold { record(words.event(of: notice), at: now, into: &effects) }
        noticesUntold = []
    }
}
