import MeshBase
import MeshControl

// Operations that wait.
extension ControlHandlers {
    /// How often a waiting operation looks again. A look is one hop to the node's actor; looking leaves
    /// nothing behind when the client goes away or the agent drains, which a registered watcher would.
    private static var interval: Duration { .milliseconds(50) }

    /// Looks until there is news, the time is over or nobody waits any more; answers with the last look.
    /// - Parameter look: what there is to answer, and whether it is news to who asked.
    func patiently<Value: Sendable>(
        _ waitMilliseconds: Int64, _ look: () async throws(ControlFailure) -> (Value, isNews: Bool)
    ) async throws(ControlFailure) -> Value {
        let patience = min(max(.zero, .milliseconds(waitMilliseconds)), ControlLimits.wait)
        let deadline = SystemClock.now().instant + patience
        while true {
            let (value, isNews) = try await look()
            guard !isNews, SystemClock.now().instant < deadline else { return value }
            do {
                try await Task.sleep(for: Self.interval)
            } catch {
                return value
            }
        }
    }
}
