import MeshAudit
import MeshBase
import MeshNode
import MeshRouting

// Homes: what ends in the middle of a write, what is full, put back, copied, or a year ahead.
extension World {
    mutating func strikeHome(_ fault: Fault, _ host: Int) {
        statistics.otherFaults += 1
        switch fault {
        case .tornWrites:
            hosts[host].writesUntilEnd = Int(faultChance.number(below: 30))
            hosts[host].ending = faultChance.number(below: 2) == 0 ? .process : .power
        case .fullDisks:
            guard hosts[host].agent != nil else { return }
            (hosts[host].isFull, hosts[host].wasFull) = (true, true)
            let length = faultChance.duration(from: .seconds(1), through: .seconds(15))
            schedule(.mend(.disk(host: host)), after: length)
        case .backups: putBack(host)
        case .returns: bringBack(host)
        case .clockYears:
            guard hosts[host].keptDisk == nil else { return }
            restart(host) { $0.clock.offset = .seconds(365 * 86_400) }
            let length = faultChance.duration(from: .seconds(10), through: .seconds(50))
            schedule(.mend(.clock(host: host)), after: length)
        case .slowNetwork, .resets, .partitions, .oneWay, .flapping, .kills, .powerLosses, .pauses,
            .clockDrift,
            .clockJumps, .clockLeaps, .badServices, .operators, .deafness, .intruder, .insider, .echoes,
            .equivocation, .futureDating, .forgery, .flooding, .issuerDeaths, .longSleep:
            break
        }
    }

    /// Ends a host's agent, changes something, and starts it again.
    private mutating func restart(_ host: Int, _ change: (inout Host) -> Void) {
        kill(host)
        change(&hosts[host])
        schedule(.boot(host: host), after: .milliseconds(500))
    }

    // MARK: Writes

    /// How many of a write's parts are still done when it is the run's last; nil when the run goes on.
    mutating func endOfWriting(parts: Int, _ run: RunID) -> Int? {
        guard let left = hosts[run.host].writesUntilEnd else { return nil }
        hosts[run.host].writesUntilEnd = left > 0 ? left - 1 : nil
        return left > 0 ? nil : Int(faultChance.number(below: UInt64(parts) + 1))
    }

    mutating func endInWrite(_ run: RunID) {
        guard isAlive(run) else { return }
        statistics.tornWrites += 1
        switch hosts[run.host].ending {
        case .process: kill(run.host)
        case .power: losePower(run.host)
        }
        schedule(.boot(host: run.host), after: faultChance.duration(from: .seconds(1), through: .seconds(8)))
    }

    /// Appends to a journal; false when the run ended meanwhile.
    mutating func append(_ records: [AuditRecord], _ run: RunID) -> Bool {
        if let kept = endOfWriting(parts: records.count, run) {
            hosts[run.host].disk.append(Array(records.prefix(kept)))
            endInWrite(run)
            return false
        }
        hosts[run.host].disk.append(records)
        return true
    }

    mutating func mendDisk(_ host: Int) {
        guard hosts[host].isFull else { return }
        hosts[host].isFull = false
        let waiting = hosts[host].mailbox
        hosts[host].mailbox = []
        let run = RunID(host: host, number: hosts[host].running)
        for input in waiting where isAlive(run) { tell(run, input) }
        setAlarm(run)
    }

    /// The audit could not be written, and nothing of what follows may become visible: as the shell does it.
    mutating func failClosed(_ steps: ArraySlice<OrderLine.Step>, _ run: RunID) {
        let ordered = steps.compactMap { step in if case .perform(let effect) = step { effect } else { nil } }
        var inputs: [CallInput] = [.roomMeasured(bytes: 0)]
        for effect in ordered + (hosts[run.host].agent?.line.unwritten() ?? []) {
            switch effect {
            case .record, .remember, .reserve, .breakerChanged, .linkWanted, .linkUsed: break
            case .abandon, .stop, .judge: perform(effect, run)
            case .send(let attempt, _, _), .serve(.own(let attempt), _, _):
                turnAway(attempt.request, run)
                inputs.append(.cancelled(attempt.request))
            case .answer(let attempt, _, _, _):
                turnAway(attempt.request, run)
                inputs.append(.cancelled(attempt.request))
            case .finish(let id), .answerAgain(let id, _, _), .refuse(let id, _, _), .breakOff(let id, _):
                turnAway(id, run)
                inputs.append(.cancelled(id))
            case .serve(.inbound(let key), _, _):
                let full = Refusal(
                    .auditUnavailable, [Fact("because", "the audit could not be written")])
                respond(key, .refused([full], effect: .none), run)
                inputs.append(.abandoned(key))
            case .respond(let key, _), .finishResponse(let key), .breakOffResponse(let key),
                .replay(let key, _):
                transmit(.answerReset(stream: key.stream), on: key.connection, of: run)
                endService(key, run, isAcknowledged: false)
                inputs.append(.abandoned(key))
            }
        }
        for input in inputs { schedule(.call(run, input), after: .zero) }
    }

    private mutating func turnAway(_ id: RequestID, _ run: RunID) {
        guard let request = checks.calls.request(id, of: run) else { return }
        statistics.refused += 1
        let ending: CallCheck.Ending = request.correlation == nil ? .refused : .brokenOff
        note(.answeredOnce, checks.calls.answerEnded(id, of: run, as: ending))
    }

    // MARK: Copies

    /// The home is as it was once: what it did since, nobody can ask it any more.
    private mutating func putBack(_ host: Int) {
        guard hosts[host].keptDisk == nil else { return }
        guard let backup = hosts[host].backup else {
            hosts[host].backup = hosts[host].disk
            return
        }
        hosts[host].backup = nil
        forgive(host)
        restart(host) { $0.replaceDisk(by: backup.restoredFromBackup) }
    }

    /// A run that another has followed goes on, with the home that it knew.
    private mutating func bringBack(_ host: Int) {
        guard let agent = hosts[host].agent, hosts[host].keptDisk == nil, let desk = agent.desk,
            desk.load.calls + desk.load.services + agent.line.waitingCount == 0
        else { return }
        guard let snapshot = hosts[host].snapshot else {
            hosts[host].snapshot = (agent, hosts[host].disk)
            return restart(host) { _ in }
        }
        kill(host)
        forgive(host)
        hosts[host].isHonest = false
        hosts[host].snapshot = nil
        hosts[host].keptDisk = hosts[host].disk
        hosts[host].disk = snapshot.disk
        hosts[host].runs += 1
        let run = RunID(host: host, number: hosts[host].runs)
        hosts[host].agent = snapshot.agent
        hosts[host].agent?.run = run
        hosts[host].agent?.alarm = nil
        hosts[host].agent?.pipes = OrderedTable()
        hosts[host].running = run.number
        hosts[host].boots[run.number] = snapshot.agent.boot
        checks.begin(run)
        for connection in snapshot.agent.pipes.keys { tell(run, .connectionClosed(connection)) }
        let length = faultChance.duration(from: .seconds(5), through: .seconds(20))
        schedule(.mend(.ownRun(host: host)), after: length)
    }

    /// The home is gone but for its keys, as when a disk died and they lay elsewhere: its next start marks it
    /// as restored, from nothing.
    mutating func loseHome(_ host: Int) {
        hosts[host].backup = nil
        hosts[host].snapshot = nil
        forgive(host)
        restart(host) { $0.replaceDisk(by: Disk().restoredFromBackup) }
        if script.providers.contains(host) { schedule(.operate(.provide(host: host)), after: .seconds(2)) }
    }

    mutating func mendRun(_ host: Int) {
        guard let disk = hosts[host].keptDisk else { return }
        hosts[host].keptDisk = nil
        forgive(host)
        restart(host) { $0.disk = disk }
    }

    mutating func mendClock(_ host: Int) {
        restart(host) { $0.clock.offset = .zero }
    }

    /// What is held of this host's own memory, which it has lost, is held no more; what others hold of it is.
    private mutating func forgive(_ host: Int) {
        checks.trust.forget(host)
        checks.gossip.forget(host)
        checks.calls.forget(host)
        checks.usage.forget(host)
        checks.audit.forget(host)
        checks.domains.forget(host)
    }
}
