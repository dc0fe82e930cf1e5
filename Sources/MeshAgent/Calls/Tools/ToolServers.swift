import MeshBase
import MeshGateway
import MeshMCP
import MeshRouting
import NIOCore

/// An MCP server of this node, as it is asked.
protocol ToolServer: AnyObject {
    /// Whether nobody waits for anything.
    var isAtRest: Bool { get }
    /// Orders something of it; `then` is called once, unless the order is withdrawn before.
    /// - Parameters:
    ///   - fields: what the server may know of the call.
    ///   - share: what the call may keep of the answer while that comes.
    func order(
        _ order: ToolSession.Order, of fields: [HeaderField], within share: ToolShare,
        then: @escaping (ToolSession.Outcome) -> Void
    ) -> ToolSession.OrderID
    /// Whoever ordered waits no more.
    func withdraw(_ id: ToolSession.OrderID)
    /// The session is over; nothing is ordered after it.
    func end()
}

/// Whose a session is. What a server keeps of one session is another caller's no more than another
/// principal's.
struct ToolCaller: Hashable {
    /// Nil: this node's own applications.
    let node: NodeID?
    /// As that node says who asks.
    let principal: Principal
}

/// The sessions with MCP servers, one for each server and caller. Confined to the plane's event loop.
///
/// At most `sessionsMax`, of which `sessionsPerNode` are one node's, and fewer with programs that this agent
/// runs: beyond it the one that has been at rest longest ends, of those of that node where it is that node's
/// share that is full; and while none is at rest, a newcomer gets none. One that was not used for `idleTime`
/// ends once another is wanted.
final class ToolServers {
    /// Sessions in all, over HTTP.
    static let sessionsMax = 256
    /// Sessions of one node over HTTP, whatever principals it names.
    static let sessionsPerNode = 32
    /// Programs in all.
    static let programsMax = 32
    /// Programs for one node, whatever principals it names.
    static let programsPerNode = 8
    private static let idleTime = TimeAmount.minutes(10)

    /// Of one caller with one server.
    private struct Key: Hashable {
        let place: ToolPlace
        let caller: ToolCaller
    }

    private struct Entry {
        let server: any ToolServer
        var used: NIODeadline
    }

    private var entries: [Key: Entry] = [:]

    /// The caller's session with the server at this place, which `making` makes where there is none; nil when
    /// there are too many.
    func server(
        at place: ToolPlace, for caller: ToolCaller, making: () -> any ToolServer
    ) -> (any ToolServer)? {
        let (key, now) = (Key(place: place, caller: caller), NIODeadline.now())
        if let entry = entries[key] {
            entries[key]?.used = now
            return entry.server
        }
        for (key, entry) in entries where entry.used < now - Self.idleTime && entry.server.isAtRest {
            end(key)
        }
        let (most, mostOfNode) =
            place.isProgram
            ? (Self.programsMax, Self.programsPerNode) : (Self.sessionsMax, Self.sessionsPerNode)
        let alike = entries.keys.filter { $0.place.isProgram == place.isProgram }
        if alike.count(where: { $0.caller.node == caller.node }) >= mostOfNode {
            let isOwn = { (key: Key) in
                key.caller.node == caller.node && key.place.isProgram == place.isProgram
            }
            guard endOldest(where: isOwn) else { return nil }
        } else if alike.count >= most {
            guard endOldest(where: { $0.place.isProgram == place.isProgram }) else { return nil }
        }
        let server = making()
        entries[key] = Entry(server: server, used: now)
        return server
    }

    /// All are over.
    func endAll() { for key in Array(entries.keys) { end(key) } }

    private func endOldest(where mayEnd: (Key) -> Bool) -> Bool {
        let resting = entries.filter { mayEnd($0.key) && $0.value.server.isAtRest }
        guard let oldest = resting.min(by: { $0.value.used < $1.value.used }) else { return false }
        end(oldest.key)
        return true
    }

    private func end(_ key: Key) { entries.removeValue(forKey: key)?.server.end() }
}
