import MeshBase

/// Whether what a node knows of itself is the last that it was.
public enum HomeOrigin: String, Sendable, Equatable {
    /// The home of its last run.
    case own
    /// A backup that was restored: it has forgotten what it did since.
    case backup
}

/// Boot numbers that come back (protocol section 1), and a restored home that rises above its own (section
/// 6).
///
///     hello with a boot number at or below the one accepted --signature proved--> denied, its number named
///         not within 10 s of the last one --> an alarm;  the same run three times, each within 10 minutes
///         of the last --> suspended
///     denied for that, here, in a restored home, by a trusted peer, or by who has just proved to be a
///         member of this node's domain --> above the number that it named
///         by anyone else, who proved its key --> the same, if time brings that number within a day
///
/// A backup may be older than the trust, or the decision about a domain, that the denial rests on; then its
/// home knows nobody who could tell it. A number that time brings anyway is no power over this node. A day,
/// because both clocks may be behind the one by which the run started that was accepted.
///
/// Both ends dial at once, and a node learns from the first denial only: so returns within 10 s are one.
/// Two runs that return one after the other are no copy that goes on beside its original, but a home that was
/// put back and started again before the first denial reached it. And of two denials one may be lost with its
/// connection, so the third return counts.
extension Trust {
    private static var sameReturn: Duration { .seconds(10) }
    private static var alarmWindow: Duration { .seconds(600) }
    private static var returnsMax: Int { 3 }

    /// A run came back after another was accepted: a copied home, or one put back.
    mutating func bootReturned(
        _ node: NodeID, _ accepted: BootID, _ returned: BootID, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        let last = returnedBoots[node]
        if let last, now.instant - last.at < Self.sameReturn { return }
        var count = 1
        if let last, last.boot == returned, now.instant - last.at <= Self.alarmWindow { count += last.count }
        returnedBoots[node] = ReturnedBoot(boot: returned, count: count, at: now.instant)
        effects.post(.record(.bootReturned(node, accepted: accepted, returned: returned)))
        guard count >= Self.returnsMax else { return }
        let note =
            "boot \(returned.number) came \(count) times after \(accepted.number): perhaps a copied home"
        suspend(node, TrustEvidence(kind: .alarm, transcript: nil, note: note), at: now, into: &effects)
    }

    /// A peer names the highest boot number of this node that it accepted: in a restored home this run goes
    /// on above it. No peer can name one above which there is no room. `member` proved in this handshake to
    /// be one: whom this node met since the backup, it does not know.
    mutating func take(
        _ denial: Denial, from node: NodeID?, member: NodeID? = nil, at now: Moment,
        into effects: inout Outbox<TrustEffect>
    ) {
        guard origin == .backup, denial.code == .bootReturned, let named = denial.boot, let node,
            named >= me.boot.number, named <= Limits.bootNumberNamed
        else { return }
        let isBelieved = pins.isTrusted(node) || node == member
        let reached = max(now.wall, WallTime(milliseconds: bootAtStart)) + Limits.bootNumberByStrangers
        guard isBelieved || named <= reached.milliseconds else { return }
        let old = me.boot
        let random = generator.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
        me = me.running(as: BootID(number: named + 1, random: random))
        effects.post(.persist(.ownBoot(me.boot)))
        effects.post(.record(.bootRaised(by: node, from: old, to: me.boot)))
    }
}

/// A run that came back after another was accepted.
struct ReturnedBoot: Equatable, Sendable {
    let boot: BootID
    /// How often it came, each time within the window of the last.
    let count: Int
    /// When it was told last.
    let at: Instant
}

extension Handshake {
    /// Why the other end's run is none that may have a link: another was accepted after it. Asked only once
    /// its signature is checked.
    mutating func returnOfBoot(in hello: Hello, _ ground: HandshakeGround) -> Refusal? {
        guard let accepted = ground.pins[hello.node]?.boot, hello.boot != accepted,
            hello.boot.number <= accepted.number
        else { return nil }
        returnedBoot = hello.boot
        return Refusal(
            .bootReturned, [Fact("accepted", accepted.number), Fact("returned", hello.boot.number)])
    }
}

extension OwnIdentity {
    /// The same node in another run.
    func running(as boot: BootID) -> OwnIdentity {
        OwnIdentity(node: node, key: key, inception: inception, name: name, boot: boot)
    }
}
