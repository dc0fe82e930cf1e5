import MeshNode
import MeshStore
import NIOCore

/// What one turn of the event loop records, and what waits for that.
struct CallTurn {
    /// What gathering did to it.
    enum Gathering {
        case begun
        case goesOn
    }

    private(set) var isOpen = false
    private(set) var records = JournalBatch()
    /// What opens once the records are synced.
    private(set) var gates: [OrderLine.Gate] = []
    /// In the order in which they are carried out.
    private(set) var steps: [OrderLine.Step] = []
    /// When the first of what they follow from came, or the first of them was ordered.
    private(set) var began = NIODeadline.now()
    private var isAwaited = false

    init() {}

    /// The turn behind `other`, whose records are written: it uses their room again.
    init(after other: inout CallTurn) {
        swap(&records, &other.records)
        records.removeAll()
    }

    /// Writes what was recorded.
    mutating func write(to trail: AuditTrail) -> AuditTrail.Appending {
        guard records.count > 0 else { return .done }
        return trail.append(&records, gates.isEmpty ? .written : .synced)
    }

    /// Takes what was ordered, behind all else of this turn.
    mutating func gather(_ ordered: [OrderLine.Step]) -> Gathering {
        for step in ordered {
            switch step {
            case .write(let records, let durability, let gate):
                for record in records { self.records.append(record) }
                if durability == .synced { gates.append(gate) }
            case .perform(let effect):
                forgetSteps(givenUpBy: effect)
                steps.append(step)
            case .keep: steps.append(step)
            }
        }
        guard !isOpen else { return .goesOn }
        wait()
        isOpen = true
        return .begun
    }

    /// Something came that is decided behind all else of this turn.
    mutating func wait() {
        guard !isAwaited, !isOpen else { return }
        isAwaited = true
        began = .now()
    }

    /// Nothing was ordered in it.
    mutating func isOver() { isAwaited = false }

    /// What is given up before its turn is over does not begin.
    private mutating func forgetSteps(givenUpBy effect: CallEffect) {
        switch effect {
        case .stop, .abandon:
            steps.removeAll { earlier in
                if case .perform(let begun) = earlier { effect.givesUp(begun) } else { false }
            }
        default: break
        }
    }
}
