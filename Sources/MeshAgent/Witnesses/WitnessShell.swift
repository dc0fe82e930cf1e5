import Dispatch

/// One way to find others, with a life of its own: it looks, and announces this node where the way has room
/// for that. Each runs in a task of its own with its own cache, time-outs and back-off, and is told nothing
/// of the others, so that one that fails, hangs or lies delays and hides nobody else's word.
protocol WitnessShell: Sendable {
    /// What reports, logs and metrics call it: `mdns`, `static`, `consul`, `dns`.
    var method: String { get }

    /// Works until its task is cancelled; then takes back what it announced and returns, within two seconds
    /// where the world lets it. All that it sees, and how it fares, it tells the desk.
    func run(_ desk: WitnessDesk) async
}

/// A thread for a library that blocks (Avahi's client, libresolv), so that a daemon that hangs holds up its
/// own witness and not a thread that everything shares. One piece of work at a time, in order.
final class WitnessThread: Sendable {
    private let queue: DispatchQueue

    init(_ name: String) { queue = DispatchQueue(label: "comity.\(name)") }

    /// What `work` answers. It is not interrupted: who waits here waits for as long as it blocks.
    func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: work()) }
        }
    }
}

/// Waits until the task is cancelled.
func untilCancelled() async {
    while !Task.isCancelled {
        do {
            try await Task.sleep(for: .seconds(3_600))
        } catch {
            return
        }
    }
}
