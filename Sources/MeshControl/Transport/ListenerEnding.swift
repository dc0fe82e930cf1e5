import HummingbirdCore
import NIOCore
import Synchronization

/// Ends a server of hummingbird's in two steps: first it accepts nothing more, a moment later it is
/// cancelled.
///
/// Cancelled or closed at once it would drop connections that were accepted and that nobody reads yet, and
/// NIO ends the process where such a one is dropped unused (`NIOAsyncWriter`). Once nothing more is accepted,
/// those get their readers within the pause.
final class ListenerEnding: Sendable {
    private let state = Mutex<(hasBegun: Bool, listener: (any Channel)?)>((false, nil))

    /// How long accepted connections have until somebody reads them: a thousand times what it takes.
    private static let pause: Duration = .milliseconds(250)

    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// The server listens on this channel.
    func listens(_ channel: any Channel) { state.withLock { $0.listener = channel } }

    /// Runs `server` until it ends by itself, or this task is cancelled.
    func run(_ server: @escaping @Sendable () async throws -> Void) async throws {
        // A task of its own, because cancellation must not reach it at once; it ends before this returns.
        let serving = Task { try await server() }
        try await withTaskCancellationHandler {
            try await serving.value
        } onCancel: {
            let listener = state.withLock { state in
                state.hasBegun = true
                return state.listener
            }
            guard let listener else { return serving.cancel() }
            listener.eventLoop.scheduleTask(in: TimeAmount(Self.pause)) { serving.cancel() }
        }
    }
}

/// Lets so many connections in at once, and none once the server is ending.
struct ControlPlaces: AvailableConnectionsDelegate {
    let ending: ListenerEnding
    private var taken = 0

    init(_ ending: ListenerEnding) { self.ending = ending }

    mutating func connectionOpened() { taken += 1 }

    mutating func connectionClosed() { taken -= 1 }

    func isAcceptingNewConnections() -> Bool { taken < ControlLimits.connections && !ending.hasBegun }
}
