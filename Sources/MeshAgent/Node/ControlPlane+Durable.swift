import MeshAudit
import MeshBase
import MeshNode
import MeshStore
import MeshWire

/// Durable before visible: nothing that the node decided leaves before the store and the journal have it.
extension ControlPlane {
    func makeDurable(_ effects: inout [NodeEffect]) async {
        var changes = await written(effects)
        guard !changes.isEmpty else { return }
        await commit(&changes, before: &effects)
    }

    /// Writes the records of `effects`; the changes that the store is to keep.
    private func written(_ effects: [NodeEffect]) async -> [StoreChange] {
        var changes: [StoreChange] = []
        for effect in effects {
            switch effect {
            case .persist(let change):
                do throws(WireError) {
                    changes += try StoredNode.changes(for: change, at: SystemClock.now().wall)
                } catch {
                    preconditionFailure("a change that the node made cannot be written: \(change): \(error)")
                }
            case .record(let records, let durability): await write(records, durability)
            default: break
            }
        }
        return changes
    }

    /// Tries until it is written, with what comes meanwhile. Nothing of it is let out before but what takes
    /// something away: a link that must end ends now, and what is revoked permits no more, whatever the disk
    /// does (protocol section 3: downward is immediate).
    private func commit(_ changes: inout [StoreChange], before effects: inout [NodeEffect]) async {
        var known = 0
        while true {
            do throws(StoreError) {
                try store.commit(changes)
                storeTrouble = nil
                return
            } catch {
                if case .contradiction(let detail) = error {
                    preconditionFailure("the node and its store contradict each other: \(detail)")
                }
                if storeTrouble == nil {
                    log.error("the store cannot be written", metadata: ["cause": "\(error)"])
                }
                for effect in effects[known...] { performLessening(effect) }
                known = effects.count
                storeTrouble = error
                await rest()
                await takeUpMore(&changes, &effects)
            }
        }
    }

    /// What came while the store could not be written, with the signatures that it needs, which nobody sees
    /// before the rest: up to a bound, behind which the mailbox keeps it.
    private func takeUpMore(_ changes: inout [StoreChange], _ effects: inout [NodeEffect]) async {
        guard effects.count < Limits.heldEffects else { return }
        var outbox = Outbox<NodeEffect>()
        handleBatch(inputs.takeNow(), into: &outbox)
        while true {
            let new = outbox.drain()
            if new.isEmpty { return }
            changes += await written(new)
            var signed: [NodeInput] = []
            for effect in new {
                guard case .sign(let request) = effect else {
                    effects.append(effect)
                    continue
                }
                sign(request, into: &signed)
            }
            takeBack(signed, into: &outbox)
        }
    }

    /// Performs what `effect` takes away, and nothing of what it gives.
    private func performLessening(_ effect: NodeEffect) {
        if case .publish(let view) = effect, let published {
            perform(.publish(published.lessened(by: view)))
        } else if effect.takesAway {
            perform(effect)
        }
    }

    /// An event of the control plane that cannot be written is said and lost, but for the decision's own sake
    /// nothing waits: the store holds the decision, and calls are refused by their own plane.
    private func write(_ records: [AuditRecord], _ durability: AuditDurability) async {
        switch trail.append(records, durability) {
        case .done: break
        case .later(let later):
            _ = await withCheckedContinuation { continuation in
                later.onDone { continuation.resume(returning: $0) }
            }
        case .failed(let error): log.error("the audit cannot be written", metadata: ["cause": "\(error)"])
        }
    }

    private func rest() async {
        do {
            try await Task.sleep(for: .milliseconds(500))
        } catch {
            return
        }
    }
}

extension NodeEffect {
    /// Whether it only ends something that was allowed.
    fileprivate var takesAway: Bool {
        switch self {
        case .close, .drain, .linkDown, .linkAtRest, .renewSessions: true
        case .dial, .dialThrough, .send, .repeatHandshake, .admit, .awaitPeople, .ping, .sign, .persist,
            .linkUp, .publish,
            .pairing, .answer, .confirmationWanted, .lookUp, .record, .makeEncryptionKey, .dropEncryptionKey:
            false
        }
    }
}
