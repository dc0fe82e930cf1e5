/// One way in which the simulated world goes wrong.
public enum Fault: String, Sendable, CaseIterable, Hashable {
    /// Latency of up to 400 ms with as much jitter.
    case slowNetwork = "slow-network"
    /// Connections are reset.
    case resets
    /// Groups of hosts do not reach each other.
    case partitions
    /// One host does not reach another, but is reached by it.
    case oneWay = "one-way"
    /// One host's network comes and goes within seconds.
    case flapping
    /// `kill -9`, also in the middle of a node's effects, and a restart.
    case kills
    /// Loss of power: what was not synced is forgotten, and nobody is told.
    case powerLosses = "power-losses"
    /// A host stands still for some seconds and then goes on.
    case pauses
    /// Wall clocks drift by up to 200 ppm and stand apart by up to 250 s.
    case clockDrift = "clock-drift"
    /// Wall clocks jump by up to 250 s.
    case clockJumps = "clock-jumps"
    /// Wall clocks jump by up to an hour.
    case clockLeaps = "clock-leaps"
    /// Services fail, stall, refuse, or break off once they have done their work.
    case badServices = "bad-services"
    /// Operators suspend, resume, revoke, forget, withdraw and offer anew.
    case operators
    /// Announcements are lost.
    case deafness
    /// Somebody without trust dials, replays, reflects, relays, forges and sends garbage.
    case intruder
    /// A trusted node replays and garbles what it sends.
    case insider
    /// The process or the power ends in the middle of a write, of which a beginning is left.
    case tornWrites = "torn-writes"
    /// A disk takes nothing for some seconds.
    case fullDisks = "full-disks"
    /// A home is put back to how it was some time before.
    case backups
    /// A run that was ended and followed by another returns, as from a copy of a virtual machine.
    case returns
    /// A host starts a year ahead, is noticed, and put right.
    case clockYears = "clock-years"
    /// Announcements arrive twice, late and out of order.
    case echoes
    /// A trusted node signs two different heads with one number.
    case equivocation
    /// A trusted node dates its heads an hour ahead.
    case futureDating = "future-dating"
    /// A trusted node tells in others' names.
    case forgery
    /// A trusted node sends a hundred for one.
    case flooding
    /// Of a domain: an issuer's machine is gone for ever, its home is lost, or members revoke it.
    case issuerDeaths = "issuer-deaths"
    /// Where there is a domain: all machines sleep at once, for so many days that credentials are due for
    /// renewal, or over.
    case longSleep = "long-sleep"

    /// What makes a trusted node an insider: one that sends what no honest node sends.
    static let ofInsiders: [Fault] = [.insider, .equivocation, .futureDating, .forgery, .flooding]
}
