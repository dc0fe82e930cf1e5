import MeshBase
import MeshNode
import MeshTrust

// What befalls domains: issuers that end, and days that pass.
extension World {
    mutating func prepareDomainFault(_ fault: Fault) {
        guard plan.domain.isAny else { return }
        let (least, most) = (plan.duration * 35 / 100, plan.duration * 75 / 100)
        if fault == .longSleep {
            let delay = script.domains.generator.duration(from: least, through: most)
            return schedule(.operate(.domain(.sleep)), after: delay)
        }
        for realm in script.domains.realms.indices {
            for _ in 0...script.domains.number(below: 2) {
                let delay = script.domains.generator.duration(from: least, through: most)
                schedule(.operate(.domain(.endIssuer(realm))), after: delay)
            }
        }
    }

    /// One of a domain's issuers: its machine burns, its home is lost, or members revoke it.
    mutating func endIssuer(of index: Int) {
        let realm = script.domains.realms[index]
        let seconds = realm.guests.filter { $0.kind == .issuer && $0.manner == .proper }.map(\.host)
        let issuers = ([realm.founder] + seconds).filter {
            !hosts[$0].isGone && !realm.ended.contains($0) && hosts[$0].keptDisk == nil
        }
        guard !issuers.isEmpty else { return }
        let issuer = issuers[script.domains.number(below: issuers.count)]
        script.domains.realms[index].ended.insert(issuer)
        statistics.otherFaults += 1
        trace.fold("end of issuer \(issuer)")
        switch script.domains.number(below: 3) {
        case 0:
            losePower(issuer)
            hosts[issuer].isGone = true
        case 1 where issuer != realm.founder: loseHome(issuer)
        default:
            for guest in realm.guests where guest.host != issuer && script.domains.happens(40) {
                command(
                    guest.host, .decide(hosts[issuer].node, .revoke, note: "it cannot be trusted to issue"))
            }
        }
    }

    /// All machines sleep: their monotonic clocks, and all that is under way, stand still meanwhile.
    mutating func sleep() {
        let isBrief = script.domains.happens(75)
        let hours = isBrief ? 115 + script.domains.number(below: 45) : 170 + script.domains.number(below: 60)
        calendar += .seconds(Int64(hours) * 3_600)
        statistics.otherFaults += 1
        trace.fold("sleep \(hours)")
        // A key is remembered for a day.
        checks.calls.forgetWork()
        for id in pipes.keys where script.domains.happens(50) { reset(id) }
    }
}
