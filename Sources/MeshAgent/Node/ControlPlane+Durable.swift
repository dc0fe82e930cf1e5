import MeshAudit
import MeshBase
import MeshNode
import MeshStore
import MeshWire

/// Durable before visible: nothing that the node decided leaves before the store and the journal have it.
///
///     decided ──commit──> let out
///        │ the store fails
///        v
///     held: inputs are taken up and signed on, what takes away is performed at once, all else waits
///        │ commit again, all of it in one transaction
///        ├──> let out, in order; of the views the last alone, so that none of those before gives back
///        └──the agent ends meanwhile──> dropped, as if it had never been decided
///
/// A link that must end ends now, and what is revoked permits no more, whatever the disk does (protocol
/// section 3: downward is immediate).
extension ControlPlane {
    /// What was decided while the store could not be written, and nobody has seen.
    private struct Held {
        var changes: [StoreChange]
        var effects: [NodeEffect] = []
        /// By what calls will be decided.
        var view: CallView?
    }

    /// How often a store that fails is tried again once the agent ends.
    private static let lastTries = 3
    /// How many batches of inputs are taken up before it is tried again.
    private static let batchesBetweenTries = 64

    /// Answers `effects` as they may be let out; nil: not at all, since the agent ends and they are not
    /// durable.
    func madeDurable(_ effects: [NodeEffect]) async -> [NodeEffect]? {
        let changes = await written(effects)
        if changes.isEmpty { return effects }
        do throws(StoreError) {
            try store.commit(changes)
            return effects
        } catch {
            note(error)
            log.error("the store cannot be written", metadata: ["cause": "\(error)"])
        }
        var held = Held(changes: changes)
        let more = keep(effects, in: &held)
        await hold(more, in: &held)
        return await commit(held)
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

    /// Tries until it is written, with what comes meanwhile.
    private func commit(_ first: Held) async -> [NodeEffect]? {
        var held = first
        var triesLeft = Self.lastTries
        while true {
            await takeUpMore(&held)
            await rest()
            await takeUpMore(&held)
            do throws(StoreError) {
                try store.commit(held.changes)
                storeTrouble = nil
                return held.effects + (held.view.map { [.publish($0)] } ?? [])
            } catch {
                note(error)
            }
            guard inputs.isClosed else { continue }
            triesLeft -= 1
            if triesLeft == 0 {
                hasGivenUp = true
                return nil
            }
        }
    }

    private func note(_ error: StoreError) {
        if case .contradiction(let detail) = error {
            preconditionFailure("the node and its store contradict each other: \(detail)")
        }
        storeTrouble = error
    }

    /// What came while the store could not be written, and what is due. Behind a bound the mailbox keeps what
    /// others send, and the node's own goes on: an operator's word is among it.
    private func takeUpMore(_ held: inout Held) async {
        var outbox = Outbox<NodeEffect>()
        if held.effects.count < Limits.heldEffects {
            if let due = node.nextDeadline, due <= SystemClock.now().instant {
                takeBack([.timeReached], into: &outbox)
            }
            // However much comes, the store is tried again.
            for _ in 0..<Self.batchesBetweenTries {
                let letters = inputs.takeNow()
                guard !letters.isEmpty, held.effects.count < Limits.heldEffects else { break }
                handleBatch(letters, into: &outbox)
                await hold(outbox.drain(), in: &held)
            }
        } else {
            // No time passes for those who are not heard: it would end their links.
            handleBatch(inputs.takeOwn().filter { $0 != .input(.timeReached) }, into: &outbox)
        }
        await hold(outbox.drain(), in: &held)
    }

    /// Writes down what was decided and keeps it, with what follows once it is signed.
    private func hold(_ effects: [NodeEffect], in held: inout Held) async {
        var fresh = effects
        while !fresh.isEmpty {
            held.changes += await written(fresh)
            fresh = keep(fresh, in: &held)
        }
    }

    /// Keeps what is not to be seen yet, and performs what it takes away; answers what follows from the
    /// signatures that it orders, which nobody sees before the rest either.
    private func keep(_ effects: [NodeEffect], in held: inout Held) -> [NodeEffect] {
        var signed: [NodeInput] = []
        for effect in effects {
            switch effect {
            case .sign(let request): sign(request, into: &signed)
            case .publish(let view):
                held.view = view
                if let published { perform(.publish(published.lessened(by: view))) }
            default:
                if effect.takesAway { perform(effect) }
                held.effects.append(effect)
            }
        }
        var outbox = Outbox<NodeEffect>()
        takeBack(signed, into: &outbox)
        return outbox.drain()
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
