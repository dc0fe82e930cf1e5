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

    /// The node's home.
    let home: Home
    /// The effective configuration, for `config show`.
    let reading: ConfigurationReading
    /// Asks the agent to end as SIGTERM would.
    let stop: @Sendable () -> Void
    private let state: Mutex<Facts>

    init(home: Home, reading: ConfigurationReading, stop: @escaping @Sendable () -> Void) {
        self.home = home
        self.reading = reading
        self.stop = stop
        state = Mutex(Facts(started: SystemClock.now().wall))
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
