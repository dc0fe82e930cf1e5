import Logging
import MeshBase
import MeshConsul
import MeshControl
import MeshCredentials
import MeshDiscovery
import Synchronization

/// A Consul server's catalog: this node registers in it, and says who else is there. It shows what mDNS
/// shows, a version and a tag, and what the operator adds; no name and no node ID.
struct CatalogWitness: WitnessShell {
    let method = Witness.consul.method
    private let configuration: AgentConfiguration.Discovery
    private let url: AgentConfiguration.ServerURL
    private let secrets: CatalogSecrets
    private let own: OwnPlace
    private let tag: PublicTag

    /// Where this node says that it listens.
    struct OwnPlace: Sendable {
        /// Where it listens.
        let link: Endpoint
        /// What the operator says instead; nil for nothing.
        let advertised: Endpoint?
    }

    /// What changes as answers come.
    private struct State: Sendable {
        var standing: CatalogStanding
        var cache = SightingCache()
    }

    init(
        _ url: AgentConfiguration.ServerURL, _ configuration: AgentConfiguration.Discovery,
        secrets: CatalogSecrets, own: OwnPlace, tag: PublicTag
    ) {
        self.url = url
        self.configuration = configuration
        self.secrets = secrets
        self.own = own
        self.tag = tag
    }

    func run(_ desk: WitnessDesk) async {
        desk.stand(.working, "asking \(url)")
        do throws(ConsulFailure) {
            let witness = try ConsulWitness(
                try settings(),
                generator: SeededGenerator(seed: UInt64(bigEndian: SystemRandom.bytes(8))),
                now: { SystemClock.now().instant })
            await work(witness, desk)
            try await witness.close()
        } catch {
            desk.stand(.failing, "\(error)")
            desk.count(.failure, took: nil)
            await untilCancelled()
        }
    }

    private func settings() throws(ConsulFailure) -> ConsulSettings {
        let consul = configuration.consul
        // An unchanged list is asked for again often enough to keep alive what it shows.
        let wait = min(.seconds(30), configuration.sightingLife / 3)
        let secrets = secrets
        return ConsulSettings(
            endpoint: url.endpoint, tls: url.isEncrypted ? try secrets.tls() : nil, service: consul.service,
            datacenter: consul.datacenter, required: consul.required, wait: wait
        ) { () throws(ConsulFailure) in try secrets.token() }
    }

    private func work(_ witness: ConsulWitness, _ desk: WitnessDesk) async {
        let host = await registeredHost()
        let id = "comity-" + Hexadecimal.encode(SystemRandom.bytes(8))
        let announces = configuration.consul.announces
        let shared = Shared(
            CatalogStanding(
                service: configuration.consul.service, server: "\(url)", announces: announces))
        await withTaskGroup(of: Void.self) { loops in
            loops.addTask { await witness.watch { take($0, own: id, shared, desk) } }
            guard announces else { return }
            loops.addTask {
                await witness.hold({ registration(id: id, host: host) }) { take($0, own: id, shared, desk) }
            }
        }
    }

    /// What two loops share.
    private final class Shared: Sendable {
        private let state: Mutex<State>

        init(_ standing: CatalogStanding) { state = Mutex(State(standing: standing)) }

        func change<Result: Sendable>(_ work: (inout State) -> Result) -> Result {
            state.withLock { work(&$0) }
        }
    }

    // MARK: What is announced

    private func registration(id: String, host: String) -> ConsulRegistration {
        var metadata = configuration.consul.metadata
        for (key, value) in tag.pairs { metadata[key] = value }
        let port = own.advertised?.port ?? own.link.port
        return ConsulRegistration(id: id, endpoint: Endpoint(host: host, port: port), metadata: metadata)
    }

    /// What the operator advertises; else where this node listens; else the address from which it reaches the
    /// server. A server on this machine knows the address that others use: then none is named.
    private func registeredHost() async -> String {
        if let advertised = own.advertised { return advertised.host }
        guard own.link.host == "::" || own.link.host == "0.0.0.0" else { return own.link.host }
        if url.endpoint.isLoopback { return "" }
        let server = url.endpoint
        // Looking up a name may block.
        return await WitnessThread(method).run { LocalNetworks.address(toward: server) } ?? ""
    }

    // MARK: What is heard

    private func take(_ event: ConsulEvent, own id: String, _ shared: Shared, _ desk: WitnessDesk) {
        switch event {
        case .listed(let listing, let took, let isWithheld, let heldBefore):
            desk.count(.success, took: took)
            var census = CatalogStanding.Census(isOwnDue: heldBefore, isWithheld: isWithheld)
            let sightings = sightings(in: listing, own: id, &census)
            let changes = shared.change { state in
                state.standing.listing = .had(census)
                return state.cache.take(sightings, at: SystemClock.now().instant)
            }
            desk.tell(changes)
        case .listingFailed(let failure, let retry):
            desk.count(.failure, took: nil)
            shared.change { $0.standing.listing = .failed("\(failure); \(Self.text(retry))") }
        case .held(let took):
            desk.count(.success, took: took)
            shared.change { $0.standing.holding = .held }
        case .holdingFailed(let failure, let retry):
            desk.count(.failure, took: nil)
            shared.change { $0.standing.holding = .failed("\(failure); \(Self.text(retry))") }
        }
        let report = shared.change { $0.standing.report }
        desk.stand(report.state, report.detail)
    }

    private static func text(_ retry: Duration) -> String { "again in \(HumaneDuration.text(retry))" }

    /// What in an answer is worth a sighting: who shows a tag of our version, and what the operator requires.
    private func sightings(
        in listing: ConsulListing, own id: String, _ census: inout CatalogStanding.Census
    ) -> [Sighting] {
        census.others = listing.passedOver
        var sightings: [Sighting] = []
        for entry in listing.entries {
            guard entry.id != id else {
                census.isOwnThere = true
                continue
            }
            guard
                let tag = PublicTag.read(
                    version: entry.metadata[PublicTag.versionKey], tag: entry.metadata[PublicTag.tagKey]),
                configuration.consul.required.allSatisfy({ entry.metadata[$0.0] == $0.1 }),
                configuration.allowsLoopback || !entry.endpoint.isLoopback
            else {
                census.others += 1
                continue
            }
            census.peers += 1
            sightings.append(
                Sighting(
                    key: SightingKey(witness: .consul, source: entry.source), endpoints: [entry.endpoint],
                    claim: .tag(tag), life: configuration.sightingLife))
        }
        return sightings
    }
}

/// What Consul asks for that is nobody else's business: read where it is kept, never shown.
struct CatalogSecrets: Sendable {
    private let configuration: AgentConfiguration.Consul
    private let files: ServerFiles
    /// `COMITY_CONSUL_TOKEN`; the file goes before it.
    private let environmentToken: String?

    init(_ configuration: AgentConfiguration.Consul, home: Home, environment: [String: String]) {
        self.configuration = configuration
        files = ServerFiles(home: home, server: "Consul")
        environmentToken = environment["COMITY_CONSUL_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// The token as it is now; nil when none is configured.
    func token() throws(ConsulFailure) -> String? {
        try settle { () throws(ServerFileProblem) in
            if let file = configuration.tokenFile { return try files.token(at: file, limit: 512) }
            return try environmentToken.map { text throws(ServerFileProblem) in
                try ServerFiles.token(text, for: files.server, limit: 512)
            }
        }
    }

    func tls() throws(ConsulFailure) -> ConsulTLS {
        try settle { () throws(ServerFileProblem) in
            var tls = ConsulTLS()
            if let file = configuration.authorityFile { tls.authorities = try files.contents(file) }
            if let certificate = configuration.certificateFile, let key = configuration.keyFile {
                tls.identity = (certificate: try files.contents(certificate), key: try files.secret(key))
            }
            return tls
        }
    }

    private func settle<Value>(
        _ read: () throws(ServerFileProblem) -> Value
    ) throws(ConsulFailure) -> Value {
        do {
            return try read()
        } catch {
            throw .settings(what: error.what)
        }
    }
}
