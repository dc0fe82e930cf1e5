import MeshAgreements
import MeshBase
import MeshDiscovery
import MeshNode
import MeshRouting
import MeshTrust

// Links that hosts carry for others (decision 0043): a pipe whose every message takes two hops, through a
// host whose desk was asked, and which ends with that host's run or with either of its own two links.
extension World {
    /// Whoever carries is reached by all; some pairs of the others cannot connect any more once they have
    /// made trust, until the quiet time.
    mutating func prepareRelays() {
        guard plan.relays == .offered, plan.nodes > RelayPresence.relays + 1 else { return }
        var generator = SeededGenerator(seed: plan.seed ^ 0x6e61_7473)
        for one in RelayPresence.relays..<plan.nodes {
            for other in (one + 1)..<max(plan.nodes, one + 1) where generator.number(below: 2) == 0 {
                let trusting = generator.duration(from: .seconds(20), through: .seconds(60))
                schedule(.operate(.wall(one, other)), after: trusting)
            }
        }
        for host in 0..<RelayPresence.relays {
            for second in stride(from: Int64(6), to: 120, by: 6) {
                schedule(.operate(.offerRelay(host: host)), after: .seconds(second))
            }
        }
    }

    /// Who carries, and so must be trusted by a host, besides those who invite it anyway.
    func relays(for host: Int) -> [Int] {
        plan.relays == .offered ? Array(0..<min(RelayPresence.relays, host)) : []
    }

    /// Offers `relay` to three in four of those whom the host trusts, unless it has: the fourth must not be
    /// carried, even where the other end may be.
    mutating func offerRelay(_ host: Int) {
        guard let node = hosts[host].agent?.node else { return }
        for peer in node.trust.pins.peers.values where peer.state == .trusted {
            guard let other = hostOfNode[peer.node], (plan.seed &+ UInt64(host + other)) % 4 != 0,
                !node.agreements.terms(with: peer.node).names(.relay, of: hosts[host].node)
            else {
                continue
            }
            command(
                host,
                .offer(
                    OfferRequest(
                        peer: peer.node, grants: [Grant(resource: .relay, capabilities: nil)],
                        life: .seconds(24 * 3_600))))
        }
    }

    /// A dial through a relay arrives there, and where it leads: refused, unanswered, or through.
    mutating func connect(_ run: RunID, _ connection: ConnectionID, through dial: CircuitPlan.Dial) {
        guard isAlive(run) else { return }
        let failure = WorldEvent.tell(run, .connectionClosed(connection))
        guard let relay = hostOfNode[dial.relay], let target = hostOfNode[dial.peer],
            let own = hosts[run.host].agent?.links[dial.relay], let way = place(own, of: run),
            case .agent(let relayRun, let toDialler)? = pipes[way.pipe]?[way.end.other].party,
            relayRun.host == relay, isAlive(relayRun), let carrier = hosts[relay].agent,
            tampering == .relaysOpen || carries(carrier, between: hosts[run.host].node, dial.peer, relay),
            let toTarget = carrier.links[dial.peer], let onward = place(toTarget, of: relayRun),
            case .agent(let targetRun, _)? = pipes[onward.pipe]?[onward.end.other].party,
            targetRun.host == target, isAlive(targetRun), let agent = hosts[target].agent,
            tampering == .relaysOpen
                || agent.desk?.acceptsCircuit(
                    from: dial.relay, of: hosts[run.host].node, at: seen(by: target)) == true
        else { return schedule(failure, after: hop()) }
        for end in [hosts[run.host].node, dial.peer] where !mayUse(relay, end) {
            breach(.carriedByRight, "host \(relay) carries a link of \(end.brief), which may not use it")
        }
        let accepted = accept(at: target)
        let pipe = Pipe(
            dialler: .agent(run, connection), listener: .agent(targetRun, accepted), isPairing: false,
            carrier: Pipe.Carrier(run: relayRun, node: dial.relay, ways: [toDialler, toTarget]))
        let id = newPipe(pipe)
        statistics.circuits += 1
        hosts[run.host].agent?.pipes[connection] = id
        hosts[target].agent?.pipes[accepted] = id
        transmit(.secured, over: id, from: .dialler)
        secure(connection, of: run, .initiator, over: id, presented: .wellFormed(agent.leaf))
    }

    /// The call of `relay` is decided as any other, which is the question that is asked of the other end: so
    /// both are asked of each.
    private func carries(_ carrier: Agent, between one: NodeID, _ other: NodeID, _ relay: Int) -> Bool {
        [(one, other), (other, one)].allSatisfy { caller, end in
            carrier.desk?.circuitEnd(of: "/\(end)", for: caller, at: seen(by: relay)) == end
        }
    }

    /// Whether an agreement stands in the relay's store, signed by both and in time, that lets `end` use it.
    private func mayUse(_ relay: Int, _ end: NodeID) -> Bool {
        let now = seen(by: relay).wall
        return hosts[relay].disk.agreements.values.contains { record in
            guard case .active = record.state else { return false }
            let agreement = record.agreement
            return agreement.source == .node(hosts[relay].node) && agreement.target == .node(end)
                && agreement.grants.contains { $0.resource == .relay }
                && PolicyEvaluator.isInTime(agreement, at: now)
        }
    }

    /// A connection of a host is over, and with it the links that it carried over that.
    mutating func endCarried(over connection: ConnectionID, of run: RunID) {
        guard statistics.circuits > 0 else { return }
        for id in pipes.keys {
            guard let carrier = pipes[id]?.carrier, carrier.run == run, carrier.ways.contains(connection)
            else { continue }
            reset(id)
        }
    }
}
