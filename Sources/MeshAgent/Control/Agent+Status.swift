import MeshControl

extension Agent {
    /// How things stand: what `comity up` shows before anybody can ask over the control socket.
    public func status() async -> StatusReport { await handlers.status() }
}
