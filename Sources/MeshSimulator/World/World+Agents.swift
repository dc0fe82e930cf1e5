import MeshAudit
import MeshBase
import MeshDiscovery
import MeshNode
import MeshTrust

// Agents: their start, their alarms, their ends.
extension World {
    mutating func boot(_ number: Int) {
        guard hosts[number].agent == nil, !hosts[number].isGone else { return }
        guard !hosts[number].isFull else { return schedule(.boot(host: number), after: .seconds(1)) }
        hosts[number].isPowered = true
        hosts[number].runs += 1
        let run = RunID(host: number, number: hosts[number].runs)
        let now = moment(of: number)
        let boot = BootID(number: hosts[number].disk.nextBoot(at: now.wall), random: chance.next())
        // A home that does not say that it was put back, and whose clock does not show it either, counts up
        // again to where it was, and peers must take it for a copy.
        let saysSo = hosts[number].disk.origin == .backup
        if boot.number <= hosts[number].bootMax, !saysSo { hosts[number].isHonest = false }
        hosts[number].bootMax = max(hosts[number].bootMax, boot.number)
        let key = hosts[number].key
        let next = suite.digest(key.publicKey.info.bytes + [1])
        let me = OwnIdentity(
            node: key.node, key: key.publicKey,
            inception: key.sign(Inception(key: key.publicKey, nextKeyDigest: next)), name: hosts[number].name,
            boot: boot)
        hosts[number].disk.forget(tampering)
        inspectJournal(of: number)
        var configuration = NodeConfiguration()
        configuration.discovery.overlay = plan.links.configuration
        configuration.gossip = plan.audiences.configuration
        configuration.calls.external = engineRules(of: number)
        let node = Node(
            me: me, restored: restored(number), configuration: configuration, suite: suite,
            generator: chance.split())
        let leaf = leaf(of: key, at: now.wall)
        hosts[number].agent = Agent(
            run: run, boot: boot, leaf: leaf, node: node, desk: nil, generator: chance.split())
        hosts[number].running = run.number
        hosts[number].boots[run.number] = boot
        checks.begin(run)
        trace.fold("boot \(number)")
        let unfinished = hosts[number].disk.fold.unfinished
        var outbox = Outbox<NodeEffect>()
        hosts[number].agent?.node.start(at: now, into: &outbox)
        perform(&outbox, run)
        if isAlive(run) { call(run, .keysRestored(hosts[number].disk.keys.values)) }
        if isAlive(run) { call(run, .metersRestored(hosts[number].disk.meters.values)) }
        if isAlive(run) { measure(run) }
        tell(run, .listens(ListeningNotice(port: hosts[number].endpoint.port, advertised: [])))
        if let token = hosts[number].token?.token, isAlive(run) { tell(run, .enrolmentOrdered(token)) }
        if !unfinished.isEmpty, isAlive(run) { tell(run, .callsFoundUnfinished(unfinished)) }
        schedule(.announce(run), after: .milliseconds(200))
        schedule(.freshen(run), after: .seconds(10))
    }

    /// A certificate that is two thirds over, or that is not valid yet since the clock was put back, is made
    /// anew.
    mutating func freshen(_ run: RunID) {
        guard isAlive(run), let leaf = hosts[run.host].agent?.leaf else { return }
        schedule(.freshen(run), after: .seconds(10))
        let wall = moment(of: run.host).wall
        guard wall < leaf.notBefore || wall >= leaf.notBefore + .seconds(16 * 3_600) else { return }
        let fresh = self.leaf(of: hosts[run.host].key, at: wall)
        hosts[run.host].agent?.leaf = fresh
    }

    /// A node certificate as a shell makes it at start: a fresh key, its validity, and the identity key's
    /// statement over both.
    mutating func leaf(of identity: SimulatedKey, at wall: WallTime) -> CertificateFacts {
        let key = newKey().publicKey
        let (from, until) = (wall - .seconds(3_600), wall + .seconds(23 * 3_600))
        let bytes = IdentityStatement.signedBytes(
            node: identity.node, certificateKey: key, notBefore: from, notAfter: until)
        return CertificateFacts(
            certificateDigest: suite.digest(key.info.bytes + bytes), certificateKey: key, notBefore: from,
            notAfter: until,
            statement: IdentityStatement(
                node: identity.node, identityKey: identity.publicKey, signature: Octets(identity.sign(bytes)))
        )
    }

    /// The process ends at once; its system closes what it held.
    mutating func kill(_ number: Int) {
        guard let agent = hosts[number].agent else { return }
        hosts[number].agent = nil
        hosts[number].running = 0
        hosts[number].effectsUntilKill = nil
        hosts[number].writesUntilEnd = nil
        hosts[number].mailbox = []
        trace.fold("kill \(number)")
        statistics.lost += checks.end(agent.run)
        for (connection, id) in agent.pipes {
            guard let end = pipes[id]?.end(of: agent.run, connection) else { continue }
            transmit(.end, over: id, from: end)
            shut(id, end)
        }
    }

    /// The machine is gone, and nobody is told.
    mutating func losePower(_ number: Int) {
        guard hosts[number].isPowered else { return }
        if let agent = hosts[number].agent {
            statistics.lost += checks.end(agent.run)
            for (connection, id) in agent.pipes {
                guard let end = pipes[id]?.end(of: agent.run, connection) else { continue }
                shut(id, end)
            }
        }
        hosts[number].agent = nil
        hosts[number].running = 0
        hosts[number].effectsUntilKill = nil
        hosts[number].writesUntilEnd = nil
        hosts[number].mailbox = []
        hosts[number].isPowered = false
        hosts[number].disk.losePower(using: &faultChance)
        trace.fold("power \(number)")
        checks.audit.powerLost(number, journal: hosts[number].disk.journal)
    }

    // MARK: Alarms

    /// When an agent wants to be woken; nil when it does not.
    private mutating func deadline(of run: RunID) -> Instant? {
        guard isAlive(run) else { return nil }
        // A node whose store cannot be written stands still.
        let deadlines = hosts[run.host].agent?.readDeadlines()
        return hosts[run.host].isFull ? deadlines?.desk : deadlines?.first
    }

    /// Puts the next alarm in the queue when it is earlier than the one there.
    mutating func setAlarm(_ run: RunID) {
        guard let deadline = deadline(of: run) else { return }
        var due = max(self.time(of: deadline, at: run.host), time)
        // A timer is a little late.
        due = due + .microseconds(Int64(chance.number(below: 1_500)))
        guard due != .never, hosts[run.host].agent?.alarm.map({ due < $0 }) ?? true else { return }
        hosts[run.host].agent?.alarm = due
        queue.push(.wake(run), at: due)
    }

    mutating func wake(_ run: RunID) {
        // The queue cannot forget: only the alarm that is set counts, or one that was held up.
        guard isAlive(run), let alarm = hosts[run.host].agent?.alarm, alarm <= time else { return }
        hosts[run.host].agent?.alarm = nil
        let now = moment(of: run.host).instant
        guard tampering != .alarmsUnheard else {
            noticeAlarm(run, at: now)
            return setAlarm(run)
        }
        if !hosts[run.host].isFull, isDue(hosts[run.host].agent?.readDeadlines().node, now) {
            tell(run, .timeReached)
        }
        if isAlive(run), isDue(hosts[run.host].agent?.readDeadlines().desk, now) { call(run, .timeReached) }
        noticeAlarm(run, at: now)
        setAlarm(run)
    }

    private func isDue(_ deadline: Instant?, _ now: Instant) -> Bool { deadline.map { $0 <= now } ?? false }

    /// A machine whose deadline has come must not ask for the same again without end.
    private mutating func noticeAlarm(_ run: RunID, at now: Instant) {
        guard isAlive(run), let before = hosts[run.host].agent?.alarmsInARow else { return }
        let inARow = isDue(deadline(of: run), now) ? before + 1 : 0
        hosts[run.host].agent?.alarmsInARow = inARow
        if inARow > 0, inARow.isMultiple(of: 50) {
            breach(.timeMoves, "\(hosts[run.host].name) is asked again and again for one deadline")
        }
    }

    /// About once a second the shell measures the store's room.
    mutating func measure(_ run: RunID) {
        guard isAlive(run) else { return }
        let room: Int64 = hosts[run.host].isFull ? 0 : 1 << 30
        tell(run, .roomMeasured(bytes: room))
        if isAlive(run) { call(run, .roomMeasured(bytes: room)) }
        schedule(.measure(run), after: .seconds(5))
    }
}
