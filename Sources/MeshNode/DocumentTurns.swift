import MeshBase

/// What connections brought and the control plane has not taken up: the agent's mailbox keeps it here, and
/// the simulator where work takes time.
///
///     append ──> line ──┐          ┌─────────── a batch ───────────┐
///     append ──> line ──┴─ turns ──┤ next, next, ... until it ends ├──> what was decided is let out
///                                  └───────────────────────────────┘
///
/// Connections are served in turns (`TurnQueue`), and what is taken up between two times that decisions are
/// let out is a batch. It grows while it is worked on, so that what comes meanwhile of others is in it, and
/// it ends with 16 KiB, or before a connection would have a second turn beside somebody else. So who floods
/// is waited for by others for the rest of one turn, and not for a batch under way and another one; and where
/// it alone has anything waiting, its batches are as long as they may be, each made durable as a whole.
public struct DocumentTurns<Line: Hashable & Sendable, Element> {
    private var waiting = TurnQueue<Line, Element>(quantum: DocumentShare.turn)
    /// What this batch has of each connection; asked, never walked.
    private var taken: [Line: Int] = [:]
    /// What it has of all.
    private var cost = 0

    /// With nothing waiting.
    public init() {}

    /// Whether nothing waits.
    public var isEmpty: Bool { waiting.isEmpty }

    /// How much waits of one connection.
    public func count(of line: Line) -> Int { waiting.count(of: line) }

    /// What all that waits of one connection costs (`DocumentShare`).
    public func cost(of line: Line) -> Int { waiting.cost(of: line) }

    /// Puts it behind what waits of the same connection.
    /// - Parameter cost: above zero (`DocumentShare`).
    public mutating func append(_ element: Element, of line: Line, costing cost: Int) {
        waiting.append(element, of: line, costing: cost)
    }

    /// Lets go what waits of one connection and is unwanted.
    public mutating func removeAll(of line: Line, where isUnwanted: (Element) -> Bool) {
        waiting.removeAll(of: line, where: isUnwanted)
    }

    /// What was decided is let out: what comes next is another batch.
    public mutating func beginBatch() {
        taken = [:]
        cost = 0
    }

    /// The next of this batch; nil when it is over, or nothing waits.
    /// - Parameter others: whether something that came over no connection is in the batch, or waits for it to
    ///   end.
    public mutating func next(beside others: Others = .none) -> Element? {
        guard cost < DocumentShare.batchMost, let line = waiting.firstLine() else { return nil }
        let isShared = others == .some || taken.count > 1
        guard !isShared || taken[line] ?? 0 < DocumentShare.turn, let next = waiting.popFirstWithCost() else {
            return nil
        }
        taken[line, default: 0] += next.cost
        cost += next.cost
        return next.element
    }

    /// Whether anything else wants to be decided.
    public enum Others: Sendable { case none, some }
}

extension DocumentTurns: Sendable where Element: Sendable {}
