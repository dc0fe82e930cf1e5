import MeshBase

/// What calls of tools may keep in memory at once, of each node: a tool is called with all of its arguments,
/// and what it answers is looked at before any of it passes. Confined to the plane's event loop.
final class ToolRoom {
    /// Bytes of one peer's calls, and of all that this node's own applications call.
    private let (mostOfPeer, mostOfOwn): (Int, Int)
    /// Nil: this node's own applications.
    private var kept: [NodeID?: Int] = [:]

    init(mostOfPeer: Int = Limits.memoryPerPeer, mostOfOwn: Int = Limits.fanOutBytesInAll) {
        (self.mostOfPeer, self.mostOfOwn) = (mostOfPeer, mostOfOwn)
    }

    fileprivate func take(_ bytes: Int, of node: NodeID?) -> Bool {
        let wanted = kept[node, default: 0] + bytes
        guard bytes <= 0 || wanted <= (node == nil ? mostOfOwn : mostOfPeer) else { return false }
        kept[node] = wanted == 0 ? nil : wanted
        return true
    }
}

/// What one call keeps of its node's room, until it is let go.
final class ToolShare {
    private let room: ToolRoom
    private let node: NodeID?
    private var (arguments, answer) = (0, 0)

    /// - Parameter node: whose call it is; nil: an application's of this node.
    init(of room: ToolRoom, for node: NodeID?) {
        self.room = room
        self.node = node
    }

    deinit { _ = room.take(-arguments - answer, of: node) }

    /// Whether there is room for arguments of so many bytes, which it then has.
    func holds(arguments bytes: Int) -> Bool {
        guard room.take(bytes - arguments, of: node) else { return false }
        arguments = bytes
        return true
    }

    /// Whether there is room for an answer of so many bytes, which it then has.
    func holds(answer bytes: Int) -> Bool {
        guard room.take(bytes - answer, of: node) else { return false }
        answer = bytes
        return true
    }
}
