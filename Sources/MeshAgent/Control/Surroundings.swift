import MeshBase
import MeshControl
import MeshCredentials
import MeshTrust
import Synchronization

/// What the agent's reports say besides what its machines know: who it is, where it listens, how its
/// witnesses fare.
final class Surroundings: Sendable {
    /// What is known at one moment.
    struct Facts: Sendable {
        var identity: OwnIdentity?
        var started: WallTime
        var link: Endpoint?
        var advertised: [Endpoint] = []
        var gateway: Endpoint?
        var gatewaySocket: String?
        var control = ""
        /// When the node certificate that is shown now ends.
        var certificateEnds: WallTime?
        var discovery = OrderedTable<String, WayStanding>()
    }

    /// How one way to find others fares.
    struct WayStanding: Sendable {
        var state: DiscoveryReport.State
        var detail: String
        /// When something behind it answered last; nil: not yet.
        var answered: Instant?
        /// How long that answer took; nil where that means nothing.
        var took: Duration?
    }

    /// Where the configuration comes from.
    let sources: ConfigurationSources
    /// What all loggers go through.
    let log: LogOutlet
    /// Asks the agent to end as SIGTERM would.
    let stop: @Sendable () -> Void
    /// The service manager, where one started this process and asks to be told.
    let notifier: ServiceNotifier?
    /// Counts what witnesses ask.
    let meter = DiscoveryMeter()
    /// How this node leaves at its end; nil when it only stops.
    let departure = Mutex<Return?>(nil)
    private let state: Mutex<Facts>
    private let inForce: Mutex<ConfigurationReading>

    init(
        sources: ConfigurationSources, reading: ConfigurationReading, stop: @escaping @Sendable () -> Void
    ) {
        self.sources = sources
        log = LogOutlet(reading.configuration.log)
        inForce = Mutex(reading)
        self.stop = stop
        notifier = ServiceNotifier(environment: sources.environment)
        state = Mutex(Facts(started: SystemClock.now().wall))
    }

    /// The configuration by which the agent runs.
    var reading: ConfigurationReading { inForce.withLock { $0 } }

    /// Takes what is to hold from now on.
    func follow(_ change: ConfigurationChange) {
        inForce.withLock { $0 = change.reading }
        log.configure(change.reading.configuration.log)
        state.withLock { $0.advertised = change.reading.configuration.advertise }
    }

    /// What is known now.
    var facts: Facts { state.withLock { $0 } }

    /// Says who this is.
    func identify(as identity: OwnIdentity) { state.withLock { $0.identity = identity } }

    /// Says which certificate is shown from now on.
    func show(_ certificate: NodeCertificate) {
        state.withLock { $0.certificateEnds = certificate.facts.notAfter }
    }

    /// Says where this agent listens.
    func listen(
        link: Endpoint, advertised: [Endpoint], gateway: Endpoint?, gatewaySocket: String?, control: String
    ) {
        state.withLock { facts in
            facts.link = link
            facts.advertised = advertised
            facts.gateway = gateway
            facts.gatewaySocket = gatewaySocket
            facts.control = control
        }
    }

    /// Says how a way to find others fares; answers how it fared before, nil for a way that is new.
    @discardableResult
    func set(method: String, state standing: DiscoveryReport.State, detail: String) -> DiscoveryReport.State?
    {
        state.withLock { facts in
            let former = facts.discovery[method]
            var way = former ?? WayStanding(state: standing, detail: detail)
            way.state = standing
            way.detail = detail
            facts.discovery[method] = way
            return former?.state
        }
    }

    /// Says when a way to find others was answered, and how long that took.
    func answered(method: String, at now: Instant, took: Duration?) {
        state.withLock { facts in
            facts.discovery.update(method) { way in
                way.answered = now
                way.took = took ?? way.took
            }
        }
    }
}
