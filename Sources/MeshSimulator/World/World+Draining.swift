import MeshBase
import MeshNode
import MeshRouting

// Links that nobody needs: ended once what is under way on them is over, as the frames' machine does it.
extension World {
    /// A node puts a link to rest.
    mutating func drain(_ connection: ConnectionID, of run: RunID) {
        guard let (id, end) = place(connection, of: run) else { return }
        statistics.linksAtRest += 1
        pipes.update(id) { $0[end].isDraining = true }
        let open = hosts[run.host].agent?.inbound.keys.filter { $0.connection == connection } ?? []
        transmit(.goAway(open: tampering == .drainsCut ? [] : open.map(\.stream)), over: id, from: end)
        hosts[run.host].agent?.draining.append(connection)
        endDrained(run)
    }

    /// Ends the connections of `run` that drain and have nothing under way.
    mutating func endDrained(_ run: RunID) {
        guard isAlive(run), let draining = hosts[run.host].agent?.draining, !draining.isEmpty else { return }
        for connection in draining where isOver(connection, of: run) {
            hosts[run.host].agent?.draining.removeAll { $0 == connection }
            guard let (id, end) = place(connection, of: run) else { continue }
            checkDrained(connection, of: run)
            transmit(.drained, over: id, from: end)
            shut(id, end)
            schedule(.tell(run, .connectionClosed(connection)), after: .zero)
            breakStreams(on: connection, of: run)
        }
    }

    private func isOver(_ connection: ConnectionID, of run: RunID) -> Bool {
        guard tampering != .drainsCut, let agent = hosts[run.host].agent else { return true }
        return !agent.inbound.keys.contains { $0.connection == connection }
            && !agent.streams.keys.contains { $0.connection == connection }
    }

    /// The peer took none of these: nothing of them was done.
    mutating func refuseStreams(on connection: ConnectionID, but open: [UInt64], of run: RunID) {
        guard isAlive(run), let agent = hosts[run.host].agent else { return }
        for (key, attempt) in agent.streams where key.connection == connection {
            // What the peer had already answered is in nobody's list, and its end is on its way before this.
            guard !open.contains(key.stream), tampering != .drainsCut else { continue }
            forget(attempt, run)
            call(run, .attemptFailed(attempt, .noStream, .none))
        }
    }

    /// A link that was put to rest takes nothing with it.
    mutating func checkDrained(_ connection: ConnectionID, of run: RunID) {
        guard let agent = hosts[run.host].agent else { return }
        let lost =
            agent.streams.keys.count { $0.connection == connection }
            + agent.inbound.keys.count { $0.connection == connection }
        guard lost > 0 else { return }
        breach(.restLosesNothing, "\(lost) calls of host \(run.host) were under way on a link put to rest")
    }
}
