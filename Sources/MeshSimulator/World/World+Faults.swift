import MeshBase
import MeshDiscovery
import MeshNode

// Faults: when they come, what they do, how they end.
extension World {
    mutating func prepareFaults() {
        for number in hosts.indices where plan.faults.contains(.clockDrift) {
            hosts[number].clock.offset = drawOffset(.seconds(120))
            hosts[number].clock.driftInPPM = Int64(faultChance.number(below: 401)) - 200
        }
        if plan.faults.contains(.slowNetwork) {
            network.latency = faultChance.duration(from: .milliseconds(5), through: .milliseconds(400))
            network.jitter = network.latency
        }
        if plan.faults.contains(.deafness) { network.announcementsLost = 600 }
        for fault in plan.faults {
            switch fault {
            case .slowNetwork, .clockDrift, .deafness, .echoes, .insider, .equivocation, .futureDating,
                .forgery, .flooding:
                break
            case .issuerDeaths, .longSleep: prepareDomainFault(fault)
            case .operators: schedule(.operate(.whim), after: .seconds(25))
            case .intruder: schedule(.intrude, after: .seconds(4))
            case .resets, .partitions, .oneWay, .flapping, .kills, .powerLosses, .pauses, .clockJumps,
                .clockLeaps, .clockYears, .badServices, .tornWrites, .fullDisks, .backups, .returns:
                schedule(.strike(fault), after: drawPause())
            }
        }
    }

    mutating func drawPause() -> Duration {
        faultChance.duration(from: .seconds(3), through: .seconds(40))
    }

    private mutating func drawHost() -> Int { Int(faultChance.number(below: UInt64(plan.nodes))) }

    private mutating func drawOffset(_ most: Duration) -> Duration {
        faultChance.duration(from: .zero, through: most * 2) - most
    }

    mutating func strike(_ fault: Fault) {
        guard !isCalm else { return }
        schedule(.strike(fault), after: drawPause())
        let host = drawHost()
        trace.fold("\(fault.rawValue) \(host)")
        switch fault {
        case .slowNetwork, .clockDrift, .deafness, .echoes, .operators, .intruder, .insider, .equivocation,
            .futureDating, .forgery, .flooding, .issuerDeaths, .longSleep:
            break
        case .tornWrites, .fullDisks, .backups, .returns, .clockYears: strikeHome(fault, host)
        case .resets: strikeConnection()
        case .partitions, .oneWay, .flapping: strikeNetwork(fault, host)
        case .kills: strikeProcess(host)
        case .powerLosses:
            statistics.powerLosses += 1
            losePower(host)
            schedule(.boot(host: host), after: drawPause())
        case .pauses:
            statistics.otherFaults += 1
            hosts[host].pausedUntil =
                time + faultChance.duration(from: .milliseconds(200), through: .seconds(6))
        case .clockJumps, .clockLeaps:
            statistics.otherFaults += 1
            hosts[host].clock.offset = drawOffset(fault == .clockJumps ? .seconds(125) : .seconds(3_600))
        case .badServices:
            statistics.otherFaults += 1
            let all = ServiceHealth.allCases
            hosts[host].service = all[Int(faultChance.number(below: UInt64(all.count)))]
            let length = faultChance.duration(from: .seconds(2), through: .seconds(20))
            schedule(.mend(.services(host: host)), after: length)
        }
    }

    private mutating func strikeConnection() {
        statistics.otherFaults += 1
        guard !pipes.isEmpty else { return }
        reset(pipes.keys[Int(faultChance.number(below: UInt64(pipes.count)))])
    }

    private mutating func strikeNetwork(_ fault: Fault, _ host: Int) {
        statistics.partitions += 1
        let all = Array(hosts.indices)
        let others = all.filter { $0 != host }
        var length = faultChance.duration(from: .seconds(1), through: .seconds(30))
        var ways: [Network.Way] = []
        switch fault {
        case .oneWay:
            let other = others[Int(faultChance.number(below: UInt64(others.count)))]
            ways = [Network.Way(from: host, to: other)]
        case .flapping:
            ways = Network.between([host], others)
            length = faultChance.duration(from: .milliseconds(300), through: .seconds(4))
            if happensToFlap() { schedule(.strike(.flapping), after: length + .seconds(1)) }
        default:
            let group = all.filter { _ in faultChance.number(below: 2) == 0 }
            ways = Network.between(group, all.filter { !group.contains($0) })
        }
        let number = network.cut(ways)
        schedule(.mend(.network(number: number)), after: length)
    }

    private mutating func happensToFlap() -> Bool { faultChance.number(below: 10) < 3 }

    /// At once, or in the middle of what the agent does next.
    private mutating func strikeProcess(_ host: Int) {
        statistics.kills += 1
        if faultChance.number(below: 3) == 0 {
            kill(host)
        } else {
            hosts[host].effectsUntilKill = Int(faultChance.number(below: 40))
        }
        schedule(.boot(host: host), after: faultChance.duration(from: .seconds(2), through: .seconds(15)))
    }

    mutating func mend(_ mending: Mending) {
        switch mending {
        case .network(let number):
            guard tampering != .neverHealed else { return }
            network.mend(number)
            resend()
        case .services(let host): hosts[host].service = .healthy
        case .disk(let host): mendDisk(host)
        case .ownRun(let host): mendRun(host)
        case .clock(let host): mendClock(host)
        }
    }

    /// Everything that was wrong is right from now on.
    mutating func calm() {
        isCalm = true
        inspectAllTables()
        if tampering != .neverHealed { network.mendAll() }
        network.latency = .milliseconds(1)
        network.jitter = .milliseconds(2)
        network.announcementsLost = 0
        for number in hosts.indices where !hosts[number].isGone {
            hosts[number].effectsUntilKill = nil
            hosts[number].writesUntilEnd = nil
            mendDisk(number)
            // What a full disk did not take of a call's end is made up for at the next start.
            if hosts[number].wasFull { kill(number) }
            mendRun(number)
            hosts[number].clock.setRight(at: time)
            hosts[number].service = .healthy
            hosts[number].isInsider = false
            hosts[number].pausedUntil = .zero
            hosts[number].isPowered = true
            boot(number)
        }
        resend()
        noteWaits()
    }

    /// Some link is reset once more in the quiet time, to see what its ends have to say to one another.
    mutating func disturb() {
        var generator = SeededGenerator(seed: plan.seed ^ 0x6469_7374_7572_62)
        let links = pipes.filter { $0.1[.dialler].admitted != nil && $0.1[.listener].admitted != nil }
        guard !links.isEmpty else { return }
        let chosen = links[Int(generator.number(below: UInt64(links.count)))].0
        trace.fold("disturb \(chosen)")
        reset(chosen)
    }

    // MARK: Announcements

    /// What mDNS shows of a host: its tag and its address, to whom it reaches and who listens just then.
    mutating func announce(_ run: RunID) {
        guard isAlive(run) else { return }
        let host = hosts[run.host]
        let hour = SightingTag.hour(of: moment(of: run.host).wall)
        let key = SightingKey(witness: .mdns(interface: "eth0"), source: "\(run.host)-\(run.number)")
        let tag = SightingTag(of: host.node, hour: hour, using: suite)
        let sighting = Sighting(key: key, endpoints: [host.endpoint], claim: .tag(tag), life: .seconds(120))
        for other in hosts.indices where other != run.host {
            guard hosts[other].running > 0, network.reaches(run.host, other),
                !happens(network.announcementsLost)
            else { continue }
            let listener = RunID(host: other, number: hosts[other].running)
            let delay = hop()
            schedule(.tell(listener, .sighted(sighting)), after: delay)
            guard plan.faults.contains(.echoes), !isCalm else { continue }
            let late = moment(upTo: .seconds(20))
            schedule(.tell(listener, .sighted(sighting)), after: late)
        }
        schedule(.announce(run), after: .seconds(60))
    }
}
