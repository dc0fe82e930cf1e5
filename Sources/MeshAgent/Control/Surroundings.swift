import MeshBase
import MeshControl
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
        var discovery = OrderedTable<String, DiscoveryReport>()
    }

    /// Where the configuration comes from.
    let sources: ConfigurationSources
    /// What all loggers go through.
    let log: LogOutlet
    /// Asks the agent to end as SIGTERM would.
    let stop: @Sendable () -> Void
    private let state: Mutex<Facts>
    private let inForce: Mutex<ConfigurationReading>

    init(
        sources: ConfigurationSources, reading: ConfigurationReading, stop: @escaping @Sendable () -> Void
    ) {
        self.sources = sources
        log = LogOutlet(reading.configuration.log)
        inForce = Mutex(reading)
        self.stop = stop
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

    /// Says how a way to find others fares.
    func set(method: String, state standing: DiscoveryReport.State, detail: String) {
        state.withLock {
            $0.discovery[method] = DiscoveryReport(method: method, state: standing, detail: detail)
        }
    }
}
