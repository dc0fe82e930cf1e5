import MeshControl
import MeshMCP
import NIOCore

/// The machine of one session with an MCP server, told one thing after the other: what is to be done about
/// one is done before the next is told, which may come while it is done. Confined to one event loop.
final class ToolSessionFeed {
    private var session = ToolSession(program: ProgramVersion.text)
    private var inputs = CircularBuffer<ToolSession.Input>()
    private var isPerforming = false
    private var lastOrder: ToolSession.OrderID = 0

    /// Whether nobody waits for anything.
    var isAtRest: Bool { session.isAtRest }
    /// What the server speaks; nil while no session is open.
    var version: String? { session.version }

    /// A name for the next order.
    func nextOrder() -> ToolSession.OrderID {
        lastOrder += 1
        return lastOrder
    }

    /// Tells the machine, and has `perform` do what it orders.
    func take(_ input: ToolSession.Input, performing perform: (ToolSession.Effect) -> Void) {
        inputs.append(input)
        guard !isPerforming else { return }
        isPerforming = true
        while let input = inputs.popFirst() {
            for effect in session.handle(input) { perform(effect) }
        }
        isPerforming = false
    }
}
