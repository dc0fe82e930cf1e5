import Glibc
import Logging
import MeshAgreements
import MeshAudit
import MeshBase
import MeshControl
import MeshCredentials
import MeshGateway
import MeshLink
import MeshNode
import MeshStore
import MeshTrust
import NIOCore
import NIOPosix

/// One running agent: every part wired, started in the order in which each needs the others, stopped in
/// reverse.
///
///     home, lock, configuration -> keys, store, journal -> node and desk as they were
///         -> link and gateway listen -> control plane -> control socket, witnesses
///
/// What fails before anything listens leaves nothing behind but the home. What fails later and can be missed
/// (no Avahi) is said in `status`, and the rest goes on.
public struct Agent: Sendable {
    let lock: HomeLock
    let ground: AgentGround
    let sockets: AgentSockets
    let handlers: ControlHandlers
    private let stopping: AsyncStream<Void>

    /// Starts everything but the control socket. When it returns peers can connect and applications can call.
    /// - Parameters:
    ///   - home: the node's folder; made when it is missing.
    ///   - options: what the command line set.
    ///   - environment: the process's.
    /// - Throws: `HomeError`, `CredentialError`, `StoreError`, `JournalError`, `LinkError`, `GatewayFailure`,
    ///   `AgentFailure`;
    ///   nothing runs then.
    public static func start(
        home: Home, options: ConfigurationOptions, environment: [String: String]
    ) async throws -> Agent {
        try await start(home: home, options: options, environment: environment) { _ in }
    }

    /// - Parameter adjust: changes what is no matter of configuration, such as the protocol's bounds in
    /// tests.
    static func start(
        home: Home, options: ConfigurationOptions, environment: [String: String],
        adjusting adjust: (inout NodeConfiguration) -> Void
    ) async throws -> Agent {
        try home.prepare()
        let lock = try HomeLock.take(in: home)
        try HomeSnapshot.removeLeftovers(in: home)
        let sources = ConfigurationSources(home: home, options: options, environment: environment)
        let reading = try sources.read()
        guard reading.problems.isEmpty else { throw AgentFailure.configuration(reading.problems) }
        let (stopping, stopper) = AsyncStream.makeStream(of: Void.self)
        let surroundings = Surroundings(sources: sources, reading: reading) { stopper.yield() }
        let ground = try AgentGround.lay(
            in: home, reading.configuration, environment, surroundings, adjusting: adjust)
        let sockets: AgentSockets
        do {
            sockets = try await AgentSockets.open(on: ground, reading, environment, surroundings)
        } catch {
            await ground.close()
            throw error
        }
        let handlers = ControlHandlers(
            plane: ground.plane, calls: ground.calls, trail: ground.trail, surroundings: surroundings,
            snapshot: { () throws(BackupError) in
                try HomeSnapshot.make(
                    in: home, of: ground.identity.own.node, called: ground.identity.own.name,
                    store: ground.store, journal: ground.journal)
            })
        let metrics = MetricsWriter(
            plane: ground.plane, surroundings: surroundings, trust: ground.plane.meter,
            calls: { [weak calls = ground.calls] in calls?.standing })
        ground.calls.metrics.withLock { $0 = metrics }
        return Agent(lock: lock, ground: ground, sockets: sockets, handlers: handlers, stopping: stopping)
    }

    /// Serves until the task is cancelled or somebody asks it to stop; then lets what is under way end, and
    /// ends everything.
    /// - Parameter ready: called once commands can reach this agent.
    /// - Throws: `ControlServerFailure` when the control socket cannot be made.
    public func run(ready: @escaping @Sendable () async -> Void) async throws {
        let result: Result<Void, any Error>
        do {
            try await serve(ready)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await shutDown()
        try result.get()
    }

    private func serve(_ ready: @escaping @Sendable () async -> Void) async throws {
        let server = handlers.install(on: ControlServer(at: sockets.controlPath))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask {
                try await server.run {
                    await ready()
                    let title = "\(ground.identity.own.name) listens"
                    handlers.surroundings.notifier?.tell(.ready, .status(title))
                }
            }
            if let notifier = handlers.surroundings.notifier, let interval = notifier.watchdogInterval {
                tasks.addTask { await giveSignsOfLife(to: notifier, every: interval) }
            }
            tasks.addTask { await ground.keepUp() }
            tasks.addTask { await sockets.keepFresh(ground, handlers.surroundings) }
            tasks.addTask {
                for await _ in stopping { return }
            }
            // Whichever ends first ends the others: a stop that was asked for, a signal, or a control socket
            // that broke.
            try await tasks.next()
            tasks.cancelAll()
            while !tasks.isEmpty {
                do {
                    try await tasks.next()
                } catch is CancellationError {
                    continue
                }
            }
        }
    }

    /// Tells the service manager that this agent lives, as long as its control plane and its loop answer:
    /// a process that runs and does nothing any more is to be started anew.
    private func giveSignsOfLife(to notifier: ServiceNotifier, every interval: Duration) async {
        while !Task.isCancelled {
            _ = await ground.plane.isThere
            await withCheckedContinuation { answered in
                ground.calls.loop.execute { answered.resume() }
            }
            notifier.tell(.watchdog)
            do {
                try await Task.sleep(for: interval)
            } catch {
                return
            }
        }
    }

    /// Nothing new is begun; what is under way gets five seconds; goodbyes are said; the home is free.
    private func shutDown() async {
        handlers.surroundings.notifier?.tell(.stopping)
        await sockets.discovery.stop()
        ground.calls.submit(.draining)
        ground.calls.endCircuits()
        await sockets.gateway.close(grace: .seconds(5))
        if let until = handlers.surroundings.departure.withLock({ $0 }) {
            _ = await ground.plane.command(.leave(until))
        }
        await sockets.transport.drain(within: .seconds(5))
        await ground.close()
        lock.release()
    }
}
