import Logging
import MeshBase
import MeshControl
import MeshDiscovery
import MeshNode
import Synchronization

/// What one witness says, and how it fares: the only way from a witness to the node.
///
/// What a witness says waits in the mailbox that all share. So that a flood through one cannot fill it and
/// hide what others say, each has a budget of its own; what is beyond it is dropped, and told again by the
/// witness when it looks again.
final class WitnessDesk: Sendable {
    /// Words at once, and how often one more: far above what a LAN of a thousand says at a renewal, and four
    /// such witnesses leave room in a mailbox of 8 192.
    private static let burst = 2_048
    private static let interval: Duration = .milliseconds(4)

    /// Whose desk it is.
    let method: String
    private let inputs: Mailbox
    private let surroundings: Surroundings
    private let log: Logger
    private let budget: Mutex<TokenBucket>

    init(method: String, inputs: Mailbox, surroundings: Surroundings, log: Logger) {
        self.method = method
        self.inputs = inputs
        self.surroundings = surroundings
        self.log = log
        budget = Mutex(
            TokenBucket(burst: Self.burst, interval: Self.interval, at: SystemClock.now().instant))
    }

    /// Something is seen, or seen again.
    /// - Parameter weight: `owed` for what an operator wrote, of which there is a bound elsewhere.
    func sight(_ sighting: Sighting, _ weight: Mailbox.Weight = .droppable) {
        say(.sighted(sighting), weight)
    }

    /// What was seen is there no more.
    func withdraw(_ key: SightingKey) { say(.withdrawn(key), .droppable) }

    /// What became of a whole answer.
    func tell(_ changes: [SightingCache.Change]) {
        for change in changes {
            switch change {
            case .sighted(let sighting): sight(sighting)
            case .withdrawn(let key): withdraw(key)
            }
        }
    }

    /// How the witness fares from now on.
    func stand(_ state: DiscoveryReport.State, _ detail: String) {
        let former = surroundings.set(method: method, state: state, detail: detail)
        guard former != state else { return }
        let facts: Logger.Metadata = ["method": "\(method)", "detail": "\(detail)"]
        switch state {
        case .failing: log.warning("a way to find peers does not work", metadata: facts)
        case .working: log.info("a way to find peers works", metadata: facts)
        case .off: log.debug("a way to find peers is off", metadata: facts)
        }
    }

    /// A question to whatever stands behind the witness was answered, or not.
    /// - Parameter took: how long the answer took; nil where the question itself asked to wait, or the
    ///   witness asks no questions.
    func count(_ outcome: DiscoveryMeter.Outcome, took: Duration?) {
        surroundings.meter.count(method, outcome, took: took)
        if outcome == .success {
            surroundings.answered(method: method, at: SystemClock.now().instant, took: took)
        }
    }

    private func say(_ input: NodeInput, _ weight: Mailbox.Weight) {
        if weight == .droppable {
            guard budget.withLock({ $0.take(at: SystemClock.now().instant) }) else {
                return log.warning(
                    "a witness says more than is listened to", metadata: ["method": "\(method)"])
            }
        }
        inputs.post(input, weight)
    }
}
