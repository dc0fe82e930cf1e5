import MeshBase
import Synchronization

/// What became of one question to Consul.
public enum ConsulEvent: Sendable {
    /// Who is registered. `took` is how long the answer took, nil where the question asked to wait;
    /// `isWithheld` when the server says that ACLs kept something back; `heldBefore`: whether this node was
    /// registered, and said to live, before this was asked.
    case listed(ConsulListing, took: Duration?, isWithheld: Bool, heldBefore: Bool)
    /// The list could not be had; it is asked for again in so long.
    case listingFailed(ConsulFailure, retry: Duration)
    /// This node is registered and said to live.
    case held(took: Duration)
    /// This node could not be registered, or not be said to live; again in so long.
    case holdingFailed(ConsulFailure, retry: Duration)
}

/// The Consul witness: keeps this node registered, and asks who else is, each in a loop of its own.
public final class ConsulWitness: Sendable {
    private let settings: ConsulSettings
    private let client: ConsulClient
    private let now: @Sendable () -> Instant
    private let lease: Mutex<Lease>
    private let query: Mutex<BlockingQuery>

    /// How long the goodbye may take: the agent's end waits for it.
    private static let goodbyePatience: Duration = .milliseconds(1_500)
    /// How often the loop that registers looks whether what is announced has changed.
    private static let glance: Duration = .seconds(1)

    /// - Parameters:
    ///   - now: the monotonic clock.
    /// - Throws: `settings` when certificate or key are none. To be followed by `close` when it does not.
    public init(
        _ settings: ConsulSettings, generator: SeededGenerator,
        now: @escaping @Sendable () -> Instant
    ) throws(ConsulFailure) {
        self.settings = settings
        client = try ConsulClient(settings)
        self.now = now
        var generator = generator
        lease = Mutex(Lease(generator: generator.split(), at: now()))
        query = Mutex(BlockingQuery(wait: settings.wait, generator: generator.split(), at: now()))
    }

    /// Asks who is registered, until the task is cancelled.
    public func watch(_ tell: @Sendable (ConsulEvent) -> Void) async {
        while !Task.isCancelled {
            guard await pause(until: query.withLock { $0.due }) else { return }
            let question = query.withLock { $0.question }
            let asked = now()
            let heldBefore = lease.withLock { $0.heldSince.map { $0 < asked } ?? false }
            do throws(ConsulFailure) {
                let answer = try await client.ask(.list(question), within: question.patience)
                let listing = try ConsulListing(answer.body)
                query.withLock { $0.answer(index: answer.index, at: now()) }
                tell(
                    .listed(
                        listing, took: question.index == 0 ? now() - asked : nil,
                        isWithheld: answer.isFiltered, heldBefore: heldBefore))
            } catch {
                let retry = query.withLock { $0.fail(at: now()) }
                if !Task.isCancelled { tell(.listingFailed(error, retry: retry)) }
            }
        }
    }

    /// Keeps this node registered and said to live, until the task is cancelled; then takes the registration
    /// back.
    /// - Parameter registration: what to register now; asked for again and again.
    public func hold(
        _ registration: @Sendable () -> ConsulRegistration, _ tell: @Sendable (ConsulEvent) -> Void
    ) async {
        var announced = registration()
        while !Task.isCancelled {
            let wanted = registration()
            if wanted != announced {
                announced = wanted
                lease.withLock { $0.change(at: now()) }
            }
            let (request, due) = lease.withLock { ($0.request, $0.due) }
            guard due <= now() else {
                guard await pause(until: min(due, now() + Self.glance)) else { break }
                continue
            }
            await perform(request, announced, tell)
        }
        await sayGoodbye(announced.id)
    }

    /// Ends all connections.
    public func close() async throws(ConsulFailure) { try await client.close() }

    private func perform(
        _ request: Lease.Request, _ registration: ConsulRegistration, _ tell: (ConsulEvent) -> Void
    ) async {
        let asked = now()
        do throws(ConsulFailure) {
            switch request {
            case .register: _ = try await client.ask(.register(registration), within: Lease.patience)
            case .pass: break
            }
            _ = try await client.ask(.pass(id: registration.id), within: Lease.patience)
            lease.withLock { $0.succeed(at: now()) }
            tell(.held(took: now() - asked))
        } catch {
            let retry = lease.withLock { lease in
                // A server that does not know the check says so with 404, an older one with 500.
                if request == .pass, error.mayMeanUnknown {
                    lease.lose(at: now())
                    return lease.due - now()
                }
                return lease.fail(at: now())
            }
            if !Task.isCancelled { tell(.holdingFailed(error, retry: retry)) }
        }
    }

    /// In a task of its own, since the one that held is cancelled. What fails here Consul finds out by
    /// itself, when the passes fail to come.
    private func sayGoodbye(_ id: String) async {
        guard lease.withLock({ $0.heldSince != nil }) else { return }
        let client = client
        _ = await Task {
            do throws(ConsulFailure) {
                _ = try await client.ask(.deregister(id: id), within: Self.goodbyePatience)
                return true
            } catch {
                return false
            }
        }.value
    }

    /// False when the task was cancelled.
    private func pause(until due: Instant) async -> Bool {
        do {
            try await Task.sleep(for: max(.zero, due - now()))
        } catch {
            return false
        }
        return true
    }
}

extension ConsulFailure {
    fileprivate var mayMeanUnknown: Bool {
        switch self {
        case .unexpected(let status, _): status == 404
        case .unwell(let status, _): status == 500
        case .unreachable, .late, .denied, .answerTooLong, .answerMalformed, .settings: false
        }
    }
}
