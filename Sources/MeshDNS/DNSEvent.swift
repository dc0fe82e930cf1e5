import CResolv
import MeshBase

/// What the name server told us.
public enum DNSEvent: Equatable, Sendable {
    /// The list of instances was answered; said when the number changed or trouble is over.
    /// - Parameter leftOut: instances beyond `Limits.dnsInstances`, which are not looked at.
    case listed(instanceCount: Int, leftOut: Int)
    /// The server gave no answer; said once for each kind of trouble in a row. It is asked again by itself.
    case failed(DNSTrouble)
    /// One question was asked; nil: and answered.
    case asked(DNSTrouble?, took: Duration)
    /// An instance with where it is; repeated whenever its records were asked for anew.
    case sighted(DNSSighting)
    /// An instance is not listed any more.
    case withdrawn(instance: String)
}

/// One instance as the zone shows it. Nothing of it is proven.
public struct DNSSighting: Equatable, Sendable {
    /// The instance's own label as zone files write it (`node\032one`), in small letters; at most 252
    /// characters.
    public let instance: String
    /// Where, by rising SRV priority; at least one and at most `Limits.endpointsPerPeer`.
    public let endpoints: [Endpoint]
    /// What it says of itself.
    public let txt: TXTRecord
    /// How long its records still hold, within `Limits.dnsLifeLeast` and `Limits.dnsLifeMost`.
    public let life: Duration
}

/// Where to ask for what.
public struct DNSConfiguration: Equatable, Sendable {
    /// The name under which instances are listed: the service's type in front of the domain.
    let service: DNSName
    /// The name server; nil for those of the machine.
    let server: Endpoint?
    /// How long the first attempt waits for the server; the second waits twice as long.
    let patienceInSeconds: Int

    /// The type of the services that are browsed for.
    public static let serviceType = "_comity._tcp"

    /// Whether `server` can be asked: its host is a numeric address, for who would look up a name server's
    /// name?
    public static func canAsk(_ server: Endpoint) -> Bool {
        // An interface may come later than the configuration is read.
        let address = server.host.prefix { $0 != "%" }
        return server.port > 0 && comity_res_is_address(String(address)) != 0
    }

    /// - Parameters:
    ///   - domain: as zone files write it, `mesh.example.org`.
    ///   - server: its host is a numeric address, an IPv6 one perhaps with `%scope`; nil for the machine's
    ///     own servers (`/etc/resolv.conf`).
    ///   - patienceInSeconds: 1 ... 10.
    /// - Returns: nil when `domain` is no domain's name.
    public init?(domain: String, server: Endpoint?, patienceInSeconds: Int = 2) {
        precondition(
            (1...10).contains(patienceInSeconds), "a name server gets 1 to 10 s, not \(patienceInSeconds)")
        guard let name = DNSName("\(Self.serviceType).\(domain)"), name.labels.count > 2 else { return nil }
        service = name
        self.server = server
        self.patienceInSeconds = patienceInSeconds
    }
}
